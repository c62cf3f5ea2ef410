// needs: lib/step, lib/divide
// samplePenalties.wgsl: lowers the logits of the tokens among a row's last ones, in place, as src/sample/penalties.ts
// does: a positive logit is divided by `repeat`, any other multiplied; then count · frequency + presence is subtracted.
// history [sequence][context] tokens; logits [rows][stride] f32
// grid: (output rows, 1, 1), 64 threads
struct Params {
  x_offset: u32,
  x_stride: u32,
  context: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> history: array<u32>;
@group(1) @binding(2) var<storage, read_write> logits: array<u32>; // as bits: no driver may change a NaN

var<workgroup> recent: array<u32, WINDOW>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (id.x >= row_count(1u)) { return; }
  let settings = sampling_of(id.x);
  let row = output_row(id.x);
  let end = row_position(row) + 1u;
  let window = min(step[settings + SAMPLING_LAST_N], min(end, WINDOW));
  let first = row_sequence(row) * params.context + end - window;
  for (var i = thread; i < window; i += 64u) { recent[i] = history[first + i]; }
  workgroupBarrier();
  let repeat = bitcast<f32>(step[settings + SAMPLING_REPEAT]);
  let frequency = bitcast<f32>(step[settings + SAMPLING_FREQUENCY]);
  let presence = bitcast<f32>(step[settings + SAMPLING_PRESENCE]);
  for (var i = thread; i < window; i += 64u) {
    let token = recent[i];
    // The first of equal tokens counts for all.
    var known = false;
    for (var j = 0u; j < i && !known; j++) { known = recent[j] == token; }
    // Given rows have no token.
    if (known || token == SAMPLED) { continue; }
    var count = 1.0;
    for (var j = i + 1u; j < window; j++) { count += select(0.0, 1.0, recent[j] == token); }
    let at = params.x_offset + id.x * params.x_stride + token;
    let bits = logits[at];
    if ((bits & 0x7f800000u) == 0x7f800000u) { continue; }
    let logit = bitcast<f32>(bits);
    var scaled = logit * repeat;
    if (logit > 0.0) { scaled = divide(logit, repeat); }
    logits[at] = bitcast<u32>(scaled - (count * frequency + presence));
  }
}
