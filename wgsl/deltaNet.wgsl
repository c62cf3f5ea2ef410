// needs: lib/step, lib/runs, lib/inputs
// deltaNet.wgsl: the gated delta rule. Row by row, for a head's S [KEY][value_width]:
//   S = S · exp(g);  u = beta · (v − Sᵀk);  S = S + k ⊗ u;  y = scale · Sᵀq
// Columns of S do not touch each other, and Sᵀq after the update is Sᵀq before it + u · (k · q): one pass over the
// column gives all three sums.
// q, k [rows][key_heads · KEY]; v, out [rows][heads · value_width]; beta [rows][heads]; g [rows][heads], or
// [rows][heads · KEY] if PER_CHANNEL. Head h reads key head h % key_heads if TILED, else h / (heads / key_heads).
// State of a sequence: [heads][KEY][value_width], zero at position 0.
// LANES threads share a column and hold it in registers, element lane + LANES · n each; sums of a row cross
// through workgroup memory, alternating between two halves, so that one barrier per row is enough.
// grid: (heads · ceil(value_width · LANES / WG), runs at most, 1)
struct Params {
  heads: u32,
  key_heads: u32,
  value_width: u32,
  out_offset: u32,
  out_stride: u32,
  state_offset: u32,
  state_size: u32,
  scale: f32,
  q: vec4<u32>,
  k: vec4<u32>,
  v: vec4<u32>,
  g: vec4<u32>,
  beta: vec4<u32>,
}

const PER = KEY / LANES;
const COLUMNS = WG / LANES;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;
@group(1) @binding(6) var<storage, read_write> state: array<f32>;

var<workgroup> partials: array<vec4<f32>, 2u * WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (group.y >= run_count()) { return; }
  let first = run_first(group.y);
  let end = row_run_end(first);
  let blocks = (params.value_width + COLUMNS - 1u) / COLUMNS;
  let head = group.x / blocks;
  // Neighbouring threads have neighbouring columns.
  let lane = thread / COLUMNS;
  let slot = thread % COLUMNS;
  let wanted = (group.x % blocks) * COLUMNS + slot;
  let column = min(wanted, params.value_width - 1u);
  var key_head = head / (params.heads / params.key_heads);
  if (TILED) { key_head = head % params.key_heads; }
  let base = params.state_offset + row_sequence(first) * params.state_size +
    (head * KEY + lane) * params.value_width + column;
  let step_width = LANES * params.value_width;
  let started = row_position(first) != 0u;

  var s: array<f32, PER>;
  var keys: array<f32, PER>;
  for (var n = 0u; n < PER; n++) {
    s[n] = 0.0;
    if (started) { s[n] = state[base + n * step_width]; }
  }
  for (var row = first; row < end; row++) {
    let beta = load(params.beta, row, head);
    let value = load(params.v, row, head * params.value_width + column);
    var decay = 1.0;
    if (!PER_CHANNEL) { decay = exp(load(params.g, row, head)); }
    var sums = vec3(0.0);
    for (var n = 0u; n < PER; n++) {
      let i = lane + LANES * n;
      if (PER_CHANNEL) { decay = exp(load(params.g, row, head * KEY + i)); }
      let k = load(params.k, row, key_head * KEY + i);
      let q = load(params.q, row, key_head * KEY + i);
      keys[n] = k;
      s[n] = s[n] * decay;
      sums += vec3(s[n] * k, s[n] * q, k * q);
    }
    if (LANES > 1u) {
      let half = (row & 1u) * WG;
      partials[half + thread] = vec4(sums, 0.0);
      workgroupBarrier();
      sums = vec3(0.0);
      for (var l = 0u; l < LANES; l++) { sums += partials[half + l * COLUMNS + slot].xyz; }
    }
    let u = beta * (value - sums.x);
    for (var n = 0u; n < PER; n++) { s[n] += keys[n] * u; }
    if (lane == 0u && wanted < params.value_width) {
      out[params.out_offset + row * params.out_stride + head * params.value_width + column] =
        params.scale * (sums.y + u * sums.z);
    }
  }
  if (wanted < params.value_width) {
    for (var n = 0u; n < PER; n++) { state[base + n * step_width] = s[n]; }
  }
}
