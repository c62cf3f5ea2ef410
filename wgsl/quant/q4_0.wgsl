// needs: lib/bytes
// Q4_0 (block_q4_0): 32 weights in 18 bytes.
//   0  d       f16
//   2  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// w = d * (q - 8)

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 5u) * 18u;
  let q = nibbles(load_u32x4(base, byte + 2u), (element & 16u) >> 2u);
  return scaled_u8(q, -8.0, load_f16(base, byte));
}
