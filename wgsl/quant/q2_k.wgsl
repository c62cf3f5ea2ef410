// needs: lib/quads, lib/bytes, lib/int8
// offers: i8, scaled, minimum
// Q2_K (block_q2_K): 256 weights in 84 bytes, 16 runs of 16.
//    0  scales[16]  a run: low nibble scale, high nibble minimum
//   16  qs[64]      2 bits a weight: run r is in 16 bytes at 32 * (r / 8) + 16 * (r % 2), shifted by 2 * (r / 2 % 4)
//   80  d           f16
//   82  dmin        f16
// Groups of 4 blocks have 21 quads: all d and dmin, a quad of scales a block, then four of qs a block.
// w = (d * scale) * q - dmin * minimum

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let at = (base >> 2u) + (block >> 5u) * 21u;
  let i = (block >> 3u) & 3u;
  let group = block & 7u; // of 32, each of two runs
  let dm = unpack2x16float(weights[at][i]);
  let scale = weights[at + 1u + i][group >> 1u] >> (((group & 1u) << 4u) + 8u * half);
  let words = weights[at + 5u + 4u * i + ((group & 4u) >> 1u) + half];
  let q = (words >> vec4((group & 3u) << 1u)) & vec4(0x03030303u);
  return Int8Run(q, dm.x * f32(scale & 15u), -(dm.y * f32((scale >> 4u) & 15u)));
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return affine_u8(run.q, run.scale, run.minimum);
}
