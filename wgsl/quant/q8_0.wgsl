// needs: lib/bytes
// Q8_0 (block_q8_0): 32 weights in 34 bytes.
//   0  d       f16
//   2  qs[32]  i8
// w = d * q

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 5u) * 34u;
  let d = load_f16(base, byte);
  let q = load_u32x4(base, byte + 2u + (element & 16u));
  return mat4x4<f32>(d * bytes_i8(q.x), d * bytes_i8(q.y), d * bytes_i8(q.z), d * bytes_i8(q.w));
}
