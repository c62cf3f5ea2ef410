// needs: lib/linear, lib/run
// lib/products-f32.wgsl: what matvec.wgsl adds up, 16 columns at a time, with activations of 32-bit floats.
// lib/products-quarters makes the same sums of four columns at a time.
//
// x  [rows][x_stride] f32 as vec4                                                binding 2
@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;

const STEPS = 1u;

alias Weights = Run;
alias Part = mat4x4<f32>;

// Of a row of x: g · x, and x.
struct Inputs {
  x: mat4x4<f32>,
  plain: mat4x4<f32>,
}

fn weights_at(base: u32, element: u32, k: u32, half: u32) -> Weights { return run_at(base, element, k, half); }

fn part_of(w: Weights, i: u32) -> Part { return w.q; }

// The norm's weights.
fn norm_at(k: u32, half: u32, i: u32) -> mat4x4<f32> {
  if (!NORM) { return mat4x4<f32>(); }
  let at = params.norm + (column_of(k, half) >> 2u);
  return mat4x4<f32>(small[at], small[at + 1u], small[at + 2u], small[at + 3u]);
}

fn inputs_at(row: u32, k: u32, half: u32, i: u32, g: mat4x4<f32>) -> Inputs {
  let column = column_of(k, half);
  let at = params.x_offset + row * params.x_stride + (column >> 2u);
  var v = mat4x4<f32>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
  if (TAIL) { v = mask16(v, column); }
  let plain = v;
  if (NORM) { v = mat4x4<f32>(v[0] * g[0], v[1] * g[1], v[2] * g[2], v[3] * g[3]); }
  return Inputs(v, plain);
}

// sum and Σ x².
fn add_square(sum: f32, v: Inputs) -> f32 { return add_squares(sum, v.plain); }

fn input_sum(v: Inputs) -> f32 { return sum16(v.x); }

fn add_product(y: f32, w: Weights, part: Part, v: Inputs) -> f32 { return add_dots(y, w.scale, part, v.x); }
