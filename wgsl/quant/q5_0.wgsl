// needs: lib/words, lib/bytes, lib/int8
// offers: i8, scaled
// Q5_0 (block_q5_0): 32 weights in 22 bytes.
//   0  d       f16
//   2  qh[4]   bit i is the fifth bit of weight i
//   6  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// w = d * (q - 16)

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let byte = block * 22u;
  let high = spread_bits(load_u32(base, byte + 2u) >> (16u * half));
  let q = nibbles(load_u32x4(base, byte + 6u, 0u), half << 2u) | (high << vec4(4u));
  return Int8Run(subtract_bytes(q, 16u), load_f16(base, byte), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return scaled_i8(run.q, run.scale);
}
