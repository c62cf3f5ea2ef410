// needs: lib/words, lib/bytes, lib/int8
// offers: i8, scaled
// Q4_0 (block_q4_0): 32 weights in 18 bytes.
//   0  d       f16
//   2  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// w = d * (q - 8)

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let byte = block * 18u;
  let q = nibbles(load_u32x4(base, byte + 2u, 0u), half << 2u);
  return Int8Run(subtract_bytes(q, 8u), load_f16(base, byte), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return scaled_i8(run.q, run.scale);
}
