// needs: lib/step, lib/none
// attentionReduce.wgsl: joins the splits of attention.wgsl.
//   M = max over splits (and the sink), y = Σ_s exp(m_s − M) · v_s / (Σ_s exp(m_s − M) · l_s + exp(sink − M))
// splits [row][head][SPLITS][4 + value width] f32; out [rows][out_stride] f32
// grid: (heads, rows, 1), 64 threads
struct Params {
  heads: u32,
  value_width: u32,
  out_offset: u32,
  out_stride: u32,
  sinks: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> splits: array<f32>;
@group(1) @binding(2) var<storage, read> small: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (id.y >= row_count(0u)) { return; }
  let stride = params.value_width + 4u;
  let source = (id.y * params.heads + id.x) * SPLITS * stride;
  var maximum = -1e30;
  if (params.sinks != NONE) { maximum = small[params.sinks + id.x]; }
  for (var s = 0u; s < SPLITS; s++) { maximum = max(maximum, splits[source + s * stride]); }
  var total = 0.0;
  if (params.sinks != NONE) { total = exp(small[params.sinks + id.x] - maximum); }
  for (var s = 0u; s < SPLITS; s++) { total += splits[source + s * stride + 1u] * exp(splits[source + s * stride] - maximum); }
  let to = params.out_offset + id.y * params.out_stride + id.x * params.value_width;
  for (var i = thread; i < params.value_width; i += 64u) {
    var sum = 0.0;
    for (var s = 0u; s < SPLITS; s++) { sum += splits[source + s * stride + 4u + i] * exp(splits[source + s * stride] - maximum); }
    out[to + i] = sum / total;
  }
}
