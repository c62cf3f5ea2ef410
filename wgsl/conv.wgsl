// needs: lib/step, lib/runs, lib/inputs
// conv.wgsl: causal depthwise convolution over a sequence, y[t, c] = bias[c] + Σ_j w[c, j] · x[t − K + 1 + j, c].
// x, out [rows][stride] f32; weight [width][K], bias [width]; the state of a sequence at sequence · state_size +
// state_offset holds the K − 1 rows before the step, oldest first, [K − 1][width]; before position 0 all is zero.
// The thread of a run's first row also makes the next K − 2 rows, which need the state too, and moves it on: no
// other thread touches it.
// grid: (ceil(width / 64), rows, 1)
struct Params {
  width: u32,
  out_offset: u32,
  out_stride: u32,
  state_offset: u32,
  state_size: u32,
  x: vec4<u32>,
  weight: vec4<u32>,
  bias: vec4<u32>,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;
@group(1) @binding(6) var<storage, read_write> state: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let c = id.x;
  let row = id.y;
  if (row >= row_count(0u) || c >= params.width) { return; }
  let first = row_run_first(row);
  let bias = load_or(params.bias, 0u, c, 0.0);
  if (row >= first + K - 1u) {
    var y = bias;
    for (var j = 0u; j < K; j++) { y += load(params.weight, 0u, c * K + j) * load(params.x, row + 1u + j - K, c); }
    out[params.out_offset + row * params.out_stride + c] = y;
  }
  if (row != first) { return; }

  // Index s of `past` followed by the run's rows.
  var past: array<f32, K>;
  let count = row_run_end(row) - first;
  let base = params.state_offset + row_sequence(row) * params.state_size + c;
  let started = row_position(row) != 0u;
  for (var j = 0u; j + 1u < K; j++) {
    past[j] = 0.0;
    if (started) { past[j] = state[base + j * params.width]; }
  }
  for (var t = 0u; t < min(K - 1u, count); t++) {
    var y = bias;
    for (var j = 0u; j < K; j++) {
      var v = 0.0;
      if (t + j + 1u < K) { v = past[t + j]; } else { v = load(params.x, first + t + j + 1u - K, c); }
      y += load(params.weight, 0u, c * K + j) * v;
    }
    out[params.out_offset + (first + t) * params.out_stride + c] = y;
  }
  for (var j = 0u; j + 1u < K; j++) {
    let s = count + j;
    var v = 0.0;
    if (s + 1u < K) { v = past[s]; } else { v = load(params.x, first + s + 1u - K, c); }
    state[base + j * params.width] = v;
  }
}
