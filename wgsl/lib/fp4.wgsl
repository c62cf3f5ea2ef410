// lib/fp4.wgsl: the 4-bit floats (e2m1) of MXFP4 and NVFP4, times two: sign bit, then 0 1 2 3 4 6 8 12. There is no -0.

// The values of the four nibbles that stand alone in the bytes of a word.
fn fp4_values(codes: u32) -> vec4<i32> {
  let code = vec4(codes) >> vec4(0u, 8u, 16u, 24u);
  let size = vec4<i32>((vec4(0xc8643210u) >> ((code & vec4(7u)) << vec4(2u))) & vec4(15u));
  return select(size, -size, (code & vec4(8u)) != vec4(0u));
}

fn fp4_floats(codes: u32) -> vec4<f32> {
  return vec4<f32>(fp4_values(codes));
}

// The same as four signed bytes.
fn fp4_bytes(codes: u32) -> u32 {
  let bytes = (bitcast<vec4<u32>>(fp4_values(codes)) & vec4(0xffu)) << vec4(0u, 8u, 16u, 24u);
  return (bytes.x | bytes.y) | (bytes.z | bytes.w);
}
