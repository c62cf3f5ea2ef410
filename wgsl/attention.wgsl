// attention.wgsl: one query row and head against its sequence's cache, a range of positions at a time
// (split-K flash attention: each split keeps its own maximum and sum; attentionReduce joins them).
//   s_j = cap(q·k_j · scale) + alibi · (j − p);   y = Σ_j softmax(s)_j · v_j   (a sink adds exp(sink) to the sum)
//
// q     [rows][q_stride] f32                                                        binding 1
// slab  rows of [keys | values]                                                     binding 2
// small sink logits, ALiBi slopes                                                   binding 3
// out   SPLITS = 1: [rows][out_stride] f32; else [row][head][split][4 + value width]:
//       maximum, sum, 0, 0, then the unnormalised sum of values                     binding 4
//
// A tile is WG · POSITIONS positions: a thread scores POSITIONS of them, so that what it loads of q serves as many
// times, then sums one vec4 column of the values over the tile. The split of a row depends on its own range only: the same for any number of rows.
// grid: (SPLITS, heads, rows), WG = 64 threads
struct Params {
  heads: u32,
  per_kv: u32, // query heads that share a key head
  key_width: u32,
  value_width: u32,
  domain: u32,
  q_offset: u32,
  q_stride: u32,
  out_offset: u32,
  out_stride: u32,
  row_words: u32,
  value_word: u32,
  window: u32, // 0 = none
  sinks: u32,
  slopes: u32,
  scale: f32,
  softcap: f32, // 0 = none
}

const NONE = 0xffffffffu;
const WG = 64u;
const TILE = WG * POSITIONS;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> slab: array<u32>;
@group(1) @binding(3) var<storage, read> small: array<f32>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> query: array<vec4<f32>, KEY4>;
var<workgroup> weight: array<f32, TILE>;
var<workgroup> partials: array<f32, WG>;
var<workgroup> eighth: array<f32, 8>;
var<workgroup> columns: array<vec4<f32>, WG>;

fn largest(thread: u32, value: f32) -> f32 {
  partials[thread] = value;
  workgroupBarrier();
  if (thread < 8u) {
    var m = partials[thread * 8u];
    for (var i = 1u; i < 8u; i++) { m = max(m, partials[thread * 8u + i]); }
    eighth[thread] = m;
  }
  workgroupBarrier();
  return max(max(max(eighth[0], eighth[1]), max(eighth[2], eighth[3])), max(max(eighth[4], eighth[5]), max(eighth[6], eighth[7])));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = id.z;
  if (row >= row_count(params.domain)) { return; }
  let head = id.y;
  let kv_head = head / params.per_kv;
  let sequence = row_sequence(row);
  let position = row_position(row);
  let range = attention_range(row, params.window);
  // Splits in whole multiples of 32 positions; late ones may be empty.
  let share = ((range.y - range.x + SPLITS * 32u - 1u) / (SPLITS * 32u)) * 32u;
  let begin = min(range.x + id.x * share, range.y);
  let end = min(begin + share, range.y);

  for (var i = thread; i < KEY4; i += WG) {
    query[i] = q[((params.q_offset + row * params.q_stride + head * params.key_width) >> 2u) + i];
  }
  workgroupBarrier();

  let lanes = params.value_width >> 2u;
  let used = min(lanes, WG);
  let stripes = WG / used; // threads that share a column, each taking every stripes-th position
  let lane = thread % used;
  let stripe = thread / used;
  var maximum = -1e30;
  var sum = 0.0;
  var values: array<vec4<f32>, VALUE_LANES>;

  for (var tile = begin; tile < end; tile += TILE) {
    var words: array<u32, POSITIONS>;
    var scores: array<f32, POSITIONS>;
    // Positions past the end repeat the last; their weight is 0.
    for (var n = 0u; n < POSITIONS; n++) {
      words[n] = slab_row(sequence, min(tile + n * WG + thread, end - 1u)) * params.row_words;
      scores[n] = 0.0; // not every driver zeroes again what a loop declares
    }
    for (var i = 0u; i < KEY4; i++) {
      let a = query[i];
      for (var n = 0u; n < POSITIONS; n++) {
        if (n == 0u || tile + n * WG < end) {
          scores[n] += dot(a, kv_load(K_KIND, words[n], kv_head * params.key_width + 4u * i));
        }
      }
    }
    var highest = -1e30;
    for (var n = 0u; n < POSITIONS; n++) {
      let j = tile + n * WG + thread;
      var score = scores[n] * params.scale;
      if (params.softcap > 0.0) { score = params.softcap * tanh(clamp(score / params.softcap, -15.0, 15.0)); }
      if (params.slopes != NONE) { score -= small[params.slopes + head] * abs(f32(position) - f32(j)); }
      scores[n] = select(-1e30, score, j < end);
      highest = max(highest, scores[n]);
    }
    let next = max(maximum, largest(thread, highest));
    let shrink = exp(maximum - next);
    maximum = next;
    var p = 0.0;
    for (var n = 0u; n < POSITIONS; n++) {
      let j = tile + n * WG + thread;
      let one = select(0.0, exp(scores[n] - next), j < end);
      weight[n * WG + thread] = one;
      p += one;
    }
    sum = sum * shrink + p;
    workgroupBarrier();
    let count = min(TILE, end - tile);
    for (var c = 0u; c < VALUE_LANES; c++) {
      let column = lane + c * WG;
      if (stripe < stripes && column < lanes) {
        var v = values[c] * shrink;
        for (var i = stripe; i < count; i += stripes) {
          let word = slab_row(sequence, tile + i) * params.row_words + params.value_word;
          v += weight[i] * kv_load(V_KIND, word, kv_head * VALUE_STEP + 4u * column);
        }
        values[c] = v;
      }
    }
    workgroupBarrier();
  }

  partials[thread] = sum;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < WG; i++) { total += partials[i]; }

  if (SPLITS == 1u && params.sinks != NONE) {
    let sink = small[params.sinks + head];
    let next = max(maximum, sink);
    total = total * exp(maximum - next) + exp(sink - next);
    for (var c = 0u; c < VALUE_LANES; c++) { values[c] *= exp(maximum - next); }
  }
  var to = params.out_offset + row * params.out_stride + head * params.value_width;
  if (SPLITS > 1u) {
    to = ((row * params.heads + head) * SPLITS + id.x) * (params.value_width + 4u);
    if (thread == 0u) {
      out[to] = maximum;
      out[to + 1u] = total;
    }
    to += 4u;
  }
  for (var c = 0u; c < VALUE_LANES; c++) {
    workgroupBarrier();
    columns[thread] = values[c];
    workgroupBarrier();
    let column = thread + c * WG;
    if (thread < used && column < lanes) {
      var v = vec4(0.0);
      for (var s = 0u; s < stripes; s++) { v += columns[s * used + thread]; }
      if (SPLITS == 1u) { v /= total; }
      for (var i = 0u; i < 4u; i++) { out[to + 4u * column + i] = v[i]; }
    }
  }
}
