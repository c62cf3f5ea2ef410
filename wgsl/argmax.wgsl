// needs: lib/step
// argmax.wgsl: the largest logit of each run of RUN logits of a row; the first of equals wins.
// logits [rows][stride] f32; out [row][runs] (value, index as bits)
// grid: (runs, output rows, 1), 64 threads
struct Params {
  width: u32,
  x_offset: u32,
  x_stride: u32,
  runs: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> logits: array<f32>;
@group(1) @binding(2) var<storage, read_write> out: array<vec2<f32>>;

var<workgroup> value: array<f32, 64>;
var<workgroup> place: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (id.y >= row_count(1u)) { return; }
  let source = params.x_offset + id.y * params.x_stride;
  let end = min((id.x + 1u) * RUN, params.width);
  var best = -3.0e38;
  var at = id.x * RUN;
  for (var i = id.x * RUN + thread; i < end; i += 64u) {
    let v = logits[source + i];
    if (v > best) { best = v; at = i; }
  }
  value[thread] = best;
  place[thread] = at;
  workgroupBarrier();
  if (thread == 0u) {
    for (var i = 1u; i < 64u; i++) {
      if (value[i] > best || (value[i] == best && place[i] < at)) { best = value[i]; at = place[i]; }
    }
    out[id.y * params.runs + id.x] = vec2(best, bitcast<f32>(at));
  }
}
