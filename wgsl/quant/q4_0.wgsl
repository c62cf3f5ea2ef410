// needs: lib/quads, lib/bytes, lib/int8
// offers: i8, scaled, minimum
// Q4_0 (block_q4_0): 32 weights in 18 bytes: d f16, then qs[16], low nibbles weights 0..15, high nibbles weights 16..31.
// Groups of 8 blocks have 9 quads:
//   0  d   f16, one a block
//   1  qs  a quad a block
// w = d * (q - 8)

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let at = (base >> 2u) + (block >> 3u) * 9u;
  let i = block & 7u;
  let q = nibbles(weights[at + 1u + i], half << 2u);
  let d = half_at(at, i);
  return Int8Run(q, d, -8.0 * d);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return scaled_i8(subtract_bytes(run.q, 8u), run.scale);
}
