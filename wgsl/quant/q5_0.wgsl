// needs: lib/quads, lib/bytes, lib/int8
// offers: i8, scaled, minimum
// Q5_0 (block_q5_0): 32 weights in 22 bytes.
//   0  d       f16
//   2  qh[4]   bit i is the fifth bit of weight i
//   6  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// Groups of 8 blocks have 11 quads: all d, two of all qh, then a quad of qs a block.
// w = d * (q - 16)

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let at = (base >> 2u) + (block >> 3u) * 11u;
  let i = block & 7u;
  let high = spread_bits(weights[at + 1u + (i >> 2u)][i & 3u] >> (16u * half));
  let q = nibbles(weights[at + 3u + i], half << 2u) | (high << vec4(4u));
  let d = half_at(at, i);
  return Int8Run(q, d, -16.0 * d);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return scaled_i8(subtract_bytes(run.q, 16u), run.scale);
}
