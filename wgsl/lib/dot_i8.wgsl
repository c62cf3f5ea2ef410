// Activations as quantize.wgsl leaves them: three vec4 a block of 32, x = scale · q.
//   0, 1  16 signed bytes each: q of the block's two halves
//   2     scale, scale · Σ q of either half, and the sum of squares of what was quantised, before a norm's weight
const BLOCK = 3u;
const HEAD = 2u;

// The product of 16 weights and 16 activations, all signed bytes; at most 2¹⁸ in size.
fn dot_i8(a: vec4<u32>, b: vec4<u32>) -> i32 {
  return (dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y)) + (dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w));
}
