// needs: lib/halves
// offers: spread
// BF16: the upper halves of f32 (ggml type BF16), two a word, the first in the low half.

fn bf16x4(a: u32, b: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u));
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let h = load_halves(base, element);
  return mat4x4<f32>(
    bf16x4(h[0].x, h[0].y),
    bf16x4(h[0].z, h[0].w),
    bf16x4(h[1].x, h[1].y),
    bf16x4(h[1].z, h[1].w),
  );
}
