// needs: lib/words, lib/bytes, lib/int8
// offers: i8, scaled, pairs-64
// Q6_K (block_q6_K): 256 weights in 210 bytes, 16 runs of 16; n = r / 8, j = r / 2 % 4, h = r % 2 for run r.
//     0  ql[128]     low 4 bits: run r is in 16 bytes at 64 * n + 32 * (j % 2) + 16 * h, high nibbles where j >= 2
//   128  qh[64]      high 2 bits: run r is in 16 bytes at 32 * n + 16 * h, shifted by 2 * j
//   192  scales[16]  i8, one a run
//   208  d           f16
// w = (d * scale) * (q - 32), q of 6 bits

// A unit is 16 bytes of ql: a run and the one 64 weights on, which is four runs later.
fn decode_i8(base: u32, unit: u32, half: u32) -> Int8Run {
  let byte = (unit >> 3u) * 210u;
  let sixteen = unit & 7u;
  let run = ((sixteen & 4u) << 1u) | (half << 2u) | (sixteen & 3u);
  let scale = bitcast<i32>(load_u8(base, byte + 192u + run) << 24u) >> 24u;
  let low = load_u32x4(base, byte + (sixteen << 4u), 0u);
  let high = load_u32x4(base, byte + 128u + ((sixteen & 4u) << 3u) + ((sixteen & 1u) << 4u), 0u);
  let q = nibbles(low, half << 2u) | (((high >> vec4((sixteen & 2u) | (half << 2u))) & vec4(0x03030303u)) << vec4(4u));
  return Int8Run(subtract_bytes(q, 32u), load_f16(base, byte + 208u) * f32(scale), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, ((element >> 7u) << 2u) | ((element >> 4u) & 3u), (element >> 6u) & 1u);
  return scaled_i8(run.q, run.scale);
}
