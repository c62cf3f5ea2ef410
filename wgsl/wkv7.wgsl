// needs: lib/step, lib/runs, lib/inputs
// wkv7.wgsl: RWKV-7's time mixing. Row by row, for a head's S [WIDTH][WIDTH]:
//   S = S · diag(w) + (S · a) ⊗ b + v ⊗ k;  y = S · r
// Lines of S do not touch each other, and y = (S · diag(w)) · r + (S · a) (b · r) + v (k · r): one pass over the
// line gives all four sums.
// r, w, k, v, a, b, out [rows][channels], heads of WIDTH each. State of a sequence: [channels][WIDTH], zero at
// position 0.
// LANES threads share a line and hold it in registers, element lane + LANES · n each; sums of a row cross
// through workgroup memory, alternating between two halves, so that one barrier per row is enough.
// grid: (ceil(channels · LANES / WG), runs at most, 1)
struct Params {
  channels: u32,
  out_offset: u32,
  out_stride: u32,
  state_offset: u32,
  state_size: u32,
  r: vec4<u32>,
  w: vec4<u32>,
  k: vec4<u32>,
  v: vec4<u32>,
  a: vec4<u32>,
  b: vec4<u32>,
}

const PER = WIDTH / LANES;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;
@group(1) @binding(6) var<storage, read_write> state: array<f32>;

var<workgroup> partials: array<vec4<f32>, 2u * WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (group.y >= run_count()) { return; }
  let first = run_first(group.y);
  let end = row_run_end(first);
  let lane = thread % LANES;
  let wanted = (group.x * WG + thread) / LANES;
  let channel = min(wanted, params.channels - 1u);
  let head = channel - channel % WIDTH + lane;
  let base = params.state_offset + row_sequence(first) * params.state_size + channel * WIDTH + lane;
  let started = row_position(first) != 0u;

  var s: array<f32, PER>;
  var b: array<f32, PER>;
  var k: array<f32, PER>;
  for (var n = 0u; n < PER; n++) {
    s[n] = 0.0;
    if (started) { s[n] = state[base + LANES * n]; }
  }
  for (var row = first; row < end; row++) {
    let value = load(params.v, row, channel);
    var sums = vec4(0.0);
    for (var n = 0u; n < PER; n++) {
      let i = head + LANES * n;
      let r = load(params.r, row, i);
      b[n] = load(params.b, row, i);
      k[n] = load(params.k, row, i);
      let a = s[n] * load(params.a, row, i);
      s[n] = s[n] * load(params.w, row, i);
      sums += vec4(a, s[n] * r, b[n] * r, k[n] * r);
    }
    if (LANES > 1u) {
      let half = (row & 1u) * WG;
      partials[half + thread] = sums;
      workgroupBarrier();
      sums = vec4(0.0);
      for (var l = 0u; l < LANES; l++) { sums += partials[half + thread - lane + l]; }
    }
    for (var n = 0u; n < PER; n++) { s[n] += sums.x * b[n] + value * k[n]; }
    if (lane == 0u && wanted < params.channels) {
      out[params.out_offset + row * params.out_stride + channel] = sums.y + sums.x * sums.z + value * sums.w;
    }
  }
  if (wanted < params.channels) {
    for (var n = 0u; n < PER; n++) { state[base + LANES * n] = s[n]; }
  }
}
