// needs: lib/bytes, lib/int8, lib/scales-k4
// offers: i8, scaled, minimum, pairs-32
// Q5_K (block_q5_K): 256 weights in 176 bytes, 8 groups of 32.
//    0  d           f16
//    2  dmin        f16
//    4  scales[12]  see lib/scales-k4
//   16  qh[32]      bit g of byte i is the fifth bit of weight i of group g
//   48  qs[128]     low 4 bits: group g is in 32 bytes at 32 * (g / 2), low nibbles where g is even
// w = (d * scale) * q - dmin * minimum

// A unit is 16 bytes of qs: 16 weights of an even group and the 16 of the next one, 32 weights on.
fn decode_i8(base: u32, unit: u32, half: u32) -> Int8Run {
  let at = (base >> 2u) + (unit >> 3u) * 11u;
  let sixteen = unit & 7u;
  let dm = scales_k4(weights[at], sixteen >> 1u, half);
  let low = nibbles(weights[at + 3u + sixteen], half << 2u);
  let high = (weights[at + 1u + (unit & 1u)] >> vec4((sixteen & 6u) + half)) & vec4(0x01010101u);
  return Int8Run(low | (high << vec4(4u)), dm.x, -dm.y);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, ((element >> 6u) << 1u) | ((element >> 4u) & 1u), (element >> 5u) & 1u);
  return affine_u8(run.q, run.scale, run.minimum);
}
