// needs: lib/words, lib/bytes, lib/int8
// offers: i8, scaled
// TQ2_0 (block_tq2_0): 256 weights in 66 bytes, 16 runs of 16.
//    0  qs[64]  2 bits a weight: run r is in 16 bytes at 32 * (r / 8) + 16 * (r % 2), shifted by 2 * (r / 2 % 4)
//   64  d       f16
// w = d * (q - 1)

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let byte = (block >> 3u) * 66u;
  let group = block & 7u; // of 32, each of two runs
  let words = load_u32x4(base, byte + ((group & 4u) << 3u), 4u * half);
  let q = (words >> vec4((group & 3u) << 1u)) & vec4(0x03030303u);
  return Int8Run(subtract_bytes(q, 1u), load_f16(base, byte + 64u), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return scaled_i8(run.q, run.scale);
}
