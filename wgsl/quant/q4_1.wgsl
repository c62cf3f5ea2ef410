// needs: lib/quads, lib/bytes, lib/int8
// offers: i8, scaled, minimum
// Q4_1 (block_q4_1): 32 weights in 20 bytes.
//   0  d       f16
//   2  m       f16
//   4  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// Groups of 4 blocks have 5 quads: all d and m, then a quad of qs a block.
// w = d * q + m

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let at = (base >> 2u) + (block >> 2u) * 5u;
  let dm = unpack2x16float(weights[at][block & 3u]);
  let q = nibbles(weights[at + 1u + (block & 3u)], half << 2u);
  return Int8Run(q, dm.x, dm.y);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return affine_u8(run.q, run.scale, run.minimum);
}
