// needs: lib/bytes
// Q4_0 (block_q4_0): 32 weights in 18 bytes.
//   0  d       f16
//   2  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// w = d * (q - 8)

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 5u) * 18u;
  let d = load_f16(base, byte);
  let nibbles = (load_u32x4(base, byte + 2u) >> vec4((element & 16u) >> 2u)) & vec4(0x0f0f0f0fu);
  return mat4x4<f32>(
    d * (bytes_u8(nibbles.x) - 8.0),
    d * (bytes_u8(nibbles.y) - 8.0),
    d * (bytes_u8(nibbles.z) - 8.0),
    d * (bytes_u8(nibbles.w) - 8.0),
  );
}
