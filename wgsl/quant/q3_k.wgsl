// needs: lib/words, lib/bytes, lib/int8
// offers: i8, scaled
// Q3_K (block_q3_K): 256 weights in 110 bytes, 16 runs of 16.
//     0  hmask[32]   third bits: run r is in 16 bytes at 16 * (r % 2), bit r / 2
//    32  qs[64]      low 2 bits: run r is in 16 bytes at 32 * (r / 8) + 16 * (r % 2), shifted by 2 * (r / 2 % 4)
//    96  scales[12]  6 bits a run: low 4 in byte r % 8 (nibble r / 8), high 2 in byte 8 + r % 4 (shift 2 * (r / 4))
//   108  d           f16
// w = (d * (scale - 32)) * (q - 4), q of 3 bits

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let byte = (block >> 3u) * 110u;
  let group = block & 7u; // of 32, each of two runs
  let run = 2u * group + half;
  let low = (load_u8(base, byte + 96u + (run & 7u)) >> (group & 4u)) & 15u;
  let high = (load_u8(base, byte + 104u + (run & 3u)) >> ((run >> 2u) << 1u)) & 3u;
  let scale = load_f16(base, byte + 108u) * f32(i32(low | (high << 4u)) - 32);
  let words = load_u32x4(base, byte + 32u + ((group & 4u) << 3u), 4u * half);
  let twos = (words >> vec4((group & 3u) << 1u)) & vec4(0x03030303u);
  let thirds = (load_u32x4(base, byte, 4u * half) >> vec4(group)) & vec4(0x01010101u);
  return Int8Run(subtract_bytes(twos | (thirds << vec4(2u)), 4u), scale, 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return scaled_i8(run.q, run.scale);
}
