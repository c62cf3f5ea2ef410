// needs: lib/none, lib/activation
// varies: lib/residual, lib/no-residual
// lib/linear.wgsl: what the kernels for y = x · Wᵀ share: parameters, bindings but x, and what follows the sums.
//
//   y[r, o] = scale · inv · sum + bias[o] (+ residual[r, o]);  GATED: act(gate row o) · (up row o)
//
// Up to 4 segments (q, k, v; gate, up) stand behind each other in one weights binding; output o of
// segment s is row o − start of its tensor. Splits of a large tensor are dispatches with first > 0.
struct Params {
  k: u32,
  first: u32, // first output of this dispatch
  count: u32, // outputs of this dispatch
  domain: u32,
  x_offset: u32, // vec4
  x_stride: u32, // vec4
  out_offset: u32,
  out_stride: u32,
  residual_offset: u32,
  residual_stride: u32,
  norm: u32, // vec4 index in small
  eps: f32,
  scale: f32,
  alpha: f32,
  limit: f32,
  ends: vec4<u32>, // one past the last output of each segment
  bases: vec4<u32>, // word of the first row that the binding holds of each segment
  starts: vec4<u32>, // output that this row would make (modulo 2³²: it may lie before output 0)
  biases: vec4<u32>, // float index in small of this row's bias, or NONE
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<Word>;
@group(1) @binding(3) var<storage, read> small: array<vec4<f32>>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

fn segment_of(output: u32) -> u32 {
  return u32(output >= params.ends.x) + u32(output >= params.ends.y) + u32(output >= params.ends.z);
}

fn small_at(index: u32) -> f32 { return small[index >> 2u][index & 3u]; }

fn finish(row: u32, o: u32, sums: vec2<f32>, inv: f32) {
  let segment = segment_of(o);
  var y = sums.x * inv * params.scale;
  if (GATED) {
    var up = sums.y * inv * params.scale;
    if (params.biases.x != NONE) { y += small_at(params.biases.x + o - params.starts.x); }
    if (params.biases.y != NONE) { up += small_at(params.biases.y + o - params.starts.y); }
    y = gated(ACT, y, up, params.alpha, params.limit);
  } else if (params.biases[segment] != NONE) {
    y += small_at(params.biases[segment] + o - params.starts[segment]);
  }
  if (RESIDUAL) { y += residual_at(params.residual_offset + row * params.residual_stride + o); }
  out[params.out_offset + row * params.out_stride + o] = y;
}
