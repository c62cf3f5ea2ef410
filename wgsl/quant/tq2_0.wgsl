// needs: lib/quads, lib/bytes, lib/int8
// offers: i8, scaled, minimum
// TQ2_0 (block_tq2_0): 256 weights in 66 bytes, 16 runs of 16.
//    0  qs[64]  2 bits a weight: run r is in 16 bytes at 32 * (r / 8) + 16 * (r % 2), shifted by 2 * (r / 2 % 4)
//   64  d       f16
// Groups of 8 blocks have 33 quads: all d, then four quads of qs a block.
// w = d * (q - 1)

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let at = (base >> 2u) + (block >> 6u) * 33u;
  let i = (block >> 3u) & 7u;
  let group = block & 7u; // of 32, each of two runs
  let words = weights[at + 1u + 4u * i + ((group & 4u) >> 1u) + half];
  let q = (words >> vec4((group & 3u) << 1u)) & vec4(0x03030303u);
  let d = half_at(at, i);
  return Int8Run(q, d, -d);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return scaled_i8(subtract_bytes(run.q, 1u), run.scale);
}
