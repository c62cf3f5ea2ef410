// needs: lib/linear, lib/dot-i8, lib/pairs
// varies: quant/*
// lib/products-i8.wgsl: what matvec.wgsl adds up, 16 columns at a time, with activations of signed bytes:
//
//   w.scale · x.scale · (w.q · x.q) + w.minimum · x.scale · Σ x.q
//
// 16 weights have one scale and minimum, as decode_i8 of quant/<type>.wgsl gives them. The norm's weight is in
// x already, which carries its squares too.
// x  [rows][x_stride] as quantize.wgsl makes it                                  binding 2
@group(1) @binding(2) var<storage, read> x: array<vec4<u32>>;

const STEPS = 1u;

alias Weights = Int8Run;
alias Part = vec4<u32>;

// Of a row of x: the codes, their scale, scale · Σ q, and the sum of squares.
struct Inputs {
  q: vec4<u32>,
  scale: f32,
  sum: f32,
  square: f32,
}

fn weights_at(base: u32, element: u32, k: u32, half: u32) -> Weights {
  let at = unit_at(element, k, half);
  return decode_i8(base, at.x, at.y);
}

fn part_of(w: Weights, i: u32) -> Part { return w.q; }

fn norm_at(k: u32, half: u32, i: u32) -> u32 { return 0u; }

fn inputs_at(row: u32, k: u32, half: u32, i: u32, g: u32) -> Inputs {
  let column = column_of(k, half);
  let run = (column >> 4u) & 1u;
  let at = params.x_offset + row * params.x_stride + BLOCK * (column >> 5u);
  let packed = x[at + HEAD];
  let head = run_of(packed, run);
  // Both runs of a block carry the same squares.
  return Inputs(x[at + run], head.x, head.y, select(0.0, bitcast<f32>(packed.w), NORM && run == 0u));
}

fn add_square(sum: f32, v: Inputs) -> f32 { return sum + v.square; }

fn input_sum(v: Inputs) -> f32 { return v.sum; }

fn add_product(y: f32, w: Weights, part: Part, v: Inputs) -> f32 {
  return y + w.scale * (v.scale * f32(dot_i8(part, v.q)));
}
