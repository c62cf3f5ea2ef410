// needs: lib/pairs
// varies: lib/run-f32, lib/run-i8
// lib/run.wgsl: 16 columns of a row of W against those of x, as the mat-vec kernels multiply them.
// decode_run is lib/run-i8's or lib/run-f32's.

// 16 consecutive weights: w = scale · q + minimum (MINIMUM: the type has minima at all).
struct Run {
  q: mat4x4<f32>,
  scale: f32,
  minimum: f32,
}

// Zero where a column is past the end of a row whose length is no multiple of 32 (only float types have such).
fn mask4(v: vec4<f32>, k: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(k, k + 1u, k + 2u, k + 3u) < vec4(params.k));
}

fn mask16(v: mat4x4<f32>, k: u32) -> mat4x4<f32> {
  return mat4x4<f32>(mask4(v[0], k), mask4(v[1], k + 4u), mask4(v[2], k + 8u), mask4(v[3], k + 12u));
}

// Half 0 or 1 of the unit at k, a multiple of 32, of the row that begins with element `element`.
fn run_at(base: u32, element: u32, k: u32, half: u32) -> Run {
  var run = decode_run(base, element, k, half);
  if (TAIL) { run.q = mask16(run.q, column_of(k, half)); }
  return run;
}

// Sums go quarter by quarter, as lib/products-quarters has them.
fn add_squares(sum: f32, v: mat4x4<f32>) -> f32 {
  return (((sum + dot(v[0], v[0])) + dot(v[1], v[1])) + dot(v[2], v[2])) + dot(v[3], v[3]);
}

fn sum4(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

fn sum16(v: mat4x4<f32>) -> f32 { return ((sum4(v[0]) + sum4(v[1])) + sum4(v[2])) + sum4(v[3]); }

// y and the products of a run with activations, but for the minimum.
fn add_dots(y: f32, scale: f32, q: mat4x4<f32>, v: mat4x4<f32>) -> f32 {
  return (((y + scale * dot(q[0], v[0])) + scale * dot(q[1], v[1])) + scale * dot(q[2], v[2])) + scale * dot(q[3], v[3]);
}
