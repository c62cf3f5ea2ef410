// needs: lib/none, lib/activation
// lib/experts.wgsl: what moeMatvec and moeMatmul share: parameters, bindings, and the end of an output.
//
//   y[p, o] = (W[e, first + o] · x[p]) · scale[e] + bias[e · height + first + o]   for pair p = (row, choice) of expert e
//   GATED:  y[p, o] = act(gate) · up, both such sums; lanes x and y of the vec2s are the two matrices
//
// weights  blocks (src/kernels/layouts.ts) of a piece: rows [piece_firsts, + piece_rows) of all experts' rows  binding 1
// x        vec4; pair (row, choice) at row · x_stride + choice · x_choice                       binding 2
// small    biases and scales                                                                   binding 3
// route    moeMatvec: ids as f32 [rows][route_stride]; moeMatmul: the lists of moeGroup         binding 4
//          !ROUTED: nothing; choice c of every row is expert c (linear maps head by head)
// out      [rows][out_stride] f32, a run of `count` for each choice                            binding 5
// Outputs whose weights lie outside of the piece are left untouched: a split tensor is several dispatches.
struct Params {
  k: u32,
  count: u32, // outputs of a pair
  used: u32,
  domain: u32,
  x_offset: u32, // vec4
  x_stride: u32, // vec4
  x_choice: u32, // vec4; 0 = all choices read the same x
  out_offset: u32,
  out_stride: u32,
  route_offset: u32,
  route_stride: u32,
  max_tiles: u32,
  alpha: f32,
  limit: f32,
  heights: vec2<u32>, // rows of an expert
  firsts: vec2<u32>, // row of an expert that makes output 0
  bases: vec2<u32>, // word of the piece
  piece_firsts: vec2<u32>,
  piece_rows: vec2<u32>,
  biases: vec2<u32>, // float index in small, or NONE
  scales: vec2<u32>,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<Word>;
@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read> small: array<f32>;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;

// Row of the piece with the weights of output o; too large a number where another piece holds them.
fn piece_row(part: u32, expert: u32, o: u32) -> u32 {
  return expert * params.heights[part] + params.firsts[part] + o - params.piece_firsts[part];
}

// Whether the piece holds nothing of an expert.
fn elsewhere(expert: u32) -> bool {
  let first = expert * params.heights.x + params.firsts.x;
  return first + params.count <= params.piece_firsts.x || first >= params.piece_firsts.x + params.piece_rows.x;
}

// Zero where k is past the end of a row whose length is no multiple of 16 (only float types have such).
fn mask(v: vec4<f32>, k: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(k, k + 1u, k + 2u, k + 3u) < vec4(params.k));
}

fn complete(part: u32, expert: u32, o: u32, sum: f32) -> f32 {
  var y = sum;
  if (params.scales[part] != NONE) { y *= small[params.scales[part] + expert]; }
  if (params.biases[part] != NONE) {
    y += small[params.biases[part] + expert * params.heights[part] + params.firsts[part] + o];
  }
  return y;
}

fn finish(row: u32, choice: u32, expert: u32, o: u32, sums: vec2<f32>) {
  if (piece_row(0u, expert, o) >= params.piece_rows.x) { return; }
  var y = complete(0u, expert, o, sums.x);
  if (GATED) { y = gated(ACT, y, complete(1u, expert, o, sums.y), params.alpha, params.limit); }
  out[params.out_offset + row * params.out_stride + choice * params.count + o] = y;
}
