// needs: lib/bytes, lib/int8, lib/scales-k4
// offers: i8, scaled, minimum
// Q5_K (block_q5_K): 256 weights in 176 bytes, 8 groups of 32.
//    0  d           f16
//    2  dmin        f16
//    4  scales[12]  see lib/scales-k4
//   16  qh[32]      bit g of byte i is the fifth bit of weight i of group g
//   48  qs[128]     low 4 bits: group g is in 32 bytes at 32 * (g / 2), low nibbles where g is even
// w = (d * scale) * q - dmin * minimum

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let at = (base >> 2u) + (block >> 3u) * 11u;
  let group = block & 7u;
  let dm = scales_k4(weights[at], group);
  let low = nibbles(weights[at + 3u + (group & 6u) + half], (group & 1u) << 2u);
  let high = (weights[at + 1u + half] >> vec4(group)) & vec4(0x01010101u);
  return Int8Run(low | (high << vec4(4u)), dm.x, -dm.y);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return affine_u8(run.q, run.scale, run.minimum);
}
