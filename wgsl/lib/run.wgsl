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
fn mask16(v: mat4x4<f32>, k: u32) -> mat4x4<f32> {
  let end = vec4(params.k);
  let columns = vec4(k, k + 1u, k + 2u, k + 3u);
  let zero = vec4(0.0);
  return mat4x4<f32>(
    select(zero, v[0], columns < end),
    select(zero, v[1], columns + 4u < end),
    select(zero, v[2], columns + 8u < end),
    select(zero, v[3], columns + 12u < end),
  );
}

// Half 0 or 1 of the unit at k, a multiple of 32, of the row that begins with element `element`.
fn run_at(base: u32, element: u32, k: u32, half: u32) -> Run {
  var run = decode_run(base, element, k, half);
  if (TAIL) { run.q = mask16(run.q, column_of(k, half)); }
  return run;
}

fn dot16(a: mat4x4<f32>, b: mat4x4<f32>) -> f32 {
  return (dot(a[0], b[0]) + dot(a[1], b[1])) + (dot(a[2], b[2]) + dot(a[3], b[3]));
}

fn sum16(v: mat4x4<f32>) -> f32 { return dot((v[0] + v[1]) + (v[2] + v[3]), vec4(1.0)); }

// `sum` is sum16(x), which all rows of W share.
fn run_dot(run: Run, x: mat4x4<f32>, sum: f32) -> f32 {
  var y = run.scale * dot16(run.q, x);
  if (MINIMUM) { y += run.minimum * sum; }
  return y;
}
