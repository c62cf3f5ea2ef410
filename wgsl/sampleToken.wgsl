// needs: lib/step, lib/topk, lib/philox, lib/divide
// sampleToken.wgsl: samples a row's token from the candidates of sampleRuns.wgsl, as the samplers of src/sample do:
// top-k, top-p, min-p, temperature; then, in descending order of logits (equal ones by id), the first token whose
// running sum of weights exp(logit − highest) exceeds u · (sum of all), u from the seed and the token's position.
// candidates [row] K × (key, id) for each run
// sampled    [0 … sequences) the last token of each sequence, then [output row] the result that is read back
// grid: (output rows, 1, 1), 64 threads
struct Params {
  width: u32,
  runs: u32,
  stride: u32,
  results: u32, // first result in `sampled`
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> candidates: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> sampled: array<u32>;

var<workgroup> found: array<vec2<u32>, LIMIT>; // the K largest of the row (key, id) in order of id
// The same in descending order.
var<workgroup> ids: array<u32, LIMIT>;
var<workgroup> logits: array<f32, LIMIT>;
var<workgroup> plain: array<f32, LIMIT>; // weights before the temperature
var<workgroup> weights: array<f32, LIMIT>; // and after it

fn key_at(i: u32) -> u32 { return candidates[i].x; }
fn put(place: u32, i: u32) { found[place] = candidates[i]; }

fn weight(logit: f32, highest: f32) -> f32 {
  let below = logit - highest;
  return select(exp(max(below, -100.0)), 0.0, below < -100.0);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (id.x >= row_count(1u)) { return; }
  let settings = sampling_of(id.x);
  let wanted = min(step[settings + SAMPLING_TOP_K], min(LIMIT, params.width));
  let in_last = min(wanted, params.width - (params.runs - 1u) * RUN);
  find_largest(thread, id.x * params.stride, (params.runs - 1u) * wanted + in_last, wanted);
  workgroupBarrier();
  let temperature = bitcast<f32>(step[settings + SAMPLING_TEMPERATURE]);
  for (var i = thread; i < wanted; i += 64u) {
    let key = found[i].x;
    var rank = 0u;
    var highest = 0u;
    for (var j = 0u; j < wanted; j++) {
      let other = found[j].x;
      rank += select(0u, 1u, other > key || (other == key && j < i));
      highest = max(highest, other);
    }
    let logit = key_float(key);
    let top = key_float(highest);
    ids[rank] = found[i].y;
    logits[rank] = logit;
    plain[rank] = weight(logit, top);
    weights[rank] = weight(divide(logit, temperature), divide(top, temperature));
  }
  workgroupBarrier();
  if (thread > 0u) { return; }
  var count = wanted;
  let p = bitcast<f32>(step[settings + SAMPLING_TOP_P]);
  if (p < 1.0) {
    var total = 0.0;
    for (var i = 0u; i < wanted; i++) { total += plain[i]; }
    // In units of 2⁻³¹, so that the sum is exact, as it nearly is in double precision.
    let needed = u32(max(p, 0.0) * 2147483648.0);
    var reached = 0u;
    count = 0u;
    loop {
      reached += u32(divide(plain[count], total) * 2147483648.0);
      count++;
      if (count == wanted || reached >= needed) { break; }
    }
  }
  let lowest = logits[0] + bitcast<f32>(step[settings + SAMPLING_LOG_MIN_P]);
  while (count > 1u && logits[count - 1u] < lowest) { count--; }
  let row = output_row(id.x);
  var sum = 0.0;
  for (var i = 0u; i < count; i++) { sum += weights[i]; }
  let seed = vec2(step[settings + SAMPLING_SEED_LOW], step[settings + SAMPLING_SEED_HIGH]);
  let bound = token_random(seed, row_position(row) + 1u) * sum;
  var token = ids[0];
  var running = 0.0;
  for (var i = 0u; i < count && running <= bound && weights[i] > 0.0; i++) {
    token = ids[i];
    running += weights[i];
  }
  // Several rows of one sequence may be sampled (verification); its last one counts.
  let sequence = row_sequence(row);
  var is_last = id.x + 1u >= row_count(1u);
  if (!is_last) { is_last = row_sequence(output_row(id.x + 1u)) != sequence; }
  if (is_last) { sampled[sequence] = token; }
  sampled[params.results + result_of(id.x)] = token;
}
