// lib/dot-i8.wgsl: activations as quantize.wgsl leaves them: three vec4 for 32, in two runs of 16 with x = scale · q.
//   0, 1  16 signed bytes each: q of either run
//   2     x, y  scale of either run, f32
//         z     Σ q of either run as two signed 16-bit numbers, the first one low
//         w     the sum of squares of what was quantised, before a norm's weight, f32
const BLOCK = 3u;
const HEAD = 2u;

// Scale and scale · Σ q of a run (0 or 1).
fn run_of(head: vec4<u32>, run: u32) -> vec2<f32> {
  let scale = bitcast<f32>(select(head.x, head.y, run == 1u));
  let sum = bitcast<i32>(head.z << (16u - 16u * run)) >> 16u;
  return vec2(scale, scale * f32(sum));
}

// The product of 16 weights and 16 activations, all signed bytes; at most 2¹⁸ in size.
fn dot_i8(a: vec4<u32>, b: vec4<u32>) -> i32 {
  return (dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y)) + (dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w));
}
