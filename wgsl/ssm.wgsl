// needs: lib/step, lib/runs, lib/inputs, lib/activation
// ssm.wgsl: selective state space (Mamba 1 and 2). Row by row, for channel c of head h and group g of heads:
//   dt = softplus(dt[h] + bias[h]);  S[c] = S[c] · exp(dt · A) + dt · x[c] · B[g];  y[c] = S[c] · C[g] + D[h] · x[c]
// x, out [rows][heads · head_width]; dt [rows][heads]; b, c [rows][groups · STATE]; a [heads][STATE] if PER_STATE,
// else [heads]; d, bias [heads]. State of a sequence: [channels][STATE], zero at position 0.
// LANES threads share a channel and hold its state in registers, element lane + LANES · n each; sums of a row
// cross through workgroup memory, alternating between two halves, so that one barrier per row is enough.
// grid: (ceil(channels · LANES / WG), runs at most, 1)
struct Params {
  channels: u32,
  head_width: u32,
  heads_a_group: u32,
  out_offset: u32,
  out_stride: u32,
  state_offset: u32,
  state_size: u32,
  x: vec4<u32>,
  dt: vec4<u32>,
  b: vec4<u32>,
  c: vec4<u32>,
  a: vec4<u32>,
  d: vec4<u32>,
  bias: vec4<u32>,
}

const PER = STATE / LANES;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;
@group(1) @binding(6) var<storage, read_write> state: array<f32>;

var<workgroup> partials: array<f32, 2u * WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (group.y >= run_count()) { return; }
  let first = run_first(group.y);
  let end = row_run_end(first);
  let lane = thread % LANES;
  let wanted = (group.x * WG + thread) / LANES;
  let channel = min(wanted, params.channels - 1u);
  let head = channel / params.head_width;
  let run = (head / params.heads_a_group) * STATE;
  let base = params.state_offset + row_sequence(first) * params.state_size + channel * STATE + lane;
  let started = row_position(first) != 0u;
  let bias = load_or(params.bias, 0u, head, 0.0);
  let d = load_or(params.d, 0u, head, 0.0);

  var s: array<f32, PER>;
  var a: array<f32, PER>;
  for (var n = 0u; n < PER; n++) {
    s[n] = 0.0;
    if (started) { s[n] = state[base + LANES * n]; }
    if (PER_STATE) { a[n] = load(params.a, 0u, head * STATE + lane + LANES * n); }
    else { a[n] = load(params.a, 0u, head); }
  }
  for (var row = first; row < end; row++) {
    let dt = softplus(load(params.dt, row, head) + bias);
    let value = load(params.x, row, channel);
    var decay = exp(dt * a[0]);
    var sum = 0.0;
    for (var n = 0u; n < PER; n++) {
      let i = run + lane + LANES * n;
      if (PER_STATE) { decay = exp(dt * a[n]); }
      s[n] = s[n] * decay + dt * value * load(params.b, row, i);
      sum += s[n] * load(params.c, row, i);
    }
    if (LANES > 1u) {
      let half = (row & 1u) * WG;
      partials[half + thread] = sum;
      workgroupBarrier();
      sum = 0.0;
      for (var l = 0u; l < LANES; l++) { sum += partials[half + thread - lane + l]; }
    }
    if (lane == 0u && wanted < params.channels) {
      out[params.out_offset + row * params.out_stride + channel] = sum + d * value;
    }
  }
  if (wanted < params.channels) {
    for (var n = 0u; n < PER; n++) { state[base + LANES * n] = s[n]; }
  }
}
