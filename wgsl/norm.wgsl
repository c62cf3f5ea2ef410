// needs: lib/step, lib/none
// norm.wgsl: normalises each run of `group` elements of a row.
//   RMS_NORM:   x / sqrt(mean(x²) + eps) · weight
//   LAYER_NORM: (x − mean) / sqrt(mean((x − mean)²) + eps) · weight + bias
//   L2_NORM:    x / max(sqrt(Σ x²), eps)
//   (+ residual[row][i] when RESIDUAL)
// x, out [rows][stride] f32; small: weight and bias, f32 index or NONE; the weight has `group` entries, or one
// for each element of the row (weight_step = group).
// grid: (groups in a row, rows, 1), one workgroup of WG threads a run.
struct Params {
  group: u32,
  domain: u32,
  x_offset: u32,
  x_stride: u32,
  out_offset: u32,
  out_stride: u32,
  weight: u32,
  bias: u32,
  weight_step: u32,
  eps: f32,
  residual_offset: u32,
  residual_stride: u32,
}

const RMS_NORM = 0u;
const LAYER_NORM = 1u;
const L2_NORM = 2u;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> small: array<f32>;
@group(1) @binding(3) var<storage, read> residual: array<f32>; // x again when there is none
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> partials: array<f32, WG>;

fn reduce(thread: u32, value: f32) -> f32 {
  workgroupBarrier();
  partials[thread] = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < WG; i++) { sum += partials[i]; }
  return sum;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (id.y >= row_count(params.domain)) { return; }
  let source = params.x_offset + id.y * params.x_stride + id.x * params.group;
  let to = params.out_offset + id.y * params.out_stride + id.x * params.group;
  var mean = 0.0;
  if (KIND == LAYER_NORM) {
    var sum = 0.0;
    for (var i = thread; i < params.group; i += WG) { sum += x[source + i]; }
    mean = reduce(thread, sum) / f32(params.group);
  }
  var square = 0.0;
  for (var i = thread; i < params.group; i += WG) {
    let v = x[source + i] - mean;
    square += v * v;
  }
  square = reduce(thread, square);
  var inv = 1.0 / sqrt(square / f32(params.group) + params.eps);
  if (KIND == L2_NORM) { inv = 1.0 / max(sqrt(square), params.eps); }
  for (var i = thread; i < params.group; i += WG) {
    var y = (x[source + i] - mean) * inv;
    if (params.weight != NONE) { y *= small[params.weight + id.x * params.weight_step + i]; }
    if (params.bias != NONE) { y += small[params.bias + id.x * params.weight_step + i]; }
    if (RESIDUAL) { y += residual[params.residual_offset + id.y * params.residual_stride + id.x * params.group + i]; }
    out[to + i] = y;
  }
}
