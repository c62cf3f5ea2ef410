// needs: lib/quads, lib/bytes, lib/int8
// offers: i8, scaled, spread
// Q8_0 (block_q8_0): 32 weights in 34 bytes: d f16, then qs[32] i8.
// Groups of 8 blocks have 17 quads:
//   0  d   f16, one a block
//   1  qs  two quads a block
// w = d * q

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let at = (base >> 2u) + (block >> 3u) * 17u;
  let i = block & 7u;
  return Int8Run(weights[at + 1u + 2u * i + half], half_at(at, i), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return scaled_i8(run.q, run.scale);
}
