// needs: lib/linear, lib/run
// lib/products-quarters.wgsl: lib/products-f32 for several rows of x, a quarter of a run at a time: weights stay packed until
// all rows of x are multiplied by four columns of them, so that few registers are live. The sums are the same.
//
// x  [rows][x_stride] f32 as vec4                                                binding 2
@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;

const STEPS = 4u;

alias Weights = Packed;
alias Part = vec4<f32>;

struct Inputs {
  x: vec4<f32>,
  plain: vec4<f32>,
}

fn weights_at(base: u32, element: u32, k: u32, half: u32) -> Weights { return packed_run(base, element, k, half); }

fn part_of(w: Weights, i: u32) -> Part { return quarter_of(w, i); }

// The norm's weights.
fn norm_at(k: u32, half: u32, i: u32) -> vec4<f32> {
  if (!NORM) { return vec4(1.0); }
  return small[params.norm + (column_of(k, half) >> 2u) + i];
}

fn inputs_at(row: u32, k: u32, half: u32, i: u32, g: vec4<f32>) -> Inputs {
  let column = column_of(k, half) + 4u * i;
  var v = x[params.x_offset + row * params.x_stride + (column >> 2u)];
  if (TAIL) { v = mask4(v, column); }
  let plain = v;
  if (NORM) { v *= g; }
  return Inputs(v, plain);
}

fn add_square(sum: f32, v: Inputs) -> f32 { return sum + dot(v.plain, v.plain); }

fn input_sum(v: Inputs) -> f32 { return sum4(v.x); }

fn add_product(y: f32, w: Weights, part: Part, v: Inputs) -> f32 { return y + w.scale * dot(part, v.x); }
