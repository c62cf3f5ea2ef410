// needs: lib/words, lib/bytes, lib/int8
// offers: i8, scaled, spread
// Q8_0 (block_q8_0): 32 weights in 34 bytes.
//   0  d       f16
//   2  qs[32]  i8
// w = d * q

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let byte = block * 34u;
  return Int8Run(load_u32x4(base, byte + 2u, 4u * half), load_f16(base, byte), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return scaled_i8(run.q, run.scale);
}
