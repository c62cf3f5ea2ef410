// needs: lib/bytes
// lib/fp4.wgsl: the 4-bit floats (e2m1) of MXFP4 and NVFP4, times two: sign bit, then 0 1 2 3 4 6 8 12. There is no -0.

// Nibbles that stand alone in the bytes of words, four at a time, as their values and 12: bytes from 0 to 24.
// Sizes s from 4 on are s + s % 4, and 7 two more.
fn fp4_biased(codes: vec4<u32>) -> vec4<u32> {
  let more = codes & (((codes >> vec4(2u)) & vec4(0x01010101u)) * 3u);
  let size = (codes & vec4(0x07070707u)) + more + ((more << vec4(1u)) & more);
  let negative = ((codes >> vec4(3u)) & vec4(0x01010101u)) * 15u;
  return (size ^ negative) + vec4(0x0c0c0c0cu) - negative;
}

fn scaled_fp4(codes: vec4<u32>, scale: f32) -> mat4x4<f32> {
  let q = fp4_biased(codes);
  return mat4x4<f32>(
    scale * (bytes_u8(q.x) - 12.0),
    scale * (bytes_u8(q.y) - 12.0),
    scale * (bytes_u8(q.z) - 12.0),
    scale * (bytes_u8(q.w) - 12.0),
  );
}
