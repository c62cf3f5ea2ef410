// needs: lib/quads, lib/bytes, lib/int8
// offers: i8, scaled, minimum
// Q5_1 (block_q5_1): 32 weights in 24 bytes.
//   0  d       f16
//   2  m       f16
//   4  qh[4]   bit i is the fifth bit of weight i
//   8  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// Groups of 4 blocks have 6 quads: all d and m, all qh, then a quad of qs a block.
// w = d * q + m

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let at = (base >> 2u) + (block >> 2u) * 6u;
  let i = block & 3u;
  let dm = unpack2x16float(weights[at][i]);
  let high = spread_bits(weights[at + 1u][i] >> (16u * half));
  let q = nibbles(weights[at + 2u + i], half << 2u) | (high << vec4(4u));
  return Int8Run(q, dm.x, dm.y);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return affine_u8(run.q, run.scale, run.minimum);
}
