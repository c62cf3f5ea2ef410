/** Generated from the .wgsl files by scripts/wgsl.ts: the shader texts by name. */
export const wgsl: Readonly<Record<string, string>> = {
  "argmax": `// argmax.wgsl: the largest logit of each run of RUN logits of a row; the first of equals wins.
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
`,
  "argmaxReduce": `// argmaxReduce.wgsl: the winner of a row's runs becomes the sequence's sampled token.
// runs    [row][runs] (value, index as bits)
// sampled [0 … sequences) the last token of each sequence, then [output row] the result that is read back
// grid: (output rows, 1, 1), one thread
struct Params {
  runs: u32,
  results: u32, // first result in \`sampled\`
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> runs: array<vec2<f32>>;
@group(1) @binding(2) var<storage, read_write> sampled: array<u32>;

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) id: vec3<u32>) {
  if (id.x >= row_count(1u)) { return; }
  var best = runs[id.x * params.runs];
  for (var i = 1u; i < params.runs; i++) {
    let other = runs[id.x * params.runs + i];
    if (other.x > best.x) { best = other; }
  }
  let token = bitcast<u32>(best.y);
  // Several rows of one sequence may be sampled (verification); its last one counts.
  let sequence = row_sequence(output_row(id.x));
  var is_last = id.x + 1u >= row_count(1u);
  if (!is_last) { is_last = row_sequence(output_row(id.x + 1u)) != sequence; }
  if (is_last) { sampled[sequence] = token; }
  sampled[params.results + step[3] + id.x] = token;
}
`,
  "attention": `// attention.wgsl: one query row and head against its sequence's cache, a range of positions at a time
// (split-K flash attention: each split keeps its own maximum and sum; attentionReduce joins them).
//   s_j = cap(q·k_j · scale) + alibi · (j − p);   y = Σ_j softmax(s)_j · v_j   (a sink adds exp(sink) to the sum)
//
// q     [rows][q_stride] f32                                                        binding 1
// slab  rows of [keys | values]                                                     binding 2
// small sink logits, ALiBi slopes                                                   binding 3
// out   SPLITS = 1: [rows][out_stride] f32; else [row][head][split][4 + value width]:
//       maximum, sum, 0, 0, then the unnormalised sum of values                     binding 4
//
// A tile is WG positions: a thread scores one of them, then sums one vec4 column of the values over the
// tile. The split of a row depends on its own range only: the same for any number of rows.
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

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> slab: array<u32>;
@group(1) @binding(3) var<storage, read> small: array<f32>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> query: array<vec4<f32>, KEY4>;
var<workgroup> weight: array<f32, WG>;
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

  for (var tile = begin; tile < end; tile += WG) {
    let j = tile + thread;
    var score = -1e30;
    if (j < end) {
      let word = slab_row(sequence, j) * params.row_words;
      var product = 0.0;
      for (var i = 0u; i < KEY4; i++) { product += dot(query[i], kv_load(K_KIND, word, kv_head * params.key_width + 4u * i)); }
      score = product * params.scale;
      if (params.softcap > 0.0) { score = params.softcap * tanh(clamp(score / params.softcap, -15.0, 15.0)); }
      if (params.slopes != NONE) { score -= small[params.slopes + head] * abs(f32(position) - f32(j)); }
    }
    let next = max(maximum, largest(thread, score));
    let shrink = exp(maximum - next);
    maximum = next;
    let p = select(0.0, exp(score - next), j < end);
    weight[thread] = p;
    sum = sum * shrink + p;
    workgroupBarrier();
    let count = min(WG, end - tile);
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
`,
  "attentionReduce": `// attentionReduce.wgsl: joins the splits of attention.wgsl.
//   M = max over splits (and the sink), y = Σ_s exp(m_s − M) · v_s / (Σ_s exp(m_s − M) · l_s + exp(sink − M))
// splits [row][head][SPLITS][4 + value width] f32; out [rows][out_stride] f32
// grid: (heads, rows, 1), 64 threads
struct Params {
  heads: u32,
  value_width: u32,
  domain: u32,
  out_offset: u32,
  out_stride: u32,
  sinks: u32,
}

const NONE = 0xffffffffu;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> splits: array<f32>;
@group(1) @binding(2) var<storage, read> small: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (id.y >= row_count(params.domain)) { return; }
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
`,
  "attentionTile": `// attentionTile.wgsl: attention of 8 consecutive rows and one head at a time, for prefill chunks. The same
// formula and bindings as attention.wgsl (out is [rows][out_stride]); each key and value that is read serves
// all rows of the tile.
//
// 32 positions at a time: a thread scores one position for 4 rows; then 8 threads a row find its maximum and
// weights; then a thread sums one vec4 column of the values for ROW_SHARE rows. Rows of a tile that belong to
// different sequences are done one run of rows after the other.
// grid: (ceil(rows / 8), heads, 1), 64 threads
struct Params {
  heads: u32,
  per_kv: u32,
  key_width: u32,
  value_width: u32,
  domain: u32,
  q_offset: u32,
  q_stride: u32,
  out_offset: u32,
  out_stride: u32,
  row_words: u32,
  value_word: u32,
  window: u32,
  sinks: u32,
  slopes: u32,
  scale: f32,
  softcap: f32,
}

const NONE = 0xffffffffu;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> slab: array<u32>;
@group(1) @binding(3) var<storage, read> small: array<f32>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> query: array<vec4<f32>, 8u * KEY4>;
var<workgroup> weight: array<f32, 256>; // [row][position]
var<workgroup> partials: array<f32, 64>; // [row][eighth]
var<workgroup> shrink: array<f32, 8>;
var<workgroup> begins: array<u32, 8>;
var<workgroup> ends: array<u32, 8>;

fn eighths_max(row: u32) -> f32 {
  let at = row * 8u;
  return max(max(max(partials[at], partials[at + 1u]), max(partials[at + 2u], partials[at + 3u])),
    max(max(partials[at + 4u], partials[at + 5u]), max(partials[at + 6u], partials[at + 7u])));
}

fn eighths_sum(row: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < 8u; i++) { sum += partials[row * 8u + i]; }
  return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let rows = row_count(params.domain);
  let tile_row = id.x * 8u;
  if (tile_row >= rows) { return; }
  let head = id.y;
  let kv_head = head / params.per_kv;
  let tile_end = min(tile_row + 8u, rows);

  let lanes = params.value_width >> 2u;
  let used = min(lanes, 64u);
  let share = thread / used; // which ROW_SHARE rows of the tile this thread sums values for
  let lane = thread % used;

  var first = tile_row;
  while (first < tile_end) {
    // Rows [first, last) of the tile are of one sequence; the others have an empty range.
    let sequence = row_sequence(first);
    var last = first + 1u;
    while (last < tile_end && row_sequence(last) == sequence) { last++; }
    var low = 0xffffffffu;
    var high = 0u;
    for (var r = first; r < last; r++) {
      let range = attention_range(r, params.window);
      low = min(low, range.x);
      high = max(high, range.y);
    }
    workgroupBarrier();
    if (thread < 8u) {
      let r = tile_row + thread;
      var range = vec2(0u, 0u);
      if (r >= first && r < last) { range = attention_range(r, params.window); }
      begins[thread] = range.x;
      ends[thread] = range.y;
    }
    for (var i = thread; i < 8u * KEY4; i += 64u) {
      let r = min(tile_row + i / KEY4, tile_end - 1u);
      query[i] = q[((params.q_offset + r * params.q_stride + head * params.key_width) >> 2u) + i % KEY4];
    }
    workgroupBarrier();

    // Of row thread / 8, known to all eight of its threads.
    var maximum = -1e30;
    var total = 0.0;
    var values: array<vec4<f32>, ROW_SHARE * VALUE_LANES>;

    for (var start = low; start < high; start += 32u) {
      let position = start + (thread & 31u);
      let four = (thread >> 5u) * 4u;
      var scores = vec4(0.0);
      if (position < high) {
        let word = slab_row(sequence, position) * params.row_words;
        for (var i = 0u; i < KEY4; i++) {
          let k = kv_load(K_KIND, word, kv_head * params.key_width + 4u * i);
          scores += vec4(dot(query[four * KEY4 + i], k), dot(query[(four + 1u) * KEY4 + i], k),
            dot(query[(four + 2u) * KEY4 + i], k), dot(query[(four + 3u) * KEY4 + i], k));
        }
      }
      for (var i = 0u; i < 4u; i++) {
        let r = four + i;
        var score = scores[i] * params.scale;
        if (params.softcap > 0.0) { score = params.softcap * tanh(clamp(score / params.softcap, -15.0, 15.0)); }
        if (params.slopes != NONE) {
          score -= small[params.slopes + head] * abs(f32(row_position(min(tile_row + r, tile_end - 1u))) - f32(position));
        }
        weight[r * 32u + (thread & 31u)] = select(-1e30, score, position >= begins[r] && position < ends[r]);
      }
      workgroupBarrier();
      let at = (thread >> 3u) * 32u + (thread & 7u) * 4u;
      partials[thread] = max(max(weight[at], weight[at + 1u]), max(weight[at + 2u], weight[at + 3u]));
      workgroupBarrier();
      let next = max(maximum, eighths_max(thread >> 3u));
      workgroupBarrier();
      var sum = 0.0;
      for (var i = 0u; i < 4u; i++) {
        let s = weight[at + i];
        let p = select(exp(s - next), 0.0, s <= -1e30);
        weight[at + i] = p;
        sum += p;
      }
      partials[thread] = sum;
      if ((thread & 7u) == 0u) { shrink[thread >> 3u] = exp(maximum - next); }
      total *= exp(maximum - next);
      maximum = next;
      workgroupBarrier();
      total += eighths_sum(thread >> 3u);
      let count = min(32u, high - start);
      for (var c = 0u; c < VALUE_LANES; c++) {
        let column = lane + c * 64u;
        if (column < lanes && share * ROW_SHARE < 8u) {
          for (var r = 0u; r < ROW_SHARE; r++) { values[r * VALUE_LANES + c] *= shrink[min(share * ROW_SHARE + r, 7u)]; }
          for (var i = 0u; i < count; i++) {
            let word = slab_row(sequence, start + i) * params.row_words + params.value_word;
            let v = kv_load(V_KIND, word, kv_head * VALUE_STEP + 4u * column);
            for (var r = 0u; r < ROW_SHARE; r++) {
              values[r * VALUE_LANES + c] += weight[min(share * ROW_SHARE + r, 7u) * 32u + i] * v;
            }
          }
        }
      }
      workgroupBarrier();
    }

    // Totals and sinks by row, through workgroup memory to the threads that hold the values.
    if ((thread & 7u) == 0u) {
      var factor = 1.0;
      if (params.sinks != NONE) {
        let sink = small[params.sinks + head];
        let next = max(maximum, sink);
        factor = exp(maximum - next);
        total = total * factor + exp(sink - next);
      }
      shrink[thread >> 3u] = factor / total;
    }
    workgroupBarrier();
    for (var c = 0u; c < VALUE_LANES; c++) {
      let column = lane + c * 64u;
      if (column < lanes && share * ROW_SHARE < 8u) {
        for (var r = 0u; r < ROW_SHARE; r++) {
          let row = tile_row + share * ROW_SHARE + r;
          if (row >= first && row < last) {
            let to = params.out_offset + row * params.out_stride + head * params.value_width + 4u * column;
            let v = values[r * VALUE_LANES + c] * shrink[share * ROW_SHARE + r];
            for (var i = 0u; i < 4u; i++) { out[to + i] = v[i]; }
          }
        }
      }
    }
    first = last;
  }
}
`,
  "conv": `// needs: lib/runs, lib/inputs
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
  pad0: u32,
  pad1: u32,
  pad2: u32,
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

  // Index s of \`past\` followed by the run's rows.
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
`,
  "copy": `// copy.wgsl: moves runs of a row: slices, parts of a concatenation, and the choice of output rows.
//   out[r][out_offset + g · out_run + i] = x[row][x_offset + g · x_run + i],  i < width, g < groups
//   row = r, or the r-th row whose output is wanted (SELECT)
// grid: (ceil(groups · width / 64), rows, 1)
struct Params {
  width: u32,
  groups: u32,
  domain: u32,
  x_offset: u32,
  x_stride: u32,
  x_run: u32,
  out_offset: u32,
  out_stride: u32,
  out_run: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.y >= row_count(params.domain) || id.x >= params.width * params.groups) { return; }
  let group = id.x / params.width;
  let i = id.x % params.width;
  var row = id.y;
  if (SELECT) { row = output_row(id.y); }
  out[params.out_offset + id.y * params.out_stride + group * params.out_run + i] =
    x[params.x_offset + row * params.x_stride + group * params.x_run + i];
}
`,
  "deltaNet": `// needs: lib/runs, lib/inputs
// deltaNet.wgsl: the gated delta rule. Row by row, for a head's S [KEY][value_width]:
//   S = S · exp(g);  u = beta · (v − Sᵀk);  S = S + k ⊗ u;  y = scale · Sᵀq
// Columns of S do not touch each other, and Sᵀq after the update is Sᵀq before it + u · (k · q): one pass over the
// column gives all three sums.
// q, k [rows][key_heads · KEY]; v, out [rows][heads · value_width]; beta [rows][heads]; g [rows][heads], or
// [rows][heads · KEY] if PER_CHANNEL. Head h reads key head h % key_heads if TILED, else h / (heads / key_heads).
// State of a sequence: [heads][KEY][value_width], zero at position 0.
// LANES threads share a column and hold it in registers, element lane + LANES · n each; sums of a row cross
// through workgroup memory, two halves in turn, so that one barrier a row is enough.
// grid: (heads · ceil(value_width · LANES / WG), runs at the most, 1)
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
`,
  "dequant": `// needs: lib/store_run
// Dequantises a run of elements of one tensor to f32: out[i] = weight(first + i) for i < count.
// Used by the tests of the quant snippets and by what needs a small tensor as plain floats.
//
// group(1): 0 params, 1 weights (raw GGUF blocks), 2 out; group(2): lookup tables, for the types that have any.
// One thread for 16 elements, 64 threads a workgroup: grid (x, y) with x * y * 1024 >= count.

struct Params {
  // Word of \`weights\` where the tensor starts.
  base: u32,
  // First element; a multiple of 16 for block types.
  first: u32,
  count: u32,
  // Word of \`out\` that receives the first element.
  outFirst: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let start = ((group.y * groups.x + group.x) * 64u + thread) * 16u;
  if (start >= params.count) {
    return;
  }
  let values = decode(params.base, params.first + start);
  store_run(params.outFirst + start, values, params.count - start);
}
`,
  "dot": `// dot.wgsl: out[r, g] = Σ_i a[r, g · group + i] · b[r, g · group + i] over i < group
// a, b [rows][stride] f32; out [rows][out_stride] f32, \`count\` runs
// grid: (ceil(count / 64), rows, 1), one thread a run: runs are a head long and there are few of them
struct Params {
  count: u32,
  group: u32,
  domain: u32,
  a_offset: u32,
  a_stride: u32,
  b_offset: u32,
  b_stride: u32,
  out_offset: u32,
  out_stride: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> a: array<f32>;
@group(1) @binding(2) var<storage, read> b: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.y >= row_count(params.domain) || id.x >= params.count) { return; }
  let at_a = params.a_offset + id.y * params.a_stride + id.x * params.group;
  let at_b = params.b_offset + id.y * params.b_stride + id.x * params.group;
  var sum = 0.0;
  for (var i = 0u; i < params.group; i++) { sum += a[at_a + i] * b[at_b + i]; }
  out[params.out_offset + id.y * params.out_stride + id.x] = sum;
}
`,
  "elementwise": `// elementwise.wgsl: out[r, i] = f(a[r, i], b[r or 0, (i / repeat) % period])
//   kind 0 a + b   1 a · b   2 a · c.x + c.y   3 clamp(a, c.x, c.y)   4 act(a)   5 c.x · tanh(a / c.x)
//        6 gated(a, b) with alpha c.x, limit c.y   7 a · (ln(floor((p + c.z) / c.x) + 1) · c.y + 1), p = position
//        8 xIELU with alphaN c.x, alphaP c.y, beta c.z, eps c.w
// a, out [rows][stride] f32; b likewise, or a weight vector (b_stride = 0)
// grid: (ceil(width / 64), rows, 1)
struct Params {
  width: u32,
  domain: u32,
  a_offset: u32,
  a_stride: u32,
  b_offset: u32,
  b_stride: u32,
  out_offset: u32,
  out_stride: u32,
  repeat: u32,
  period: u32,
  kind: u32,
  act: u32, // number of the activation, where there is one
  c: vec4<f32>,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> a: array<f32>;
@group(1) @binding(2) var<storage, read> b: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  let row = id.y;
  if (row >= row_count(params.domain) || i >= params.width) { return; }
  let va = a[params.a_offset + row * params.a_stride + i];
  let vb = b[params.b_offset + row * params.b_stride + (i / params.repeat) % params.period];
  let c = params.c;
  var y = va;
  switch (params.kind) {
    case 0u: { y = va + vb; }
    case 1u: { y = va * vb; }
    case 2u: { y = va * c.x + c.y; }
    case 3u: { y = clamp(va, c.x, c.y); }
    case 4u: { y = activate(params.act, va); }
    case 5u: { y = c.x * safe_tanh(va / c.x); }
    case 6u: { y = gated(params.act, va, vb, c.x, c.y); }
    case 7u: { y = va * (log(floor((f32(row_position(row)) + c.z) / c.x) + 1.0) * c.y + 1.0); }
    default: {
      let n = min(va, c.w);
      y = select((exp(n) - 1.0 - va) * c.x + c.z * va, c.y * va * va + c.z * va, va > 0.0);
    }
  }
  out[params.out_offset + row * params.out_stride + i] = y;
}
`,
  "embed": `// needs: lib/step, lib/store_run
// Embedding gather: out[row][c] = table[index(row) + offset][c] for c < width, where the index is
// the row's token, its position, or 0. The table has rows of \`rowElements\` weights of any quant type.
// The binding may hold a range of the table's rows only (a table split over several buffers): output rows
// whose index lies outside are left untouched, so that one dispatch a piece fills them all.
//
// group(1): 0 params, 1 weights, 2 out (rows of outStride floats), 3 sampled (a token a sequence);
//   group(2): lookup tables, for the types that have any.
// One thread for 16 columns, 64 threads a workgroup: grid (ceil(width / 1024), rows).

struct Params {
  width: u32,
  // Word of \`weights\` where the held rows start.
  base: u32,
  // Table rows held by the binding.
  firstRow: u32,
  rowCount: u32,
  rowElements: u32,
  outStride: u32,
  // 0: by token, 1: by position, 2: always row 0.
  by: u32,
  // Added to the index.
  offset: u32,
  outOffset: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;
@group(1) @binding(3) var<storage, read> sampled: array<u32>;

fn table_row(row: u32) -> u32 {
  if (params.by == 2u) {
    return 0u;
  }
  if (params.by == 1u) {
    return row_position(row);
  }
  let token = row_token(row);
  if (token == SAMPLED) {
    return sampled[row_sequence(row)];
  }
  return token;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = group.y;
  let column = (group.x * 64u + thread) * 16u;
  if (row >= row_count(0u) || column >= params.width) {
    return;
  }
  // Below firstRow the difference wraps to a number that is too large as well.
  let index = table_row(row) + params.offset - params.firstRow;
  if (index >= params.rowCount) {
    return;
  }
  let values = decode(params.base, index * params.rowElements + column);
  store_run(params.outOffset + row * params.outStride + column, values, params.width - column);
}
`,
  "lib/activation": `// lib/activation.wgsl: element-wise functions by number (the order of src/kernels/activation.ts).
// Where the number is a constant the switch folds away. tanh is clamped: some drivers give NaN from 89 on.
fn safe_tanh(x: f32) -> f32 { return tanh(clamp(x, -15.0, 15.0)); }

// Abramowitz and Stegun 7.1.26 is too coarse (1.5e-7 absolute, poor near 0); this is the series of
// erf near 0 and the continued form of Numerical Recipes' erfc (relative error 1.2e-7) elsewhere.
fn erf(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.5) {
    let s = x * x;
    return x * (1.1283791671 + s * (-0.3761263890 + s * (0.1128379167 + s * (-0.0268661706 +
      s * (0.0052239776 + s * -0.0008548327)))));
  }
  let t = 1.0 / (1.0 + 0.5 * a);
  let p = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 +
    t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let c = t * exp(-a * a + p);
  return select(c - 1.0, 1.0 - c, x >= 0.0);
}

fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(clamp(-x, -80.0, 80.0))); }

fn softplus(x: f32) -> f32 { return select(log(1.0 + exp(min(x, 20.0))), x, x > 20.0); }

fn activate(kind: u32, x: f32) -> f32 {
  switch (kind) {
    case 0u: { return x * sigmoid(x); }
    case 1u: { return 0.5 * x * (1.0 + safe_tanh(0.7978845608028654 * x * (1.0 + 0.044715 * x * x))); }
    case 2u: { return 0.5 * x * (1.0 + erf(x * 0.7071067811865476)); }
    case 3u: { return x * sigmoid(1.702 * x); }
    case 4u: { return max(x, 0.0); }
    case 5u: { let r = max(x, 0.0); return r * r; }
    case 6u: { return sigmoid(x); }
    case 7u: { return safe_tanh(x); }
    case 8u: { return softplus(x); }
    case 9u: { return exp(x); }
    case 10u: { return -exp(x); }
    default: { return x; }
  }
}

// kind 12 = swigluOai: gate ≤ limit, |up| ≤ limit, gate · σ(alpha · gate) · (up + 1).
fn gated(kind: u32, gate: f32, up: f32, alpha: f32, limit: f32) -> f32 {
  if (kind == 12u) {
    let g = min(gate, limit);
    return g * sigmoid(alpha * g) * (clamp(up, -limit, limit) + 1.0);
  }
  return activate(kind, gate) * up;
}
`,
  "lib/attention_range": `// lib/attention_range.wgsl: the positions [x, y) that a row attends to.
// The record's word 4 is the end: position + 1, or the sequence's length where rows attend both ways.
//   WINDOW 0 sliding: the last \`window\` positions    1 chunked: its own chunk of \`window\`
//          2 symmetric: window / 2 to each side
fn attention_range(row: u32, window: u32) -> vec2<u32> {
  let position = row_position(row);
  let end = step[20u + 8u * row];
  if (window == 0u) { return vec2(0u, end); }
  if (WINDOW == 0u) { return vec2(select(0u, position + 1u - window, position + 1u > window), end); }
  if (WINDOW == 1u) { return vec2((position / max(window, 1u)) * window, end); }
  let side = window / 2u;
  return vec2(select(0u, position - side, position > side), min(end, position + side + 1u));
}
`,
  "lib/bytes": `// Bytes, halves and unaligned words of \`weights: array<u32>\`, which the kernel declares. GGUF is
// little-endian. An address is a word \`base\` (start of a tensor) and a byte offset \`byte\` from there,
// so that a binding may be larger than a 32-bit count of bits, and up to 4 GiB.

fn load_u8(base: u32, byte: u32) -> u32 {
  return (weights[base + (byte >> 2u)] >> ((byte & 3u) << 3u)) & 0xffu;
}

// \`byte\` is a multiple of 2.
fn load_u16(base: u32, byte: u32) -> u32 {
  return (weights[base + (byte >> 2u)] >> ((byte & 2u) << 3u)) & 0xffffu;
}

// The f16 at \`byte\`, a multiple of 2. unpack2x16float is exact, subnormals included.
fn load_f16(base: u32, byte: u32) -> f32 {
  return unpack2x16float(load_u16(base, byte)).x;
}

// low and high are neighbours in memory: the word that starts \`shift\` bits (0..31) into low.
// The left shift is done in two, because a shift by 32 is a shift by 0.
fn straddle(low: vec4<u32>, high: vec4<u32>, shift: u32) -> vec4<u32> {
  return (low >> vec4(shift)) | ((high << vec4(1u)) << vec4(31u - shift));
}

// The word at any \`byte\`. Reads the next word too, which may lie behind the tensor.
fn load_u32(base: u32, byte: u32) -> u32 {
  let at = base + (byte >> 2u);
  let shift = (byte & 3u) << 3u;
  return (weights[at] >> shift) | ((weights[at + 1u] << 1u) << (31u - shift));
}

// Two words at any \`byte\`, by three loads.
fn load_u32x2(base: u32, byte: u32) -> vec2<u32> {
  let at = base + (byte >> 2u);
  let shift = (byte & 3u) << 3u;
  let low = vec2(weights[at], weights[at + 1u]);
  let high = vec2(low.y, weights[at + 2u]);
  return (low >> vec2(shift)) | ((high << vec2(1u)) << vec2(31u - shift));
}

// Four words (16 bytes) at any \`byte\`, by five loads.
fn load_u32x4(base: u32, byte: u32) -> vec4<u32> {
  let at = base + (byte >> 2u);
  let low = vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
  return straddle(low, vec4(low.yzw, weights[at + 4u]), (byte & 3u) << 3u);
}

// Four words (16 bytes) at a word address.
fn load_aligned_u32x4(at: u32) -> vec4<u32> {
  return vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
}

// The four bytes of a word as floats, lowest first. Done with shifts, because unpack4xU8 is an
// optional part of WGSL.
fn bytes_u8(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(0xffu));
}

// The same for signed bytes.
fn bytes_i8(word: u32) -> vec4<f32> {
  return vec4<f32>(vec4<i32>(vec4(word) << vec4(24u, 16u, 8u, 0u)) >> vec4(24u));
}

// The low nibble of each byte of four words, after a shift by 0 or 4.
fn nibbles(words: vec4<u32>, shift: u32) -> vec4<u32> {
  return (words >> vec4(shift)) & vec4(0x0f0f0f0fu);
}

// Bit i of the low 16 becomes byte i (0 or 1) of the four words. The product puts four copies of four
// bits 7 apart, so that bit i of the group lands on bit 8 * i.
fn spread_bits(bits: u32) -> vec4<u32> {
  let groups = (vec4(bits) >> vec4(0u, 4u, 8u, 12u)) & vec4(15u);
  return (groups * 0x00204081u) & vec4(0x01010101u);
}

// Each byte (0..127) less n (0..127), as signed bytes. The top bits keep borrows inside their bytes.
fn subtract_bytes(words: vec4<u32>, n: u32) -> vec4<u32> {
  let top = vec4(0x80808080u);
  return ((words | top) - vec4(n * 0x01010101u)) ^ top;
}

// scale * byte of 16 signed bytes.
fn scaled_i8(bytes: vec4<u32>, scale: f32) -> mat4x4<f32> {
  return mat4x4<f32>(
    scale * bytes_i8(bytes.x),
    scale * bytes_i8(bytes.y),
    scale * bytes_i8(bytes.z),
    scale * bytes_i8(bytes.w),
  );
}

// scale * byte + minimum of 16 unsigned bytes.
fn affine_u8(bytes: vec4<u32>, scale: f32, minimum: f32) -> mat4x4<f32> {
  return mat4x4<f32>(
    scale * bytes_u8(bytes.x) + minimum,
    scale * bytes_u8(bytes.y) + minimum,
    scale * bytes_u8(bytes.z) + minimum,
    scale * bytes_u8(bytes.w) + minimum,
  );
}
`,
  "lib/cache": `// lib/cache.wgsl: where a position of a sequence stands in a key/value slab.
// A slab is rows of [key of all heads | value of all heads]. RING = 0: pages of PAGE rows, found through the
// page table; RING > 0: a window of RING rows a sequence, used round and round.
fn slab_row(sequence: u32, position: u32) -> u32 {
  if (RING > 0u) { return sequence * RING + position % max(RING, 1u); }
  return pages[sequence * MAX_PAGES + position / PAGE] * PAGE + position % PAGE;
}
`,
  "lib/dot_i8": `// Activations as quantize.wgsl leaves them: three vec4 for 32, in two runs of 16 with x = scale · q.
//   0, 1  16 signed bytes each: q of either run
//   2     x, y  scale of either run, f32
//         z     Σ q of either run as two signed 16-bit numbers, the first one low
//         w     the sum of squares of what was quantised, before a norm's weight, f32
const BLOCK = 3u;
const HEAD = 2u;

// Scale and scale · Σ q of a run (0 or 1).
fn run_of(head: vec4<u32>, run: u32) -> vec2<f32> {
  let scale = bitcast<f32>(select(head.x, head.y, run == 1u));
  let sum = bitcast<i32>(head.z << (16u - 16u * run)) >> 16u;
  return vec2(scale, scale * f32(sum));
}

// The product of 16 weights and 16 activations, all signed bytes; at most 2¹⁸ in size.
fn dot_i8(a: vec4<u32>, b: vec4<u32>) -> i32 {
  return (dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y)) + (dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w));
}
`,
  "lib/experts": `// lib/experts.wgsl: what moeMatvec and moeMatmul share: parameters, bindings, and the end of an output.
//
//   y[p, o] = (W[e, first + o] · x[p]) · scale[e] + bias[e · height + first + o]   for pair p = (row, choice) of expert e
//   GATED:  y[p, o] = act(gate) · up, both such sums; lanes x and y of the vec2s are the two matrices
//
// weights  raw GGUF blocks of a piece: rows [piece_firsts, + piece_rows) of all experts' rows  binding 1
// x        vec4; pair (row, choice) at row · x_stride + choice · x_choice                       binding 2
// small    biases and scales                                                                   binding 3
// route    moeMatvec: ids as f32 [rows][route_stride]; moeMatmul: the lists of moeGroup         binding 4
//          !ROUTED: nothing; choice c of every row is expert c (linear maps head by head)
// out      [rows][out_stride] f32, a run of \`count\` for each choice                            binding 5
// Outputs whose weights lie outside of the piece are left untouched: a split tensor is several dispatches.
struct Params {
  k: u32,
  count: u32, // outputs of a pair
  used: u32,
  domain: u32,
  x_offset: u32, // vec4
  x_stride: u32, // vec4
  x_choice: u32, // vec4; 0 = all choices read the same x
  out_offset: u32,
  out_stride: u32,
  route_offset: u32,
  route_stride: u32,
  max_tiles: u32,
  alpha: f32,
  limit: f32,
  heights: vec2<u32>, // rows of an expert
  firsts: vec2<u32>, // row of an expert that makes output 0
  bases: vec2<u32>, // word of the piece
  piece_firsts: vec2<u32>,
  piece_rows: vec2<u32>,
  biases: vec2<u32>, // float index in small, or NONE
  scales: vec2<u32>,
}

const NONE = 0xffffffffu;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<u32>;
@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read> small: array<f32>;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;

// Row of the piece with the weights of output o; too large a number where another piece holds them.
fn piece_row(part: u32, expert: u32, o: u32) -> u32 {
  return expert * params.heights[part] + params.firsts[part] + o - params.piece_firsts[part];
}

// Whether the piece holds nothing of an expert.
fn elsewhere(expert: u32) -> bool {
  let first = expert * params.heights.x + params.firsts.x;
  return first + params.count <= params.piece_firsts.x || first >= params.piece_firsts.x + params.piece_rows.x;
}

// Zero where k is past the end of a row whose length is no multiple of 16 (only float types have such).
fn mask(v: vec4<f32>, k: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(k, k + 1u, k + 2u, k + 3u) < vec4(params.k));
}

fn complete(part: u32, expert: u32, o: u32, sum: f32) -> f32 {
  var y = sum;
  if (params.scales[part] != NONE) { y *= small[params.scales[part] + expert]; }
  if (params.biases[part] != NONE) {
    y += small[params.biases[part] + expert * params.heights[part] + params.firsts[part] + o];
  }
  return y;
}

fn finish(row: u32, choice: u32, expert: u32, o: u32, sums: vec2<f32>) {
  if (piece_row(0u, expert, o) >= params.piece_rows.x) { return; }
  var y = complete(0u, expert, o, sums.x);
  if (GATED) { y = gated(ACT, y, complete(1u, expert, o, sums.y), params.alpha, params.limit); }
  out[params.out_offset + row * params.out_stride + choice * params.count + o] = y;
}
`,
  "lib/fp4": `// The 4-bit floats (e2m1) of MXFP4 and NVFP4, times two: sign bit, then 0 1 2 3 4 6 8 12. There is no -0.

// The values of the four nibbles that stand alone in the bytes of a word.
fn fp4_values(codes: u32) -> vec4<i32> {
  let code = vec4(codes) >> vec4(0u, 8u, 16u, 24u);
  let size = vec4<i32>((vec4(0xc8643210u) >> ((code & vec4(7u)) << vec4(2u))) & vec4(15u));
  return select(size, -size, (code & vec4(8u)) != vec4(0u));
}

fn fp4_floats(codes: u32) -> vec4<f32> {
  return vec4<f32>(fp4_values(codes));
}

// The same as four signed bytes.
fn fp4_bytes(codes: u32) -> u32 {
  let bytes = (bitcast<vec4<u32>>(fp4_values(codes)) & vec4(0xffu)) << vec4(0u, 8u, 16u, 24u);
  return (bytes.x | bytes.y) | (bytes.z | bytes.w);
}
`,
  "lib/grids": `// needs: lib/tables, lib/bytes
// The IQ types store indices of codebook entries, 8 or 4 small values each, and signs. The entries are bytes
// in the lookup tables; the linker puts the words at which they start (src/gguf/tables.ts) in front as TABLE_*.

// An entry of 8 bytes.
fn grid8(table: u32, index: u32) -> vec2<u32> {
  let at = table + 2u * index;
  return vec2(tables[at], tables[at + 1u]);
}

// An entry of 4 bytes.
fn grid4(table: u32, index: u32) -> u32 {
  return tables[table + index];
}

// Signs of 8 weights from 7 bits: the eighth makes the number of minus signs even.
fn even_signs(bits: u32) -> u32 {
  let seven = bits & 127u;
  return seven | ((countOneBits(seven) & 1u) << 7u);
}

// The four bytes of an entry times scale, negative where the bit of \`signs\` is set.
fn signed_entry(entry: u32, signs: u32, scale: f32) -> vec4<f32> {
  let flips = (vec4(signs) << vec4(31u, 30u, 29u, 28u)) & vec4(0x80000000u);
  return bitcast<vec4<f32>>(vec4(bitcast<u32>(scale)) ^ flips) * bytes_u8(entry);
}
`,
  "lib/halves": `// 16 consecutive 16-bit elements of \`weights: array<u32>\`, which the kernel declares, as eight words.

// Rows of odd length make a run start in the middle of a word: the branch is the same for the whole
// row and never taken otherwise.
fn load_halves(base: u32, element: u32) -> array<vec4<u32>, 2> {
  let at = base + (element >> 1u);
  let a = vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
  let b = vec4(weights[at + 4u], weights[at + 5u], weights[at + 6u], weights[at + 7u]);
  if ((element & 1u) == 0u) {
    return array<vec4<u32>, 2>(a, b);
  }
  return array<vec4<u32>, 2>(
    (a >> vec4(16u)) | (vec4(a.yzw, b.x) << vec4(16u)),
    (b >> vec4(16u)) | (vec4(b.yzw, weights[at + 8u]) << vec4(16u)),
  );
}
`,
  "lib/inputs": `// lib/inputs.wgsl: the inputs of ops that read many values. Each value stands in one of up to four buffers (two
// values are often in the same one); a source is (buffer, offset, stride, 1), or (…, 0) when there is none.
@group(1) @binding(1) var<storage, read> in0: array<f32>;
@group(1) @binding(2) var<storage, read> in1: array<f32>;
@group(1) @binding(3) var<storage, read> in2: array<f32>;
@group(1) @binding(4) var<storage, read> in3: array<f32>;

fn load(source: vec4<u32>, row: u32, i: u32) -> f32 {
  let at = source.y + row * source.z + i;
  switch (source.x) {
    case 0u: { return in0[at]; }
    case 1u: { return in1[at]; }
    case 2u: { return in2[at]; }
    default: { return in3[at]; }
  }
}

fn load_or(source: vec4<u32>, row: u32, i: u32, otherwise: f32) -> f32 {
  if (source.w == 0u) { return otherwise; }
  return load(source, row, i);
}
`,
  "lib/int8": `// 16 consecutive weights as signed bytes (lowest byte of q.x first) with what makes them floats again:
// w = scale * q + minimum. Exact for the types that offer decode_i8; minimum is 0 for symmetric ones.
struct Int8Run {
  q: vec4<u32>,
  scale: f32,
  minimum: f32,
}
`,
  "lib/iq4": `// needs: lib/bytes, lib/int8
// The 16 unevenly spaced levels of IQ4_NL and IQ4_XS, as signed bytes in four words (levels 0..3 first).

const IQ4_LEVELS = vec4<u32>(0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);

// The levels of the four nibbles that stand alone in the bytes of a word, each in the top byte of its
// component. Selects, because indexing a constant with a variable is slow on many drivers.
fn iq4_levels(codes: u32) -> vec4<u32> {
  let code = vec4(codes) >> vec4(0u, 8u, 16u, 24u);
  let second = (code & vec4(4u)) != vec4(0u);
  let words = select(
    select(vec4(IQ4_LEVELS.x), vec4(IQ4_LEVELS.y), second),
    select(vec4(IQ4_LEVELS.z), vec4(IQ4_LEVELS.w), second),
    (code & vec4(8u)) != vec4(0u),
  );
  return words << (vec4(24u) - ((code & vec4(3u)) << vec4(3u)));
}

fn iq4_floats(codes: u32) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(iq4_levels(codes)) >> vec4(24u));
}

fn iq4_bytes(codes: u32) -> u32 {
  let top = (iq4_levels(codes) & vec4(0xff000000u)) >> vec4(24u, 16u, 8u, 0u);
  return (top.x | top.y) | (top.z | top.w);
}

fn scaled_iq4(codes: vec4<u32>, scale: f32) -> mat4x4<f32> {
  return mat4x4<f32>(
    scale * iq4_floats(codes.x),
    scale * iq4_floats(codes.y),
    scale * iq4_floats(codes.z),
    scale * iq4_floats(codes.w),
  );
}

fn int8_iq4(codes: vec4<u32>, scale: f32) -> Int8Run {
  let q = vec4(iq4_bytes(codes.x), iq4_bytes(codes.y), iq4_bytes(codes.z), iq4_bytes(codes.w));
  return Int8Run(q, scale, 0.0);
}
`,
  "lib/kv_load": `// lib/kv_load.wgsl: four consecutive elements of a key or value row of a slab, by element type.
//   0 f32: one a word          1 f16: two a word
//   2 q8_0: blocks of 32 as [f32 scale][8 words of int8]       x = scale · q
//   3 q4_0: blocks of 32 as [f32 scale][4 words of nibbles]    x = scale · (q − 8)
// \`word\` is the row's first word, \`element\` a multiple of 4.
fn kv_load(kind: u32, word: u32, element: u32) -> vec4<f32> {
  switch (kind) {
    case 0u: {
      let at = word + element;
      return vec4(bitcast<f32>(slab[at]), bitcast<f32>(slab[at + 1u]), bitcast<f32>(slab[at + 2u]), bitcast<f32>(slab[at + 3u]));
    }
    case 1u: {
      let at = word + (element >> 1u);
      return vec4(unpack2x16float(slab[at]), unpack2x16float(slab[at + 1u]));
    }
    case 2u: {
      let at = word + 9u * (element >> 5u);
      return vec4<f32>(unpack4xI8(slab[at + 1u + ((element & 31u) >> 2u)])) * bitcast<f32>(slab[at]);
    }
    default: {
      let at = word + 5u * (element >> 5u);
      let q = slab[at + 1u + ((element & 31u) >> 3u)] >> ((element & 4u) << 2u);
      return (vec4<f32>(vec4(q, q >> 4u, q >> 8u, q >> 12u) & vec4(15u)) - 8.0) * bitcast<f32>(slab[at]);
    }
  }
}
`,
  "lib/kv_store": `// lib/kv_store.wgsl: writes kv_unit(kind) consecutive elements, taken from \`head\`, to a key or value row.
// Formats as in lib/kv_load.wgsl; quantised as llama.cpp quantises q8_0 and q4_0 (scale from the element
// of largest magnitude). pack2x16float is undefined past ±65504 on some drivers, hence the clamp.
fn kv_unit(kind: u32) -> u32 { return select(4u, 32u, kind >= 2u); }

fn kv_store(kind: u32, word: u32, element: u32, source: u32) {
  if (kind == 0u) {
    for (var i = 0u; i < 4u; i++) { slab[word + element + i] = bitcast<u32>(head[source + i]); }
    return;
  }
  if (kind == 1u) {
    let v = clamp(vec4(head[source], head[source + 1u], head[source + 2u], head[source + 3u]), vec4(-65504.0), vec4(65504.0));
    slab[word + (element >> 1u)] = pack2x16float(v.xy);
    slab[word + (element >> 1u) + 1u] = pack2x16float(v.zw);
    return;
  }
  var largest = 0.0;
  for (var i = 0u; i < 32u; i++) {
    let v = head[source + i];
    if (abs(v) > abs(largest)) { largest = v; }
  }
  if (kind == 2u) {
    let scale = unpack2x16float(pack2x16float(vec2(abs(largest) / 127.0, 0.0))).x;
    let inv = select(0.0, 127.0 / max(abs(largest), 1e-30), largest != 0.0);
    let at = word + 9u * (element >> 5u);
    slab[at] = bitcast<u32>(scale);
    for (var i = 0u; i < 8u; i++) {
      let v = vec4(head[source + 4u * i], head[source + 4u * i + 1u], head[source + 4u * i + 2u], head[source + 4u * i + 3u]);
      slab[at + 1u + i] = pack4xI8(vec4<i32>(clamp(round(v * inv), vec4(-127.0), vec4(127.0))));
    }
    return;
  }
  let raw = largest / -8.0;
  let inv = select(0.0, 1.0 / select(raw, 1.0, raw == 0.0), raw != 0.0);
  let at = word + 5u * (element >> 5u);
  slab[at] = bitcast<u32>(unpack2x16float(pack2x16float(vec2(raw, 0.0))).x);
  for (var i = 0u; i < 4u; i++) {
    var packed = 0u;
    for (var j = 0u; j < 8u; j++) {
      let q = u32(clamp(head[source + 8u * i + j] * inv + 8.5, 0.0, 15.0));
      packed |= q << (4u * j);
    }
    slab[at + 1u + i] = packed;
  }
}
`,
  "lib/lanes_shared": `// lib/lanes_shared.wgsl: stands where lib/lanes_subgroup.wgsl would for one lane, or where workgroup memory is used.
fn lane_sum(value: f32) -> f32 { return value; }
`,
  "lib/lanes_subgroup": `// lib/lanes_subgroup.wgsl: the sum over the LANES neighbouring threads that share an output, in all of them.
// Needs subgroups of at least LANES threads (a power of two), filled in the order of the workgroup's threads.
fn lane_sum(value: f32) -> f32 {
  var sum = value;
  for (var step_ = LANES / 2u; step_ > 0u; step_ /= 2u) { sum += subgroupShuffleXor(sum, step_); }
  return sum;
}
`,
  "lib/linear": `// lib/linear.wgsl: what the kernels for y = x · Wᵀ share: parameters, bindings but x, and what follows the sums.
//
//   y[r, o] = scale · inv · sum + bias[o] (+ residual[r, o]);  GATED: act(gate row o) · (up row o)
//
// Up to 4 segments (q, k, v; gate, up) stand behind each other in one weights binding; output o of
// segment s is row o − start of its tensor. Splits of a large tensor are dispatches with first > 0.
struct Params {
  k: u32,
  n: u32, // outputs of all segments
  first: u32, // first output of this dispatch
  count: u32, // outputs of this dispatch
  domain: u32,
  x_offset: u32, // vec4
  x_stride: u32, // vec4
  out_offset: u32,
  out_stride: u32,
  residual_offset: u32,
  residual_stride: u32,
  norm: u32, // vec4 index in small
  eps: f32,
  scale: f32,
  alpha: f32,
  limit: f32,
  ends: vec4<u32>, // one past the last output of each segment
  bases: vec4<u32>, // word of each segment's first held row
  starts: vec4<u32>, // output that this row would make (modulo 2³²: it may lie before output 0)
  biases: vec4<u32>, // float index in small of this row's bias, or NONE
}

const NONE = 0xffffffffu;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<u32>;
@group(1) @binding(3) var<storage, read> small: array<vec4<f32>>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

fn segment_of(output: u32) -> u32 {
  return u32(output >= params.ends.x) + u32(output >= params.ends.y) + u32(output >= params.ends.z);
}

fn small_at(index: u32) -> f32 { return small[index >> 2u][index & 3u]; }

fn finish(row: u32, o: u32, sums: vec2<f32>, inv: f32) {
  let segment = segment_of(o);
  var y = sums.x * inv * params.scale;
  if (GATED) {
    var up = sums.y * inv * params.scale;
    if (params.biases.x != NONE) { y += small_at(params.biases.x + o - params.starts.x); }
    if (params.biases.y != NONE) { up += small_at(params.biases.y + o - params.starts.y); }
    y = gated(ACT, y, up, params.alpha, params.limit);
  } else if (params.biases[segment] != NONE) {
    y += small_at(params.biases[segment] + o - params.starts[segment]);
  }
  if (RESIDUAL) { y += residual_at(params.residual_offset + row * params.residual_stride + o); }
  out[params.out_offset + row * params.out_stride + o] = y;
}
`,
  "lib/no_residual": `// lib/no_residual.wgsl: stands where lib/residual.wgsl would when nothing is added.
fn residual_at(index: u32) -> f32 { return 0.0; }
`,
  "lib/philox": `// lib/philox.wgsl: random numbers by place, as src/sample/random.ts: Philox-4x32 with 10 rounds
// (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", SC11).

// Upper half of the 64-bit product, from 16-bit halves.
fn multiply_high(a: u32, b: u32) -> u32 {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let cross = a_high * b_low + ((a_low * b_low) >> 16u); // at most 2³² − 2¹⁶: no carry
  let middle = a_low * b_high + (cross & 0xffffu);
  return a_high * b_high + (cross >> 16u) + (middle >> 16u);
}

fn philox(counter: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var key = seed;
  for (var i = 0u; i < 10u; i++) {
    c = vec4(
      multiply_high(0xcd9e8d57u, c.z) ^ c.y ^ key.x,
      0xcd9e8d57u * c.z,
      multiply_high(0xd2511f53u, c.x) ^ c.w ^ key.y,
      0xd2511f53u * c.x,
    );
    key += vec2(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

// The number in [0, 1) that chooses the token of a position: sequence 0, stream 0; a multiple of 2⁻²⁴.
fn token_chance(seed: vec2<u32>, position: u32) -> f32 {
  return f32(philox(vec4(position, 0u, 0u, 0u), seed).x >> 8u) * 5.9604644775390625e-8;
}
`,
  "lib/residual": `// lib/residual.wgsl: the residual stream that a projection adds to.
@group(1) @binding(5) var<storage, read> residual: array<f32>;
fn residual_at(index: u32) -> f32 { return residual[index]; }
`,
  "lib/runs": `// needs: lib/step
// lib/runs.wgsl: runs of consecutive rows of one sequence, in order of position. What carries state from row to
// row takes a run in order; the runs of a step are independent of each other.
fn run_count() -> u32 { return step[5]; }
// First row of the i-th run.
fn run_first(i: u32) -> u32 { return step[23u + 8u * i]; }
// First row, and one past the last, of the run that a row belongs to.
fn row_run_first(row: u32) -> u32 { return step[21u + 8u * row]; }
fn row_run_end(row: u32) -> u32 { return step[22u + 8u * row]; }
`,
  "lib/scales_k4": `// The head that block_q4_K and block_q5_K share: d f16, dmin f16, then 8 scales and 8 minima of 6 bits
// in 12 bytes, one pair for 32 weights. Byte j < 4 holds scale j (low 6 bits), byte 4 + j minimum j; pair
// 4 + j has its low nibbles in byte 8 + j and its upper bits in the top of bytes j and 4 + j.

// (d * scale, dmin * minimum) of pair 0..7 of the block at word \`at\`.
fn scales_k4(at: u32, pair: u32) -> vec2<f32> {
  let dm = unpack2x16float(weights[at]);
  let shift = (pair & 3u) << 3u;
  let first = vec2(weights[at + 1u], weights[at + 2u]) >> vec2(shift);
  let nibbles = vec2(weights[at + 3u] >> shift) >> vec2(0u, 4u);
  let late = (nibbles & vec2(15u)) | ((first >> vec2(2u)) & vec2(0x30u));
  return dm * vec2<f32>(select(first & vec2(63u), late, pair >= 4u));
}
`,
  "lib/step": `// lib/step.wgsl: what every kernel may know of the step being computed; group 0 is the same for all.
// step   header, then one record a row, then the rows whose output is wanted
//        [0] rows  [1] output rows  [2] first word of the output row list  [3] first result of sampling
//        [4] first word of the output rows' sampling settings
//        record r at 16 + 8r: sequence, position, token (SAMPLED = the one sampled last), flags, spare × 4
//        settings of output row i at [4] + 8i: see sampleDraw.wgsl
// pages  [sequence][page of the sequence] → page of the slab; PAGE positions a page
@group(0) @binding(0) var<storage, read> step: array<u32>;
@group(0) @binding(1) var<storage, read> pages: array<u32>;

const SAMPLED = 0xffffffffu;

// Rows of a value: all rows (domain 0) or only those whose output is wanted (domain 1).
fn row_count(domain: u32) -> u32 { return step[domain]; }
fn row_sequence(row: u32) -> u32 { return step[16u + 8u * row]; }
fn row_position(row: u32) -> u32 { return step[17u + 8u * row]; }
fn row_token(row: u32) -> u32 { return step[18u + 8u * row]; }
fn output_row(index: u32) -> u32 { return step[step[2] + index]; }
fn sampling_of(index: u32) -> u32 { return step[4] + 8u * index; }
`,
  "lib/store_run": `// Writes 16 consecutive values, or as many as \`left\` allows, to \`out: array<f32>\`, which the kernel
// declares.

fn store_four(at: u32, v: vec4<f32>, left: u32) {
  if (left > 0u) {
    out[at] = v.x;
  }
  if (left > 1u) {
    out[at + 1u] = v.y;
  }
  if (left > 2u) {
    out[at + 2u] = v.z;
  }
  if (left > 3u) {
    out[at + 3u] = v.w;
  }
}

fn store_run(at: u32, values: mat4x4<f32>, left: u32) {
  store_four(at, values[0], left);
  store_four(at + 4u, values[1], max(left, 4u) - 4u);
  store_four(at + 8u, values[2], max(left, 8u) - 8u);
  store_four(at + 12u, values[3], max(left, 12u) - 12u);
}
`,
  "lib/tables": `// lib/tables.wgsl: the lookup tables of all types (src/gguf/tables.ts gives the layout), bound once a step.
@group(2) @binding(0) var<storage, read> tables: array<u32>;
`,
  "lib/topk": `// lib/topk.wgsl: the \`wanted\` largest of \`count\` keys by one workgroup of 64 threads; of equal keys the first.
// The kernel gives  fn key_at(i: u32) -> u32              the key of element i, not 0
//                   fn keep(place: u32, i: u32)           element i is one of them; equal keys come in order of i
// The two largest keys of each thread's share are 128 keys, so the wanted-th of these is a lower bound of those
// that are kept. Nearly always few elements reach it: these are ranked. Else (many equal keys, rising keys) the
// smallest key that is kept is found exactly. Whatever the way, nothing is left to chance.
const NEAR = 128u; // wanted at most

var<workgroup> leading: array<u32, NEAR>; // two of each thread
var<workgroup> bound: u32;
var<workgroup> near: array<vec2<u32>, NEAR>; // (key, element) that reach the bound
var<workgroup> near_count: atomic<u32>;
var<workgroup> near_total: u32;
var<workgroup> bins: array<atomic<u32>, 1024>; // [digit][value]
var<workgroup> sums: array<u32, 320>; // [digit][thread], last what the threads' stretches hold

// Unsigned integers in the order of floats; -0 equals 0, NaN is as -Infinity.
fn order_key(bits: u32) -> u32 {
  let key = bits ^ select(0x80000000u, 0xffffffffu, (bits & 0x80000000u) != 0u);
  let ordered = select(key, 0x80000000u, bits == 0x80000000u);
  return select(ordered, 0x007fffffu, (bits & 0x7fffffffu) > 0x7f800000u);
}

// The float of a key, infinities as ±1e30.
fn key_float(key: u32) -> f32 {
  if (key >= 0xff800000u) { return 1e30; }
  if (key <= 0x007fffffu) { return -1e30; }
  return bitcast<f32>(select(~key, key & 0x7fffffffu, (key & 0x80000000u) != 0u));
}

// Elements first … first + count; 1 ≤ wanted ≤ count < 65,536.
fn keep_largest(thread: u32, first: u32, count: u32, wanted: u32) {
  var top = 0u;
  var second = 0u;
  for (var i = thread; i < count; i += 64u) {
    let key = key_at(first + i);
    second = max(second, min(top, key));
    top = max(top, key);
  }
  leading[thread] = top;
  leading[64u + thread] = second;
  workgroupBarrier();
  var top_rank = 0u;
  var second_rank = 0u;
  for (var i = 0u; i < NEAR; i++) {
    let other = leading[i];
    top_rank += select(0u, 1u, other > top || (other == top && i < thread));
    second_rank += select(0u, 1u, other > second || (other == second && i < 64u + thread));
  }
  if (top_rank + 1u == wanted) { bound = top; }
  if (second_rank + 1u == wanted) { bound = second; }
  workgroupBarrier();
  for (var i = thread; i < count; i += 64u) {
    let key = key_at(first + i);
    if (key >= bound) {
      let at = atomicAdd(&near_count, 1u);
      if (at < NEAR) { near[at] = vec2(key, i); }
    }
  }
  workgroupBarrier();
  if (thread == 0u) { near_total = atomicLoad(&near_count); }
  let total = workgroupUniformLoad(&near_total);
  if (total > NEAR) {
    keep_by_digits(thread, first, count, wanted);
    return;
  }
  for (var i = thread; i < total; i += 64u) {
    let mine = near[i];
    var rank = 0u;
    for (var j = 0u; j < total; j++) {
      let other = near[j];
      rank += select(0u, 1u, other.x > mine.x || (other.x == mine.x && other.y < mine.y));
    }
    if (rank < wanted) { keep(rank, first + mine.y); }
  }
}

// The keys' digits of 8 bits are counted from the top, which finds the smallest key that is kept, one digit a
// turn; then each thread takes what it finds in its own stretch.
fn keep_by_digits(thread: u32, first: u32, count: u32, wanted: u32) {
  var smallest = 0u; // its digits that are known
  var left = wanted; // how many elements with these digits are kept
  for (var digit = 0u; digit < 4u; digit++) {
    let shift = 24u - 8u * digit;
    let known = select(0u, 0xffffffffu << ((shift + 8u) & 31u), digit > 0u);
    let bin = 256u * digit;
    for (var i = thread; i < count; i += 64u) {
      let key = key_at(first + i);
      if ((key & known) == smallest) { atomicAdd(&bins[bin + ((key >> shift) & 255u)], 1u); }
    }
    workgroupBarrier();
    var sum = 0u;
    for (var i = 0u; i < 4u; i++) { sum += atomicLoad(&bins[bin + 4u * thread + i]); }
    sums[64u * digit + thread] = sum;
    workgroupBarrier();
    var group = 63u;
    for (; group > 0u && sums[64u * digit + group] < left; group--) { left -= sums[64u * digit + group]; }
    var value = 4u * group + 3u;
    for (; value > 4u * group; value--) {
      let here = atomicLoad(&bins[bin + value]);
      if (here >= left) { break; }
      left -= here;
    }
    smallest |= value << shift;
  }
  let stretch = (count + 63u) / 64u;
  let begin = first + min(thread * stretch, count);
  let end = first + min((thread + 1u) * stretch, count);
  var larger = 0u;
  var equal = 0u;
  for (var i = begin; i < end; i++) {
    let key = key_at(i);
    larger += select(0u, 1u, key > smallest);
    equal += select(0u, 1u, key == smallest);
  }
  sums[256u + thread] = larger | (equal << 16u);
  workgroupBarrier();
  larger = 0u;
  equal = 0u;
  for (var t = 0u; t < thread; t++) {
    larger += sums[256u + t] & 0xffffu;
    equal += sums[256u + t] >> 16u;
  }
  for (var i = begin; i < end; i++) {
    let key = key_at(i);
    if (key > smallest || (key == smallest && equal < left)) { keep(larger + min(equal, left), i); }
    larger += select(0u, 1u, key > smallest);
    equal += select(0u, 1u, key == smallest);
  }
}
`,
  "matmul": `// needs: lib/linear
// matmul.wgsl: y = x · Wᵀ for many rows of x; the prefill kernel, bound by arithmetic.
//
//   y[r, o] = scale · Σ_k W[o, k] · x[r, k] + bias[o] (+ residual[r, o]);  GATED: act(gate) · up
//
// Segments, splits and bindings are those of matvec.wgsl (a norm in front is a kernel of its own here).
// A workgroup of 8 × 8 threads makes a tile of 32 rows × 32 outputs, each thread 4 × 4 of it. Per step of
// 32 along k the tile's rows and the decoded weights go through workgroup memory once.
// grid: (ceil(count / 32), ceil(rows / 32), 1)

@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;

// [k / 4][row or output] of four consecutive k, so that threads of a row read neighbours.
var<workgroup> tile_x: array<vec4<f32>, 256>;
var<workgroup> tile_w: array<vec4<f32>, 256u * PARTS>;

fn mask(v: vec4<f32>, k: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(k, k + 1u, k + 2u, k + 3u) < vec4(params.k));
}

fn stage_weights(thread: u32, part: u32, base: u32, row: u32, k0: u32) {
  let o = thread & 31u;
  let half = thread >> 5u;
  let k = k0 + 16u * half;
  var w = mat4x4<f32>();
  if (k < params.k) {
    w = decode(base, row * params.k + k);
    if (TAIL) {
      w = mat4x4<f32>(mask(w[0], k), mask(w[1], k + 4u), mask(w[2], k + 8u), mask(w[3], k + 12u));
    }
  }
  let at = 256u * part + 128u * half + o;
  tile_w[at] = w[0];
  tile_w[at + 32u] = w[1];
  tile_w[at + 64u] = w[2];
  tile_w[at + 96u] = w[3];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let rows = row_count(params.domain);
  let row0 = group.y * 32u;
  let out0 = group.x * 32u;
  if (row0 >= rows) { return; }

  let staged = params.first + min(out0 + (thread & 31u), params.count - 1u);
  var segment = 0u;
  if (!GATED) { segment = segment_of(staged); }
  let weight_base = params.bases[segment];
  let weight_row = staged - params.starts[segment];

  let tx = thread & 7u; // outputs tx, tx + 8, tx + 16, tx + 24
  let ty = thread >> 3u; // rows ty, ty + 8, …
  // a[i] holds row ty + 8i against the four outputs; b the same for the up half of a gated pair.
  var a0 = vec4(0.0); var a1 = vec4(0.0); var a2 = vec4(0.0); var a3 = vec4(0.0);
  var b0 = vec4(0.0); var b1 = vec4(0.0); var b2 = vec4(0.0); var b3 = vec4(0.0);

  for (var k0 = 0u; k0 < params.k; k0 += 32u) {
    for (var i = 0u; i < 4u; i++) {
      let index = thread + 64u * i;
      let row = row0 + (index & 31u);
      let k = k0 + 4u * (index >> 5u);
      var v = vec4(0.0);
      if (row < rows && k < params.k) {
        v = x[params.x_offset + row * params.x_stride + (k >> 2u)];
        if (TAIL) { v = mask(v, k); }
      }
      tile_x[index] = v;
    }
    stage_weights(thread, 0u, weight_base, weight_row, k0);
    if (GATED) { stage_weights(thread, 1u, params.bases.y, staged - params.starts.y, k0); }
    workgroupBarrier();
    for (var q = 0u; q < 8u; q++) {
      let x0 = tile_x[q * 32u + ty];
      let x1 = tile_x[q * 32u + ty + 8u];
      let x2 = tile_x[q * 32u + ty + 16u];
      let x3 = tile_x[q * 32u + ty + 24u];
      let w0 = tile_w[q * 32u + tx];
      let w1 = tile_w[q * 32u + tx + 8u];
      let w2 = tile_w[q * 32u + tx + 16u];
      let w3 = tile_w[q * 32u + tx + 24u];
      a0 += vec4(dot(x0, w0), dot(x0, w1), dot(x0, w2), dot(x0, w3));
      a1 += vec4(dot(x1, w0), dot(x1, w1), dot(x1, w2), dot(x1, w3));
      a2 += vec4(dot(x2, w0), dot(x2, w1), dot(x2, w2), dot(x2, w3));
      a3 += vec4(dot(x3, w0), dot(x3, w1), dot(x3, w2), dot(x3, w3));
      if (GATED) {
        let u0 = tile_w[256u * (PARTS - 1u) + q * 32u + tx];
        let u1 = tile_w[256u * (PARTS - 1u) + q * 32u + tx + 8u];
        let u2 = tile_w[256u * (PARTS - 1u) + q * 32u + tx + 16u];
        let u3 = tile_w[256u * (PARTS - 1u) + q * 32u + tx + 24u];
        b0 += vec4(dot(x0, u0), dot(x0, u1), dot(x0, u2), dot(x0, u3));
        b1 += vec4(dot(x1, u0), dot(x1, u1), dot(x1, u2), dot(x1, u3));
        b2 += vec4(dot(x2, u0), dot(x2, u1), dot(x2, u2), dot(x2, u3));
        b3 += vec4(dot(x3, u0), dot(x3, u1), dot(x3, u2), dot(x3, u3));
      }
    }
    workgroupBarrier();
  }

  for (var j = 0u; j < 4u; j++) {
    let o = out0 + tx + 8u * j;
    if (o >= params.count) { continue; }
    if (row0 + ty < rows) { finish(row0 + ty, params.first + o, vec2(a0[j], b0[j]), 1.0); }
    if (row0 + ty + 8u < rows) { finish(row0 + ty + 8u, params.first + o, vec2(a1[j], b1[j]), 1.0); }
    if (row0 + ty + 16u < rows) { finish(row0 + ty + 16u, params.first + o, vec2(a2[j], b2[j]), 1.0); }
    if (row0 + ty + 24u < rows) { finish(row0 + ty + 24u, params.first + o, vec2(a3[j], b3[j]), 1.0); }
  }
}
`,
  "matmulInt8": `// needs: lib/linear, lib/dot_i8
// matmulInt8.wgsl: matmul.wgsl with activations of signed bytes and products of four at a time.
//
//   y[r, o] = scale · Σ_runs w.scale · x.scale · (w.q · x.q) + w.minimum · x.scale · Σ x.q  + bias[o] …
//
// Bindings are those of matvecInt8.wgsl (a norm in front is a kernel of its own). A workgroup of 8 × 8
// threads makes a tile of 32 rows × 32 outputs, each thread 4 × 4 of it. Per step of 32 along k, two runs of
// the activations and two of the weights, still packed, go through workgroup memory once.
// grid: (ceil(count / 32), ceil(rows / 32), 1)
@group(1) @binding(2) var<storage, read> x: array<vec4<u32>>;

// [run 0, run 1, their head][row]
var<workgroup> tile_x: array<vec4<u32>, 96>;
// [part][run][output]: codes; scale and minimum
var<workgroup> tile_w: array<vec4<u32>, 64u * PARTS>;
var<workgroup> tile_s: array<vec2<f32>, 64u * PARTS>;

fn stage_weights(thread: u32, part: u32, base: u32, row: u32, k0: u32) {
  let run = decode_i8(base, row * params.k + k0 + 16u * (thread >> 5u));
  tile_w[64u * part + thread] = run.q;
  tile_s[64u * part + thread] = vec2(run.scale, run.minimum);
}

// A run of a row against four outputs.
fn products(q: vec4<u32>, w0: vec4<u32>, w1: vec4<u32>, w2: vec4<u32>, w3: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(vec4(dot_i8(q, w0), dot_i8(q, w1), dot_i8(q, w2), dot_i8(q, w3)));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let rows = row_count(params.domain);
  let row0 = group.y * 32u;
  let out0 = group.x * 32u;
  if (row0 >= rows) { return; }

  let staged = params.first + min(out0 + (thread & 31u), params.count - 1u);
  var segment = 0u;
  if (!GATED) { segment = segment_of(staged); }
  let weight_base = params.bases[segment];
  let weight_row = staged - params.starts[segment];

  let tx = thread & 7u; // outputs tx, tx + 8, tx + 16, tx + 24
  let ty = thread >> 3u; // rows ty, ty + 8, …
  // a[i] holds row ty + 8i against the four outputs; b the same for the up half of a gated pair.
  var a0 = vec4(0.0); var a1 = vec4(0.0); var a2 = vec4(0.0); var a3 = vec4(0.0);
  var b0 = vec4(0.0); var b1 = vec4(0.0); var b2 = vec4(0.0); var b3 = vec4(0.0);

  for (var k0 = 0u; k0 < params.k; k0 += 32u) {
    for (var index = thread; index < 96u; index += 64u) {
      // Rows past the last repeat it; their sums are not kept.
      let row = min(row0 + index / BLOCK, rows - 1u);
      let word = index % BLOCK;
      tile_x[32u * word + index / BLOCK] =
        x[params.x_offset + row * params.x_stride + BLOCK * (k0 >> 5u) + word];
    }
    stage_weights(thread, 0u, weight_base, weight_row, k0);
    if (GATED) { stage_weights(thread, 1u, params.bases.y, staged - params.starts.y, k0); }
    workgroupBarrier();
    for (var run = 0u; run < 2u; run++) {
      let q0 = tile_x[32u * run + ty];
      let q1 = tile_x[32u * run + ty + 8u];
      let q2 = tile_x[32u * run + ty + 16u];
      let q3 = tile_x[32u * run + ty + 24u];
      let h0 = run_of(tile_x[32u * HEAD + ty], run);
      let h1 = run_of(tile_x[32u * HEAD + ty + 8u], run);
      let h2 = run_of(tile_x[32u * HEAD + ty + 16u], run);
      let h3 = run_of(tile_x[32u * HEAD + ty + 24u], run);
      let at = 32u * run + tx;
      let w0 = tile_w[at];
      let w1 = tile_w[at + 8u];
      let w2 = tile_w[at + 16u];
      let w3 = tile_w[at + 24u];
      let scales = vec4(tile_s[at].x, tile_s[at + 8u].x, tile_s[at + 16u].x, tile_s[at + 24u].x);
      let minima = vec4(tile_s[at].y, tile_s[at + 8u].y, tile_s[at + 16u].y, tile_s[at + 24u].y);
      a0 += scales * (h0.x * products(q0, w0, w1, w2, w3)) + minima * h0.y;
      a1 += scales * (h1.x * products(q1, w0, w1, w2, w3)) + minima * h1.y;
      a2 += scales * (h2.x * products(q2, w0, w1, w2, w3)) + minima * h2.y;
      a3 += scales * (h3.x * products(q3, w0, w1, w2, w3)) + minima * h3.y;
      if (GATED) {
        let up = 64u * (PARTS - 1u) + at;
        let u0 = tile_w[up];
        let u1 = tile_w[up + 8u];
        let u2 = tile_w[up + 16u];
        let u3 = tile_w[up + 24u];
        let up_scales = vec4(tile_s[up].x, tile_s[up + 8u].x, tile_s[up + 16u].x, tile_s[up + 24u].x);
        let up_minima = vec4(tile_s[up].y, tile_s[up + 8u].y, tile_s[up + 16u].y, tile_s[up + 24u].y);
        b0 += up_scales * (h0.x * products(q0, u0, u1, u2, u3)) + up_minima * h0.y;
        b1 += up_scales * (h1.x * products(q1, u0, u1, u2, u3)) + up_minima * h1.y;
        b2 += up_scales * (h2.x * products(q2, u0, u1, u2, u3)) + up_minima * h2.y;
        b3 += up_scales * (h3.x * products(q3, u0, u1, u2, u3)) + up_minima * h3.y;
      }
    }
    workgroupBarrier();
  }

  for (var j = 0u; j < 4u; j++) {
    let o = out0 + tx + 8u * j;
    if (o >= params.count) { continue; }
    if (row0 + ty < rows) { finish(row0 + ty, params.first + o, vec2(a0[j], b0[j]), 1.0); }
    if (row0 + ty + 8u < rows) { finish(row0 + ty + 8u, params.first + o, vec2(a1[j], b1[j]), 1.0); }
    if (row0 + ty + 16u < rows) { finish(row0 + ty + 16u, params.first + o, vec2(a2[j], b2[j]), 1.0); }
    if (row0 + ty + 24u < rows) { finish(row0 + ty + 24u, params.first + o, vec2(a3[j], b3[j]), 1.0); }
  }
}
`,
  "matvec": `// needs: lib/linear
// matvec.wgsl: y = x · Wᵀ for 1 to ROWS rows of x; the decode kernel, bound by reading W once.
//
//   y[r, o] = scale · inv[r] · Σ_k W[o, k] · g[k] · x[r, k]  + bias[o]  (+ residual[r, o])
//   GATED:  y[r, o] = act(gate row o) · (up row o)
//   NORM:   g = norm weight and inv[r] = 1 / sqrt(mean(x²) + eps), so RMSNorm costs no pass of its own;
//           without it g = inv = 1.
//
// Up to 4 segments (q, k, v; gate, up) stand behind each other in one weights binding; output o of
// segment s is row o − start of its tensor. Splits of a large tensor are dispatches with first > 0.
//
// weights  raw GGUF blocks, decoded 16 at a time by quant/<type>.wgsl           binding 1
// x        [rows][x_stride] f32 as vec4                                          binding 2
// small    norm weights and biases, vec4                                         binding 3
// out      [rows][out_stride] f32                                                binding 4
// residual [rows][residual_stride] f32 (when RESIDUAL)                           binding 5
//          (lookup tables of a type are group 2)
//
// A workgroup of WG threads makes (WG / LANES) · OUTS outputs: LANES threads share one output, each
// taking every LANES-th run of 16 weights, OUTS outputs one after the other for the same x.
// Their sums meet through subgroup shuffles (SUBGROUPS) or workgroup memory.
// The order of summation depends on LANES alone, never on the number of rows.
// grid: outputs folded over x and y, z = 1.
const GROUPS = WG / LANES;

@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;

var<workgroup> partials: array<f32, WG * (OUTS * PARTS + 1u)>;

// Zero where k is past the end of a row whose length is no multiple of 16 (only float types have such).
fn mask(v: vec4<f32>, k: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(k, k + 1u, k + 2u, k + 3u) < vec4(params.k));
}

fn load_x(row: u32, k: u32, column: u32) -> vec4<f32> {
  let v = x[params.x_offset + row * params.x_stride + (k >> 2u) + column];
  if (TAIL) { return mask(v, k + 4u * column); }
  return v;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let lane = thread % LANES;
  let slot = thread / LANES;
  let rows = min(row_count(params.domain), ROWS);
  let first = ((group.y * groups.x + group.x) * GROUPS + slot) * OUTS;
  let last = params.first + params.count - 1u;

  var base: array<u32, OUTS * PARTS>;
  var element: array<u32, OUTS * PARTS>;
  for (var i = 0u; i < OUTS; i++) {
    let o = min(params.first + first + i, last);
    if (GATED) {
      base[2u * i] = params.bases.x;
      base[2u * i + 1u] = params.bases.y;
      element[2u * i] = (o - params.starts.x) * params.k;
      element[2u * i + 1u] = (o - params.starts.y) * params.k;
    } else {
      let segment = segment_of(o);
      base[i] = params.bases[segment];
      element[i] = (o - params.starts[segment]) * params.k;
    }
  }

  var sums: array<f32, ROWS * OUTS * PARTS>;
  var squares: array<f32, ROWS>;
  for (var k = lane * 16u; k < params.k; k += LANES * 16u) {
    var g0 = vec4(1.0); var g1 = vec4(1.0); var g2 = vec4(1.0); var g3 = vec4(1.0);
    if (NORM) {
      let at = params.norm + (k >> 2u);
      g0 = small[at]; g1 = small[at + 1u]; g2 = small[at + 2u]; g3 = small[at + 3u];
      for (var r = 0u; r < rows; r++) {
        let a = load_x(r, k, 0u); let b = load_x(r, k, 1u); let c = load_x(r, k, 2u); let d = load_x(r, k, 3u);
        squares[r] += (dot(a, a) + dot(b, b)) + (dot(c, c) + dot(d, d));
      }
    }
    for (var i = 0u; i < OUTS * PARTS; i++) {
      var w = decode(base[i], element[i] + k);
      if (TAIL) {
        w = mat4x4<f32>(mask(w[0], k), mask(w[1], k + 4u), mask(w[2], k + 8u), mask(w[3], k + 12u));
      }
      if (NORM) { w = mat4x4<f32>(w[0] * g0, w[1] * g1, w[2] * g2, w[3] * g3); }
      for (var r = 0u; r < rows; r++) {
        sums[r * OUTS * PARTS + i] +=
          (dot(w[0], load_x(r, k, 0u)) + dot(w[1], load_x(r, k, 1u))) +
          (dot(w[2], load_x(r, k, 2u)) + dot(w[3], load_x(r, k, 3u)));
      }
    }
  }

  for (var r = 0u; r < rows; r++) {
    if (LANES > 1u && !SUBGROUPS) {
      // One partials sum a thread; then one thread an output adds its LANES partials in order.
      let width = OUTS * PARTS + 1u;
      for (var i = 0u; i < OUTS * PARTS; i++) { partials[thread * width + i] = sums[r * OUTS * PARTS + i]; }
      if (NORM) { partials[thread * width + OUTS * PARTS] = squares[r]; }
      workgroupBarrier();
      let owner = thread / OUTS;
      let i = thread % OUTS;
      let o = ((group.y * groups.x + group.x) * GROUPS + owner) * OUTS + i;
      if (thread < GROUPS * OUTS && o < params.count) {
        var sum = vec2(0.0);
        var square = 0.0;
        for (var l = 0u; l < LANES; l++) {
          let at = (owner * LANES + l) * width;
          sum.x += partials[at + i * PARTS];
          if (GATED) { sum.y += partials[at + i * PARTS + 1u]; }
          if (NORM) { square += partials[at + OUTS * PARTS]; }
        }
        var inv = 1.0;
        if (NORM) { inv = 1.0 / sqrt(square / f32(params.k) + params.eps); }
        finish(r, params.first + o, sum, inv);
      }
      workgroupBarrier();
    } else {
      var inv = 1.0;
      if (NORM) { inv = 1.0 / sqrt(lane_sum(squares[r]) / f32(params.k) + params.eps); }
      for (var i = 0u; i < OUTS; i++) {
        var sum = vec2(lane_sum(sums[(r * OUTS + i) * PARTS]), 0.0);
        if (GATED) { sum.y = lane_sum(sums[(r * OUTS + i) * PARTS + 1u]); }
        if (lane == 0u && first + i < params.count) { finish(r, params.first + first + i, sum, inv); }
      }
    }
  }
}
`,
  "matvecInt8": `// needs: lib/linear, lib/dot_i8
// matvecInt8.wgsl: matvec.wgsl with activations of signed bytes and products of four at a time.
//
//   y[r, o] = scale · inv[r] · Σ_runs w.scale · x.scale · (w.q · x.q) + w.minimum · x.scale · Σ x.q  + …
//   NORM: inv[r] = 1 / sqrt(mean(x²) + eps) of the squares that x carries; the norm's weight is in x already.
//
// A run is 16 weights with one scale and minimum, as decode_i8 of quant/<type>.wgsl gives them; the rest of
// the formula, segments and bindings are those of lib/linear.
// x        [rows][x_stride] as quantize.wgsl makes it                             binding 2
// residual [rows][residual_stride] f32 (when RESIDUAL)                           binding 5
//
// Threads share the work as in matvec.wgsl, so the order of summation never depends on the number of rows.
// grid: outputs folded over x and y, z = 1.
const GROUPS = WG / LANES;

@group(1) @binding(2) var<storage, read> x: array<vec4<u32>>;

var<workgroup> partials: array<f32, WG * (OUTS * PARTS + 1u)>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let lane = thread % LANES;
  let slot = thread / LANES;
  let rows = min(row_count(params.domain), ROWS);
  let first = ((group.y * groups.x + group.x) * GROUPS + slot) * OUTS;
  let last = params.first + params.count - 1u;

  var base: array<u32, OUTS * PARTS>;
  var element: array<u32, OUTS * PARTS>;
  for (var i = 0u; i < OUTS; i++) {
    let o = min(params.first + first + i, last);
    if (GATED) {
      base[2u * i] = params.bases.x;
      base[2u * i + 1u] = params.bases.y;
      element[2u * i] = (o - params.starts.x) * params.k;
      element[2u * i + 1u] = (o - params.starts.y) * params.k;
    } else {
      let segment = segment_of(o);
      base[i] = params.bases[segment];
      element[i] = (o - params.starts[segment]) * params.k;
    }
  }

  var sums: array<f32, ROWS * OUTS * PARTS>;
  var squares: array<f32, ROWS>;
  for (var k = lane * 16u; k < params.k; k += LANES * 16u) {
    let run = (k >> 4u) & 1u;
    let block = params.x_offset + BLOCK * (k >> 5u);
    if (NORM && run == 0u) {
      for (var r = 0u; r < rows; r++) {
        squares[r] += bitcast<f32>(x[block + r * params.x_stride + HEAD].w);
      }
    }
    for (var i = 0u; i < OUTS * PARTS; i++) {
      let w = decode_i8(base[i], element[i] + k);
      for (var r = 0u; r < rows; r++) {
        let at = block + r * params.x_stride;
        let head = run_of(x[at + HEAD], run);
        let dots = f32(dot_i8(w.q, x[at + run]));
        sums[r * OUTS * PARTS + i] += w.scale * (head.x * dots) + w.minimum * head.y;
      }
    }
  }

  for (var r = 0u; r < rows; r++) {
    if (LANES > 1u) {
      // One partial sum a thread; then one thread an output adds its LANES partials in order.
      let width = OUTS * PARTS + 1u;
      for (var i = 0u; i < OUTS * PARTS; i++) { partials[thread * width + i] = sums[r * OUTS * PARTS + i]; }
      if (NORM) { partials[thread * width + OUTS * PARTS] = squares[r]; }
      workgroupBarrier();
      let owner = thread / OUTS;
      let i = thread % OUTS;
      let o = ((group.y * groups.x + group.x) * GROUPS + owner) * OUTS + i;
      if (thread < GROUPS * OUTS && o < params.count) {
        var sum = vec2(0.0);
        var square = 0.0;
        for (var l = 0u; l < LANES; l++) {
          let at = (owner * LANES + l) * width;
          sum.x += partials[at + i * PARTS];
          if (GATED) { sum.y += partials[at + i * PARTS + 1u]; }
          if (NORM) { square += partials[at + OUTS * PARTS]; }
        }
        var inv = 1.0;
        if (NORM) { inv = 1.0 / sqrt(square / f32(params.k) + params.eps); }
        finish(r, params.first + o, sum, inv);
      }
      workgroupBarrier();
    } else {
      var inv = 1.0;
      if (NORM) { inv = 1.0 / sqrt(squares[r] / f32(params.k) + params.eps); }
      for (var i = 0u; i < OUTS; i++) {
        var sum = vec2(sums[(r * OUTS + i) * PARTS], 0.0);
        if (GATED) { sum.y = sums[(r * OUTS + i) * PARTS + 1u]; }
        if (first + i < params.count) { finish(r, params.first + first + i, sum, inv); }
      }
    }
  }
}
`,
  "moeGroup": `// moeGroup.wgsl: sorts the pairs (row, choice) of a step by expert and cuts each expert's run into tiles of
// at most TILE pairs, for moeMatmul.wgsl.
// route [rows][route_stride]: ids as f32
// lists u32 words from list_offset on: [0] tiles; from [4] on max_tiles × (expert, first, end); then the pairs
//       in the order of their experts, pair = row · USED + choice. Within an expert the order is arbitrary: it
//       changes no result.
// grid: one workgroup of WG threads
struct Params {
  domain: u32,
  route_offset: u32,
  route_stride: u32,
  list_offset: u32,
  max_tiles: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> route: array<f32>;
@group(1) @binding(2) var<storage, read_write> lists: array<u32>;

var<workgroup> counts: array<atomic<u32>, EXPERTS>;
var<workgroup> starts: array<u32, EXPERTS>;
var<workgroup> tiles: array<u32, EXPERTS>;

fn expert_of(pair: u32) -> u32 {
  let at = params.route_offset + (pair / USED) * params.route_stride + pair % USED;
  return min(u32(route[at]), EXPERTS - 1u);
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) thread: u32) {
  let pairs = row_count(params.domain) * USED;
  for (var e = thread; e < EXPERTS; e += WG) { atomicStore(&counts[e], 0u); }
  workgroupBarrier();
  for (var p = thread; p < pairs; p += WG) { atomicAdd(&counts[expert_of(p)], 1u); }
  workgroupBarrier();
  if (thread == 0u) {
    var start = 0u;
    var tile = 0u;
    for (var e = 0u; e < EXPERTS; e++) {
      let n = atomicLoad(&counts[e]);
      starts[e] = start;
      tiles[e] = tile;
      start += n;
      tile += (n + TILE - 1u) / TILE;
    }
    lists[params.list_offset] = tile;
  }
  workgroupBarrier();
  for (var e = thread; e < EXPERTS; e += WG) {
    let end = starts[e] + atomicLoad(&counts[e]);
    var at = params.list_offset + 4u + 3u * tiles[e];
    for (var p = starts[e]; p < end; p += TILE) {
      lists[at] = e;
      lists[at + 1u] = p;
      lists[at + 2u] = min(p + TILE, end);
      at += 3u;
    }
    atomicStore(&counts[e], 0u);
  }
  workgroupBarrier();
  let sorted = params.list_offset + 4u + 3u * params.max_tiles;
  for (var p = thread; p < pairs; p += WG) {
    let e = expert_of(p);
    lists[sorted + starts[e] + atomicAdd(&counts[e], 1u)] = p;
  }
}
`,
  "moeMatmul": `// needs: lib/experts
// moeMatmul.wgsl: the chosen experts' linear maps for many rows; the prefill kernel of lib/experts.wgsl.
//
// moeGroup.wgsl has sorted the pairs by expert. A workgroup of 8 × 8 threads makes a tile of up to 32 pairs of
// one expert × 32 outputs, as matmul.wgsl does with 32 rows; blocks of 8 pairs that a tile lacks cost nothing.
// grid: (ceil(count / 32), tiles at the most, 1), or !ROUTED: (ceil(count / 32), ceil(rows / 32), used)
@group(1) @binding(4) var<storage, read> route: array<u32>;

// [k / 4][pair or output] of four consecutive k, so that threads of a row read neighbours.
var<workgroup> tile_x: array<vec4<f32>, 256>;
var<workgroup> tile_w: array<vec4<f32>, 256u * PARTS>;

// Pairs i of the tile, whose first is at \`start\`.
fn pair_at(start: u32, expert: u32, i: u32) -> u32 {
  if (ROUTED) { return route[start + i]; }
  return (start + i) * params.used + expert;
}

fn stage_weights(thread: u32, part: u32, row: u32, k0: u32) {
  let half = thread >> 5u;
  let k = k0 + 16u * half;
  var w = mat4x4<f32>();
  if (k < params.k) {
    w = decode(params.bases[part], min(row, params.piece_rows[part] - 1u) * params.k + k);
    if (TAIL) {
      w = mat4x4<f32>(mask(w[0], k), mask(w[1], k + 4u), mask(w[2], k + 8u), mask(w[3], k + 12u));
    }
  }
  let at = 256u * part + 128u * half + (thread & 31u);
  tile_w[at] = w[0];
  tile_w[at + 32u] = w[1];
  tile_w[at + 64u] = w[2];
  tile_w[at + 96u] = w[3];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  var expert = group.z;
  var start = group.y * 32u;
  var held = 0u;
  if (ROUTED) {
    if (group.y >= route[params.route_offset]) { return; }
    let tile = params.route_offset + 4u + 3u * group.y;
    expert = route[tile];
    start = params.route_offset + 4u + 3u * params.max_tiles + route[tile + 1u];
    held = route[tile + 2u] - route[tile + 1u];
  } else {
    if (start >= row_count(params.domain)) { return; }
    held = min(32u, row_count(params.domain) - start);
  }
  if (elsewhere(expert)) { return; }
  let out0 = group.x * 32u;

  let staged = min(out0 + (thread & 31u), params.count - 1u);
  let weight_row = piece_row(0u, expert, staged);
  var up_row = 0u;
  if (GATED) { up_row = piece_row(1u, expert, staged); }

  // The pair whose x this thread brings in: the same for all of k.
  let mine = thread & 31u;
  var source = 0u;
  if (mine < held) {
    let pair = pair_at(start, expert, mine);
    source = params.x_offset + (pair / params.used) * params.x_stride + (pair % params.used) * params.x_choice;
  }

  let tx = thread & 7u; // outputs tx, tx + 8, tx + 16, tx + 24
  let ty = thread >> 3u; // pairs ty, ty + 8, …
  var a0 = vec4(0.0); var a1 = vec4(0.0); var a2 = vec4(0.0); var a3 = vec4(0.0);
  var b0 = vec4(0.0); var b1 = vec4(0.0); var b2 = vec4(0.0); var b3 = vec4(0.0);

  for (var k0 = 0u; k0 < params.k; k0 += 32u) {
    for (var i = 0u; i < 4u; i++) {
      let quad = (thread >> 5u) + 2u * i;
      let k = k0 + 4u * quad;
      var v = vec4(0.0);
      if (mine < held && k < params.k) {
        v = x[source + (k >> 2u)];
        if (TAIL) { v = mask(v, k); }
      }
      tile_x[32u * quad + mine] = v;
    }
    stage_weights(thread, 0u, weight_row, k0);
    if (GATED) { stage_weights(thread, 1u, up_row, k0); }
    workgroupBarrier();
    for (var q = 0u; q < 8u; q++) {
      let at = q * 32u + tx;
      let w0 = tile_w[at];
      let w1 = tile_w[at + 8u];
      let w2 = tile_w[at + 16u];
      let w3 = tile_w[at + 24u];
      let x0 = tile_x[q * 32u + ty];
      let x1 = tile_x[q * 32u + ty + 8u];
      let x2 = tile_x[q * 32u + ty + 16u];
      let x3 = tile_x[q * 32u + ty + 24u];
      a0 += vec4(dot(x0, w0), dot(x0, w1), dot(x0, w2), dot(x0, w3));
      if (held > 8u) { a1 += vec4(dot(x1, w0), dot(x1, w1), dot(x1, w2), dot(x1, w3)); }
      if (held > 16u) {
        a2 += vec4(dot(x2, w0), dot(x2, w1), dot(x2, w2), dot(x2, w3));
        a3 += vec4(dot(x3, w0), dot(x3, w1), dot(x3, w2), dot(x3, w3));
      }
      if (GATED) {
        let up = 256u * (PARTS - 1u) + at;
        let u0 = tile_w[up];
        let u1 = tile_w[up + 8u];
        let u2 = tile_w[up + 16u];
        let u3 = tile_w[up + 24u];
        b0 += vec4(dot(x0, u0), dot(x0, u1), dot(x0, u2), dot(x0, u3));
        if (held > 8u) { b1 += vec4(dot(x1, u0), dot(x1, u1), dot(x1, u2), dot(x1, u3)); }
        if (held > 16u) {
          b2 += vec4(dot(x2, u0), dot(x2, u1), dot(x2, u2), dot(x2, u3));
          b3 += vec4(dot(x3, u0), dot(x3, u1), dot(x3, u2), dot(x3, u3));
        }
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4u; i++) {
    if (ty + 8u * i >= held) { break; }
    let pair = pair_at(start, expert, ty + 8u * i);
    var a = a0; var b = b0;
    if (i == 1u) { a = a1; b = b1; } else if (i == 2u) { a = a2; b = b2; } else if (i == 3u) { a = a3; b = b3; }
    for (var j = 0u; j < 4u; j++) {
      let o = out0 + tx + 8u * j;
      if (o < params.count) { finish(pair / params.used, pair % params.used, expert, o, vec2(a[j], b[j])); }
    }
  }
}
`,
  "moeMatvec": `// needs: lib/experts
// moeMatvec.wgsl: the chosen experts' linear maps, pair by pair; the decode kernel of lib/experts.wgsl.
//
// A workgroup of WG threads makes (WG / LANES) · OUTS outputs of one pair: LANES threads share one output,
// each taking every LANES-th run of 16 weights; their sums meet in workgroup memory, or in a subgroup if
// SUBGROUPS (lib/lanes_subgroup.wgsl). The order of summation depends on LANES and SUBGROUPS alone.
// grid: (ceil(count / outputs of a workgroup), rows, used)
const GROUPS = WG / LANES;

@group(1) @binding(4) var<storage, read> route: array<f32>;

var<workgroup> partials: array<f32, WG * OUTS * PARTS>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = group.y;
  let choice = group.z;
  if (row >= row_count(params.domain)) { return; }
  var expert = choice;
  if (ROUTED) {
    expert = min(u32(route[params.route_offset + row * params.route_stride + choice]), EXPERTS - 1u);
  }
  if (elsewhere(expert)) { return; }

  let lane = thread % LANES;
  let first = (group.x * GROUPS + thread / LANES) * OUTS;
  var element: array<u32, OUTS * PARTS>;
  for (var i = 0u; i < OUTS * PARTS; i++) {
    let part = i % PARTS;
    let held = min(piece_row(part, expert, min(first + i / PARTS, params.count - 1u)), params.piece_rows[part] - 1u);
    element[i] = held * params.k;
  }

  var sums: array<f32, OUTS * PARTS>;
  let source = params.x_offset + row * params.x_stride + choice * params.x_choice;
  for (var k = lane * 16u; k < params.k; k += LANES * 16u) {
    let at = source + (k >> 2u);
    var a = x[at]; var b = x[at + 1u]; var c = x[at + 2u]; var d = x[at + 3u];
    if (TAIL) { a = mask(a, k); b = mask(b, k + 4u); c = mask(c, k + 8u); d = mask(d, k + 12u); }
    for (var i = 0u; i < OUTS * PARTS; i++) {
      var w = decode(params.bases[i % PARTS], element[i] + k);
      if (TAIL) {
        w = mat4x4<f32>(mask(w[0], k), mask(w[1], k + 4u), mask(w[2], k + 8u), mask(w[3], k + 12u));
      }
      sums[i] += (dot(w[0], a) + dot(w[1], b)) + (dot(w[2], c) + dot(w[3], d));
    }
  }

  if (LANES > 1u && !SUBGROUPS) {
    for (var i = 0u; i < OUTS * PARTS; i++) { partials[thread * OUTS * PARTS + i] = sums[i]; }
    workgroupBarrier();
    let o = group.x * GROUPS * OUTS + thread;
    if (thread < GROUPS * OUTS && o < params.count) {
      var sum = vec2(0.0);
      for (var l = 0u; l < LANES; l++) {
        let at = (((thread / OUTS) * LANES + l) * OUTS + thread % OUTS) * PARTS;
        sum.x += partials[at];
        if (GATED) { sum.y += partials[at + 1u]; }
      }
      finish(row, choice, expert, o, sum);
    }
  } else {
    for (var i = 0u; i < OUTS; i++) {
      var sum = vec2(lane_sum(sums[i * PARTS]), 0.0);
      if (GATED) { sum.y = lane_sum(sums[i * PARTS + 1u]); }
      if (lane == 0u && first + i < params.count) { finish(row, choice, expert, first + i, sum); }
    }
  }
}
`,
  "moeRoute": `// moeRoute.wgsl: chooses USED of EXPERTS experts for each row of router logits, best first.
//   score = softmax(x) | σ(x) | x          (GATE 0 | 1 | 2 and 3)
//   rank  = score + bias; with GROUPS > 1 only experts of the best \`groups_used\` groups stay, a group
//           being worth the sum of its two best ranks. Of equals the lower number wins.
//   weight = score of the chosen | softmax over the chosen (GATE 2); over max(sum, 2^-14) if NORMALIZE; · scale
// x   [rows][x_stride] f32, EXPERTS logits        binding 1
// small  selection bias [EXPERTS] at \`bias\`, or NONE  binding 2
// out [rows][out_stride]: USED ids as f32, then USED weights   binding 3
// grid: (1, rows, 1), one workgroup of WG threads a row. An expert's place is the number of experts that
// beat it, so that one pass and one barrier sort.
struct Params {
  domain: u32,
  x_offset: u32,
  x_stride: u32,
  out_offset: u32,
  out_stride: u32,
  bias: u32,
  groups_used: u32,
  scale: f32,
}

const NONE = 0xffffffffu;
const STRUCK = -3.0e38;
const GROUP = EXPERTS / GROUPS;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> small: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

var<workgroup> scores: array<f32, EXPERTS>;
var<workgroup> ranks: array<f32, EXPERTS>;
var<workgroup> worths: array<f32, GROUPS>;
var<workgroup> partials: array<f32, WG>;
var<workgroup> chosen: array<u32, USED>;

// The row's scores as a softmax over all experts.
fn softmax(thread: u32) {
  var top = STRUCK;
  for (var e = thread; e < EXPERTS; e += WG) { top = max(top, scores[e]); }
  partials[thread] = top;
  workgroupBarrier();
  for (var i = 0u; i < WG; i++) { top = max(top, partials[i]); }
  var sum = 0.0;
  for (var e = thread; e < EXPERTS; e += WG) {
    let s = exp(scores[e] - top);
    scores[e] = s;
    sum += s;
  }
  workgroupBarrier();
  partials[thread] = sum;
  workgroupBarrier();
  sum = 0.0;
  for (var i = 0u; i < WG; i++) { sum += partials[i]; }
  for (var e = thread; e < EXPERTS; e += WG) { scores[e] = scores[e] / sum; }
}

// Strikes out the experts of all but the best groups.
fn limit_groups(thread: u32) {
  for (var g = thread; g < GROUPS; g += WG) {
    var first = STRUCK;
    var second = STRUCK;
    for (var i = 0u; i < GROUP; i++) {
      let r = ranks[g * GROUP + i];
      second = max(second, min(first, r));
      first = max(first, r);
    }
    worths[g] = select(first, first + second, GROUP > 1u);
  }
  workgroupBarrier();
  for (var e = thread; e < EXPERTS; e += WG) {
    let g = e / GROUP;
    let own = worths[g];
    var better = 0u;
    for (var i = 0u; i < GROUPS; i++) { better += u32(worths[i] > own || (worths[i] == own && i < g)); }
    if (better >= params.groups_used) { ranks[e] = STRUCK; }
  }
  workgroupBarrier();
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (group.y >= row_count(params.domain)) { return; }
  for (var e = thread; e < EXPERTS; e += WG) {
    let v = x[params.x_offset + group.y * params.x_stride + e];
    scores[e] = select(v, sigmoid(v), GATE == 1u);
  }
  if (GATE == 0u) { softmax(thread); }
  for (var e = thread; e < EXPERTS; e += WG) {
    var rank = scores[e];
    if (params.bias != NONE) { rank += small[params.bias + e]; }
    ranks[e] = rank;
  }
  for (var i = thread; i < USED; i += WG) { chosen[i] = i; }
  workgroupBarrier();
  if (GROUPS > 1u) { limit_groups(thread); }

  for (var e = thread; e < EXPERTS; e += WG) {
    let own = ranks[e];
    var better = 0u;
    for (var i = 0u; i < EXPERTS; i++) { better += u32(ranks[i] > own || (ranks[i] == own && i < e)); }
    if (better < USED) { chosen[better] = e; }
  }
  workgroupBarrier();

  if (thread == 0u) {
    var top = STRUCK;
    if (GATE == 2u) { for (var i = 0u; i < USED; i++) { top = max(top, scores[chosen[i]]); } }
    var sum = 0.0;
    for (var i = 0u; i < USED; i++) {
      var w = scores[chosen[i]];
      if (GATE == 2u) { w = exp(w - top); scores[chosen[i]] = w; }
      sum += w;
    }
    var by = params.scale;
    if (GATE == 2u) { by /= sum; } else if (NORMALIZE) { by /= max(sum, 6.103515625e-5); }
    let at = params.out_offset + group.y * params.out_stride;
    for (var i = 0u; i < USED; i++) {
      out[at + i] = f32(chosen[i]);
      out[at + USED + i] = scores[chosen[i]] * by;
    }
  }
}
`,
  "moeScale": `// moeScale.wgsl: out[r, c · width + i] = w[r, c] · x[r, i] for each of the \`used\` chosen experts
// x [rows][x_stride] f32; route [rows][route_stride]: ids, then weights; out [rows][out_stride] f32
// grid: (ceil(width / 64), rows, used)
struct Params {
  width: u32,
  used: u32,
  domain: u32,
  x_offset: u32,
  x_stride: u32,
  route_offset: u32,
  route_stride: u32,
  out_offset: u32,
  out_stride: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> route: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  if (row >= row_count(params.domain) || id.x >= params.width) { return; }
  let w = route[params.route_offset + row * params.route_stride + params.used + id.z];
  out[params.out_offset + row * params.out_stride + id.z * params.width + id.x] =
    w * x[params.x_offset + row * params.x_stride + id.x];
}
`,
  "moeSum": `// moeSum.wgsl: out[r, i] = Σ_c w[r, c] · x[r, c · width + i] (+ residual[r, i]) over the \`used\` chosen experts
// x        [rows][x_stride] f32, a run of \`width\` for each choice       binding 1
// route    [rows][route_stride]: ids, then weights (w = 1 if !WEIGHTED) binding 2
// residual [rows][residual_stride] f32 (when RESIDUAL)                  binding 3
// out      [rows][out_stride] f32                                       binding 4
// grid: (ceil(width / 64), rows, 1)
struct Params {
  width: u32,
  used: u32,
  domain: u32,
  x_offset: u32,
  x_stride: u32,
  route_offset: u32,
  route_stride: u32,
  residual_offset: u32,
  residual_stride: u32,
  out_offset: u32,
  out_stride: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> route: array<f32>;
@group(1) @binding(3) var<storage, read> residual: array<f32>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  let row = id.y;
  if (row >= row_count(params.domain) || i >= params.width) { return; }
  let weights = params.route_offset + row * params.route_stride + params.used;
  var at = params.x_offset + row * params.x_stride + i;
  var sum = 0.0;
  for (var c = 0u; c < params.used; c++) {
    var v = x[at];
    if (WEIGHTED) { v *= route[weights + c]; }
    sum += v;
    at += params.width;
  }
  if (RESIDUAL) { sum += residual[params.residual_offset + row * params.residual_stride + i]; }
  out[params.out_offset + row * params.out_stride + i] = sum;
}
`,
  "norm": `// norm.wgsl: normalises each run of \`group\` elements of a row.
//   KIND 0 rms:   x / sqrt(mean(x²) + eps) · weight
//   KIND 1 layer: (x − mean) / sqrt(mean((x − mean)²) + eps) · weight + bias
//   KIND 2 l2:    x / max(sqrt(Σ x²), eps)
// x, out [rows][stride] f32; small: weight and bias, f32 index or NONE; the weight has \`group\` entries, or one
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
}

const NONE = 0xffffffffu;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> small: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

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
  if (KIND == 1u) {
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
  if (KIND == 2u) { inv = 1.0 / max(sqrt(square), params.eps); }
  for (var i = thread; i < params.group; i += WG) {
    var y = (x[source + i] - mean) * inv;
    if (params.weight != NONE) { y *= small[params.weight + id.x * params.weight_step + i]; }
    if (params.bias != NONE) { y += small[params.bias + id.x * params.weight_step + i]; }
    out[to + i] = y;
  }
}
`,
  "quant/bf16": `// needs: lib/halves
// BF16: the upper halves of f32 (ggml type BF16), two a word, the first in the low half.

fn bf16x4(a: u32, b: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u));
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let h = load_halves(base, element);
  return mat4x4<f32>(
    bf16x4(h[0].x, h[0].y),
    bf16x4(h[0].z, h[0].w),
    bf16x4(h[1].x, h[1].y),
    bf16x4(h[1].z, h[1].w),
  );
}
`,
  "quant/f16": `// needs: lib/halves
// F16: IEEE half floats (ggml type F16), two a word, the first in the low half.

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let h = load_halves(base, element);
  return mat4x4<f32>(
    vec4(unpack2x16float(h[0].x), unpack2x16float(h[0].y)),
    vec4(unpack2x16float(h[0].z), unpack2x16float(h[0].w)),
    vec4(unpack2x16float(h[1].x), unpack2x16float(h[1].y)),
    vec4(unpack2x16float(h[1].z), unpack2x16float(h[1].w)),
  );
}
`,
  "quant/f32": `// F32: plain little-endian floats (ggml type F32). One word an element.

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = base + element;
  return mat4x4<f32>(
    bitcast<vec4<f32>>(vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u])),
    bitcast<vec4<f32>>(vec4(weights[at + 4u], weights[at + 5u], weights[at + 6u], weights[at + 7u])),
    bitcast<vec4<f32>>(vec4(weights[at + 8u], weights[at + 9u], weights[at + 10u], weights[at + 11u])),
    bitcast<vec4<f32>>(vec4(weights[at + 12u], weights[at + 13u], weights[at + 14u], weights[at + 15u])),
  );
}
`,
  "quant/iq1_m": `// needs: lib/bytes, lib/grids
// IQ1_M (block_iq1_m): 256 weights in 56 bytes, 16 runs of 16, 32 entries of 8 signed bytes.
//    0  qs[32]     low 8 bits of an entry's number
//   32  qh[16]     a run: nibble of its first entry, nibble of its second: 3 high bits, the sign of delta
//   48  scales[4]  u16: 3 bits a run, 4 runs each; the top nibbles together are d, a f16 (low nibble first)
// w = (d * (2 * scale + 1)) * (entry + delta), delta = ± 1/8; the table is that of IQ1_S

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = base + (element >> 8u) * 14u;
  let run = (element >> 4u) & 15u;
  let codes = weights[at + (run >> 1u)] >> ((run & 1u) << 4u);
  let high = weights[at + 8u + (run >> 2u)] >> ((run & 3u) << 3u);
  let scales = vec2(weights[at + 12u], weights[at + 13u]);
  let tops = ((scales >> vec2(12u)) & vec2(15u)) | ((scales >> vec2(24u)) & vec2(0xf0u));
  let d = unpack2x16float(tops.x | (tops.y << 8u)).x;
  let word = select(scales.x, scales.y, run >= 8u) >> ((run & 4u) << 2u);
  let scale = d * f32(2u * ((word >> (3u * (run & 3u))) & 7u) + 1u);
  let da = select(0.125, -0.125, (high & 8u) != 0u);
  let db = select(0.125, -0.125, (high & 128u) != 0u);
  let a = grid8(TABLE_IQ1_S, (codes & 255u) | ((high & 7u) << 8u));
  let b = grid8(TABLE_IQ1_S, ((codes >> 8u) & 255u) | ((high & 0x70u) << 4u));
  return mat4x4<f32>(
    scale * (bytes_i8(a.x) + da),
    scale * (bytes_i8(a.y) + da),
    scale * (bytes_i8(b.x) + db),
    scale * (bytes_i8(b.y) + db),
  );
}
`,
  "quant/iq1_s": `// needs: lib/bytes, lib/grids
// IQ1_S (block_iq1_s): 256 weights in 50 bytes, 8 groups of 32, 32 entries of 8 signed bytes.
//    0  d       f16
//    2  qs[32]  low 8 bits of an entry's number
//   34  qh[8]   u16 a group: 4 × 3 high bits of the numbers, a scale of 3 bits, the sign of delta
// w = (d * (2 * scale + 1)) * (entry + delta), delta = ± 1/8

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 8u) * 50u;
  let codes = load_u16(base, byte + 2u + ((element & 240u) >> 3u));
  let head = load_u16(base, byte + 34u + ((element & 224u) >> 4u));
  let high = head >> select(0u, 6u, (element & 16u) != 0u);
  let scale = load_f16(base, byte) * f32(2u * ((head >> 12u) & 7u) + 1u);
  let delta = select(0.125, -0.125, (head & 0x8000u) != 0u);
  let a = grid8(TABLE_IQ1_S, (codes & 255u) | ((high & 7u) << 8u));
  let b = grid8(TABLE_IQ1_S, (codes >> 8u) | ((high & 56u) << 5u));
  return mat4x4<f32>(
    scale * (bytes_i8(a.x) + delta),
    scale * (bytes_i8(a.y) + delta),
    scale * (bytes_i8(b.x) + delta),
    scale * (bytes_i8(b.y) + delta),
  );
}
`,
  "quant/iq2_s": `// needs: lib/bytes, lib/grids
// IQ2_S (block_iq2_s): 256 weights in 82 bytes, 8 groups of 32, 32 entries of 8.
//    0  d          f16
//    2  qs[32]     low 8 bits of an entry's number
//   34  signs[32]  a sign bit a weight
//   66  qh[8]      a group: high 2 bits of the numbers of its 4 entries
//   74  scales[8]  a group: low nibble for its first 16 weights, high nibble for the others
// w = (d * (0.5 + scale) * 0.25) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 8u) * 82u;
  let group = (element >> 5u) & 7u;
  let shift = (element & 16u) >> 2u;
  let pair = (element & 240u) >> 3u;
  let codes = load_u16(base, byte + 2u + pair);
  let signs = load_u16(base, byte + 34u + pair);
  let high = load_u8(base, byte + 66u + group) >> shift;
  let steps = (load_u8(base, byte + 74u + group) >> shift) & 15u;
  let scale = load_f16(base, byte) * (0.5 + f32(steps)) * 0.25;
  let a = grid8(TABLE_IQ2_S, (codes & 255u) | ((high & 3u) << 8u));
  let b = grid8(TABLE_IQ2_S, (codes >> 8u) | ((high & 12u) << 6u));
  return mat4x4<f32>(
    signed_entry(a.x, signs, scale),
    signed_entry(a.y, signs >> 4u, scale),
    signed_entry(b.x, signs >> 8u, scale),
    signed_entry(b.y, signs >> 12u, scale),
  );
}
`,
  "quant/iq2_xs": `// needs: lib/bytes, lib/grids
// IQ2_XS (block_iq2_xs): 256 weights in 74 bytes, 16 runs of 16.
//    0  d          f16
//    2  qs[32]     u16, 8 weights each: entry number (9 bits), 7 sign bits
//   66  scales[8]  4 bits a run, even runs in the low nibble
// w = (d * (0.5 + scale) * 0.25) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 8u) * 74u;
  let run = (element >> 4u) & 15u;
  let code = load_u32(base, byte + 2u + (run << 2u));
  let steps = (load_u8(base, byte + 66u + (run >> 1u)) >> ((run & 1u) << 2u)) & 15u;
  let scale = load_f16(base, byte) * (0.5 + f32(steps)) * 0.25;
  let a = grid8(TABLE_IQ2_XS, code & 511u);
  let b = grid8(TABLE_IQ2_XS, (code >> 16u) & 511u);
  let sa = even_signs(code >> 9u);
  let sb = even_signs(code >> 25u);
  return mat4x4<f32>(
    signed_entry(a.x, sa, scale),
    signed_entry(a.y, sa >> 4u, scale),
    signed_entry(b.x, sb, scale),
    signed_entry(b.y, sb >> 4u, scale),
  );
}
`,
  "quant/iq2_xxs": `// needs: lib/bytes, lib/grids
// IQ2_XXS (block_iq2_xxs): 256 weights in 66 bytes, 8 groups of 32.
//   0  d       f16
//   2  qs[64]  a group has 8 bytes: 4 entry numbers, then a word of 4 × 7 sign bits and a scale of 4 bits
// w = (d * (0.5 + scale) * 0.25) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 8u) * 66u;
  let half = element & 16u;
  let words = load_u32x2(base, byte + 2u + ((element & 224u) >> 2u));
  let scale = load_f16(base, byte) * (0.5 + f32(words.y >> 28u)) * 0.25;
  let codes = words.x >> half;
  let signs = words.y >> select(0u, 14u, half != 0u);
  let a = grid8(TABLE_IQ2_XXS, codes & 255u);
  let b = grid8(TABLE_IQ2_XXS, (codes >> 8u) & 255u);
  let sa = even_signs(signs);
  let sb = even_signs(signs >> 7u);
  return mat4x4<f32>(
    signed_entry(a.x, sa, scale),
    signed_entry(a.y, sa >> 4u, scale),
    signed_entry(b.x, sb, scale),
    signed_entry(b.y, sb >> 4u, scale),
  );
}
`,
  "quant/iq3_s": `// needs: lib/bytes, lib/grids
// IQ3_S (block_iq3_s): 256 weights in 110 bytes, 8 groups of 32.
//     0  d          f16
//     2  qs[64]     low 8 bits of entry numbers, 4 weights each
//    66  qh[8]      a group: the ninth bits of its 8 entries
//    74  signs[32]  a sign bit a weight
//   106  scales[4]  4 bits a group, even groups in the low nibble
// w = (d * (1 + 2 * scale)) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 8u) * 110u;
  let group = (element >> 5u) & 7u;
  let run = (element >> 4u) & 15u;
  let codes = load_u32(base, byte + 2u + (run << 2u));
  let signs = load_u16(base, byte + 74u + (run << 1u));
  let high = load_u8(base, byte + 66u + group) >> ((run & 1u) << 2u);
  let steps = (load_u8(base, byte + 106u + (group >> 1u)) >> ((group & 1u) << 2u)) & 15u;
  let scale = load_f16(base, byte) * f32(1u + 2u * steps);
  return mat4x4<f32>(
    signed_entry(grid4(TABLE_IQ3_S, (codes & 255u) | ((high & 1u) << 8u)), signs, scale),
    signed_entry(grid4(TABLE_IQ3_S, ((codes >> 8u) & 255u) | ((high & 2u) << 7u)), signs >> 4u, scale),
    signed_entry(grid4(TABLE_IQ3_S, ((codes >> 16u) & 255u) | ((high & 4u) << 6u)), signs >> 8u, scale),
    signed_entry(grid4(TABLE_IQ3_S, (codes >> 24u) | ((high & 8u) << 5u)), signs >> 12u, scale),
  );
}
`,
  "quant/iq3_xxs": `// needs: lib/bytes, lib/grids
// IQ3_XXS (block_iq3_xxs): 256 weights in 98 bytes, 8 groups of 32.
//    0  d        f16
//    2  qs[64]   entry numbers, 4 weights each
//   66  sas[32]  a group: a word of 4 × 7 sign bits (8 weights each) and a scale of 4 bits
// w = (d * (0.5 + scale) * 0.5) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 8u) * 98u;
  let codes = load_u32(base, byte + 2u + ((element & 240u) >> 2u));
  let word = load_u32(base, byte + 66u + ((element & 224u) >> 3u));
  let scale = load_f16(base, byte) * (0.5 + f32(word >> 28u)) * 0.5;
  let signs = word >> select(0u, 14u, (element & 16u) != 0u);
  let sa = even_signs(signs);
  let sb = even_signs(signs >> 7u);
  return mat4x4<f32>(
    signed_entry(grid4(TABLE_IQ3_XXS, codes & 255u), sa, scale),
    signed_entry(grid4(TABLE_IQ3_XXS, (codes >> 8u) & 255u), sa >> 4u, scale),
    signed_entry(grid4(TABLE_IQ3_XXS, (codes >> 16u) & 255u), sb, scale),
    signed_entry(grid4(TABLE_IQ3_XXS, codes >> 24u), sb >> 4u, scale),
  );
}
`,
  "quant/iq4_nl": `// needs: lib/bytes, lib/int8, lib/iq4
// IQ4_NL (block_iq4_nl): 32 weights in 18 bytes.
//   0  d       f16
//   2  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// w = d * level[q]

fn iq4_scale(base: u32, element: u32) -> f32 {
  return load_f16(base, (element >> 5u) * 18u);
}

fn iq4_codes(base: u32, element: u32) -> vec4<u32> {
  return nibbles(load_u32x4(base, (element >> 5u) * 18u + 2u), (element & 16u) >> 2u);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  return scaled_iq4(iq4_codes(base, element), iq4_scale(base, element));
}

fn decode_i8(base: u32, element: u32) -> Int8Run {
  return int8_iq4(iq4_codes(base, element), iq4_scale(base, element));
}
`,
  "quant/iq4_xs": `// needs: lib/bytes, lib/int8, lib/iq4
// IQ4_XS (block_iq4_xs): 256 weights in 136 bytes, 8 groups of 32.
//   0  d            f16
//   2  scales_h     u16: high 2 bits of the scale of group g at bit 2 * g
//   4  scales_l[4]  low 4 bits of the scale of group g: nibble g
//   8  qs[128]      a group has 16 bytes: low nibbles weights 0..15, high nibbles weights 16..31
// w = (d * (scale - 32)) * level[q]

fn iq4_scale(base: u32, element: u32) -> f32 {
  let at = base + (element >> 8u) * 34u;
  let group = (element >> 5u) & 7u;
  let head = weights[at];
  let low = (weights[at + 1u] >> (group << 2u)) & 15u;
  let high = (head >> (16u + (group << 1u))) & 3u;
  return unpack2x16float(head).x * f32(i32(low | (high << 4u)) - 32);
}

fn iq4_codes(base: u32, element: u32) -> vec4<u32> {
  let at = base + (element >> 8u) * 34u + 2u + ((element & 224u) >> 3u);
  return nibbles(load_aligned_u32x4(at), (element & 16u) >> 2u);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  return scaled_iq4(iq4_codes(base, element), iq4_scale(base, element));
}

fn decode_i8(base: u32, element: u32) -> Int8Run {
  return int8_iq4(iq4_codes(base, element), iq4_scale(base, element));
}
`,
  "quant/mxfp4": `// needs: lib/bytes, lib/fp4, lib/int8
// MXFP4 (block_mxfp4): 32 weights in 17 bytes.
//   0  e       exponent: the scale is 2^(e - 128), half of the format's because fp4_floats doubles
//   1  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// w = scale * fp4[q]

// The weights of a block whose scale is a subnormal float (e is 0 or 1), made of bits, because GPUs may take
// subnormals for 0. With e = 1 the 3 bits of the code are those of the float; with e = 0 all is half of that.
fn tiny_values(codes: u32, e: u32) -> vec4<f32> {
  let code = vec4(codes) >> vec4(0u, 8u, 16u, 24u);
  let size = code & vec4(7u);
  let halved = max(size + vec4(4u), size << vec4(1u)) - vec4(4u);
  let bits = select(halved << vec4(21u), size << vec4(22u), e == 1u);
  let sign = select(vec4(0u), (code & vec4(8u)) << vec4(28u), size != vec4(0u));
  return bitcast<vec4<f32>>(bits | sign);
}

fn mxfp4_exponent(base: u32, element: u32) -> u32 {
  return load_u8(base, (element >> 5u) * 17u);
}

fn mxfp4_codes(base: u32, element: u32) -> vec4<u32> {
  return nibbles(load_u32x4(base, (element >> 5u) * 17u + 1u), (element & 16u) >> 2u);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let e = mxfp4_exponent(base, element);
  let q = mxfp4_codes(base, element);
  if (e < 2u) {
    return mat4x4<f32>(tiny_values(q.x, e), tiny_values(q.y, e), tiny_values(q.z, e), tiny_values(q.w, e));
  }
  let scale = bitcast<f32>((e - 1u) << 23u);
  return mat4x4<f32>(
    scale * fp4_floats(q.x),
    scale * fp4_floats(q.y),
    scale * fp4_floats(q.z),
    scale * fp4_floats(q.w),
  );
}

// A subnormal scale is passed as it is: what the GPU makes of it is below 2^-123.
fn decode_i8(base: u32, element: u32) -> Int8Run {
  let e = mxfp4_exponent(base, element);
  let q = mxfp4_codes(base, element);
  let scale = bitcast<f32>(select((e - 1u) << 23u, 0x00200000u << e, e < 2u));
  return Int8Run(vec4(fp4_bytes(q.x), fp4_bytes(q.y), fp4_bytes(q.z), fp4_bytes(q.w)), scale, 0.0);
}
`,
  "quant/nvfp4": `// needs: lib/bytes, lib/fp4
// NVFP4 (block_nvfp4): 64 weights in 36 bytes, 4 runs of 16.
//   0  d[4]    a scale a run: unsigned float of 4 exponent bits (bias 7) and 3 of mantissa; 0x7f is 0
//   4  qs[32]  a run has 8 bytes: low nibbles weights 0..7, high nibbles weights 8..15
// w = (scale / 2) * fp4[q], halved because fp4_floats doubles

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = base + (element >> 6u) * 9u;
  let run = (element >> 4u) & 3u;
  let code = (weights[at] >> (run << 3u)) & 0x7fu;
  // Subnormals count in units of 2^-9 (2^-10 when halved); above, the bits move into place and the bias changes.
  let normal = bitcast<f32>((code << 20u) + (119u << 23u));
  let scale = select(select(normal, f32(code) * 0.0009765625, code < 8u), 0.0, code == 0x7fu);
  let words = vec2(weights[at + 1u + run * 2u], weights[at + 2u + run * 2u]);
  let low = words & vec2(0x0f0f0f0fu);
  let high = (words >> vec2(4u)) & vec2(0x0f0f0f0fu);
  return mat4x4<f32>(
    scale * fp4_floats(low.x),
    scale * fp4_floats(low.y),
    scale * fp4_floats(high.x),
    scale * fp4_floats(high.y),
  );
}
`,
  "quant/q1_0": `// needs: lib/bytes
// Q1_0 (block_q1_0): 128 weights in 18 bytes.
//   0  d       f16
//   2  qs[16]  bit i % 8 of byte i / 8 is weight i
// w = d where the bit is set, else -d

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 7u) * 18u;
  let d = load_f16(base, byte);
  let bits = load_u16(base, byte + 2u + ((element & 112u) >> 3u));
  let flags = vec4(bits) >> vec4(0u, 1u, 2u, 3u);
  return mat4x4<f32>(
    select(vec4(-d), vec4(d), (flags & vec4(1u)) != vec4(0u)),
    select(vec4(-d), vec4(d), (flags & vec4(16u)) != vec4(0u)),
    select(vec4(-d), vec4(d), (flags & vec4(256u)) != vec4(0u)),
    select(vec4(-d), vec4(d), (flags & vec4(4096u)) != vec4(0u)),
  );
}
`,
  "quant/q2_0": `// needs: lib/bytes
// Q2_0 (block_q2_0): 64 weights in 18 bytes.
//   0  d       f16
//   2  qs[16]  2 bits a weight: weight i is in byte i / 4, shifted by 2 * (i % 4)
// w = d * (q - 1)

fn two_bits(word: u32, shift: u32) -> vec4<f32> {
  return vec4<f32>((vec4(word >> shift) >> vec4(0u, 2u, 4u, 6u)) & vec4(3u)) - 1.0;
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 6u) * 18u;
  let d = load_f16(base, byte);
  let word = load_u32(base, byte + 2u + ((element & 48u) >> 2u));
  return mat4x4<f32>(
    d * two_bits(word, 0u),
    d * two_bits(word, 8u),
    d * two_bits(word, 16u),
    d * two_bits(word, 24u),
  );
}
`,
  "quant/q2_k": `// needs: lib/bytes, lib/int8
// Q2_K (block_q2_K): 256 weights in 84 bytes, 16 runs of 16.
//    0  scales[16]  a run: low nibble scale, high nibble minimum
//   16  qs[64]      2 bits a weight: run r is in 16 bytes at 32 * (r / 8) + 16 * (r % 2), shifted by 2 * (r / 2 % 4)
//   80  d           f16
//   82  dmin        f16
// w = (d * scale) * q - dmin * minimum

fn decode_i8(base: u32, element: u32) -> Int8Run {
  let at = base + (element >> 8u) * 21u;
  let run = (element >> 4u) & 15u;
  let dm = unpack2x16float(weights[at + 20u]);
  let scale = weights[at + (run >> 2u)] >> ((run & 3u) << 3u);
  let words = load_aligned_u32x4(at + 4u + ((run & 8u) | ((run & 1u) << 2u)));
  let q = (words >> vec4(run & 6u)) & vec4(0x03030303u);
  return Int8Run(q, dm.x * f32(scale & 15u), -(dm.y * f32((scale >> 4u) & 15u)));
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element);
  return affine_u8(run.q, run.scale, run.minimum);
}
`,
  "quant/q3_k": `// needs: lib/bytes, lib/int8
// Q3_K (block_q3_K): 256 weights in 110 bytes, 16 runs of 16.
//     0  hmask[32]   third bits: run r is in 16 bytes at 16 * (r % 2), bit r / 2
//    32  qs[64]      low 2 bits: run r is in 16 bytes at 32 * (r / 8) + 16 * (r % 2), shifted by 2 * (r / 2 % 4)
//    96  scales[12]  6 bits a run: low 4 in byte r % 8 (nibble r / 8), high 2 in byte 8 + r % 4 (shift 2 * (r / 4))
//   108  d           f16
// w = (d * (scale - 32)) * (q - 4), q of 3 bits

fn decode_i8(base: u32, element: u32) -> Int8Run {
  let byte = (element >> 8u) * 110u;
  let run = (element >> 4u) & 15u;
  let half = (run & 1u) << 4u;
  let low = (load_u8(base, byte + 96u + (run & 7u)) >> ((run & 8u) >> 1u)) & 15u;
  let high = (load_u8(base, byte + 104u + (run & 3u)) >> ((run >> 2u) << 1u)) & 3u;
  let scale = load_f16(base, byte + 108u) * f32(i32(low | (high << 4u)) - 32);
  let twos = (load_u32x4(base, byte + 32u + ((run & 8u) << 2u) + half) >> vec4(run & 6u)) & vec4(0x03030303u);
  let thirds = (load_u32x4(base, byte + half) >> vec4(run >> 1u)) & vec4(0x01010101u);
  return Int8Run(subtract_bytes(twos | (thirds << vec4(2u)), 4u), scale, 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element);
  return scaled_i8(run.q, run.scale);
}
`,
  "quant/q4_0": `// needs: lib/bytes, lib/int8
// Q4_0 (block_q4_0): 32 weights in 18 bytes.
//   0  d       f16
//   2  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// w = d * (q - 8)

fn decode_i8(base: u32, element: u32) -> Int8Run {
  let byte = (element >> 5u) * 18u;
  let q = nibbles(load_u32x4(base, byte + 2u), (element & 16u) >> 2u);
  return Int8Run(subtract_bytes(q, 8u), load_f16(base, byte), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element);
  return scaled_i8(run.q, run.scale);
}
`,
  "quant/q4_1": `// needs: lib/bytes, lib/int8
// Q4_1 (block_q4_1): 32 weights in 20 bytes.
//   0  d       f16
//   2  m       f16
//   4  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// w = d * q + m

fn decode_i8(base: u32, element: u32) -> Int8Run {
  let at = base + (element >> 5u) * 5u;
  let dm = unpack2x16float(weights[at]);
  let q = nibbles(load_aligned_u32x4(at + 1u), (element & 16u) >> 2u);
  return Int8Run(q, dm.x, dm.y);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element);
  return affine_u8(run.q, run.scale, run.minimum);
}
`,
  "quant/q4_k": `// needs: lib/bytes, lib/int8, lib/scales_k4
// Q4_K (block_q4_K): 256 weights in 144 bytes, 8 groups of 32.
//    0  d           f16
//    2  dmin        f16
//    4  scales[12]  see lib/scales_k4
//   16  qs[128]     4 bits a weight: group g is in 32 bytes at 32 * (g / 2), low nibbles where g is even
// w = (d * scale) * q - dmin * minimum

fn decode_i8(base: u32, element: u32) -> Int8Run {
  let at = base + (element >> 8u) * 36u;
  let group = (element >> 5u) & 7u;
  let dm = scales_k4(at, group);
  let words = load_aligned_u32x4(at + 4u + ((group >> 1u) << 3u) + ((element & 16u) >> 2u));
  return Int8Run(nibbles(words, (group & 1u) << 2u), dm.x, -dm.y);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element);
  return affine_u8(run.q, run.scale, run.minimum);
}
`,
  "quant/q5_0": `// needs: lib/bytes, lib/int8
// Q5_0 (block_q5_0): 32 weights in 22 bytes.
//   0  d       f16
//   2  qh[4]   bit i is the fifth bit of weight i
//   6  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// w = d * (q - 16)

fn decode_i8(base: u32, element: u32) -> Int8Run {
  let byte = (element >> 5u) * 22u;
  let half = element & 16u;
  let high = spread_bits(load_u16(base, byte + 2u + (half >> 3u)));
  let q = nibbles(load_u32x4(base, byte + 6u), half >> 2u) | (high << vec4(4u));
  return Int8Run(subtract_bytes(q, 16u), load_f16(base, byte), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element);
  return scaled_i8(run.q, run.scale);
}
`,
  "quant/q5_1": `// needs: lib/bytes, lib/int8
// Q5_1 (block_q5_1): 32 weights in 24 bytes.
//   0  d       f16
//   2  m       f16
//   4  qh[4]   bit i is the fifth bit of weight i
//   8  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// w = d * q + m

fn decode_i8(base: u32, element: u32) -> Int8Run {
  let at = base + (element >> 5u) * 6u;
  let half = element & 16u;
  let dm = unpack2x16float(weights[at]);
  let high = spread_bits(weights[at + 1u] >> half);
  let q = nibbles(load_aligned_u32x4(at + 2u), half >> 2u) | (high << vec4(4u));
  return Int8Run(q, dm.x, dm.y);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element);
  return affine_u8(run.q, run.scale, run.minimum);
}
`,
  "quant/q5_k": `// needs: lib/bytes, lib/int8, lib/scales_k4
// Q5_K (block_q5_K): 256 weights in 176 bytes, 8 groups of 32.
//    0  d           f16
//    2  dmin        f16
//    4  scales[12]  see lib/scales_k4
//   16  qh[32]      bit g of byte i is the fifth bit of weight i of group g
//   48  qs[128]     low 4 bits: group g is in 32 bytes at 32 * (g / 2), low nibbles where g is even
// w = (d * scale) * q - dmin * minimum

fn decode_i8(base: u32, element: u32) -> Int8Run {
  let at = base + (element >> 8u) * 44u;
  let group = (element >> 5u) & 7u;
  let half = (element & 16u) >> 2u;
  let dm = scales_k4(at, group);
  let low = nibbles(load_aligned_u32x4(at + 12u + ((group >> 1u) << 3u) + half), (group & 1u) << 2u);
  let high = (load_aligned_u32x4(at + 4u + half) >> vec4(group)) & vec4(0x01010101u);
  return Int8Run(low | (high << vec4(4u)), dm.x, -dm.y);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element);
  return affine_u8(run.q, run.scale, run.minimum);
}
`,
  "quant/q6_k": `// needs: lib/bytes, lib/int8
// Q6_K (block_q6_K): 256 weights in 210 bytes, 16 runs of 16; n = r / 8, j = r / 2 % 4, h = r % 2 for run r.
//     0  ql[128]     low 4 bits: run r is in 16 bytes at 64 * n + 32 * (j % 2) + 16 * h, high nibbles where j >= 2
//   128  qh[64]      high 2 bits: run r is in 16 bytes at 32 * n + 16 * h, shifted by 2 * j
//   192  scales[16]  i8, one a run
//   208  d           f16
// w = (d * scale) * (q - 32), q of 6 bits

fn decode_i8(base: u32, element: u32) -> Int8Run {
  let byte = (element >> 8u) * 210u;
  let run = (element >> 4u) & 15u;
  let half = (run & 1u) << 4u;
  let scale = bitcast<i32>(load_u8(base, byte + 192u + run) << 24u) >> 24u;
  let low = load_u32x4(base, byte + ((run & 8u) << 3u) + ((run & 2u) << 4u) + half);
  let high = load_u32x4(base, byte + 128u + ((run & 8u) << 2u) + half);
  let q = nibbles(low, run & 4u) | (((high >> vec4(run & 6u)) & vec4(0x03030303u)) << vec4(4u));
  return Int8Run(subtract_bytes(q, 32u), load_f16(base, byte + 208u) * f32(scale), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element);
  return scaled_i8(run.q, run.scale);
}
`,
  "quant/q8_0": `// needs: lib/bytes, lib/int8
// Q8_0 (block_q8_0): 32 weights in 34 bytes.
//   0  d       f16
//   2  qs[32]  i8
// w = d * q

fn decode_i8(base: u32, element: u32) -> Int8Run {
  let byte = (element >> 5u) * 34u;
  return Int8Run(load_u32x4(base, byte + 2u + (element & 16u)), load_f16(base, byte), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element);
  return scaled_i8(run.q, run.scale);
}
`,
  "quant/tq1_0": `// needs: lib/bytes
// TQ1_0 (block_tq1_0): 256 weights in 54 bytes, 16 runs of 16. A byte holds 5 base-3 digits as a fraction of
// 256: digit n is the integer part of 3 * frac(byte * 3^n / 256).
//    0  qs[48]  runs 0..9: digit r / 2 of the 16 bytes at 16 * (r % 2); runs 10..14: digit r - 10 of the bytes at 32
//   48  qh[4]   run 15: digits 0..3 of the four bytes
//   52  d       f16
// w = d * (digit - 1)

fn digits(word: u32, power: u32, d: f32) -> vec4<f32> {
  let bytes = (vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(0xffu);
  return d * (vec4<f32>((((bytes * power) & vec4(0xffu)) * 3u) >> vec4(8u)) - 1.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 8u) * 54u;
  let run = (element >> 4u) & 15u;
  let d = load_f16(base, byte + 52u);
  let late = run >= 10u;
  let last = run == 15u;
  let n = select(run >> 1u, run - 10u, late);
  let power = select((0x1b090301u >> (n << 3u)) & 0xffu, 81u, n == 4u);
  let words = load_u32x4(base, byte + select(select((run & 1u) << 4u, 32u, late), 48u, last));
  let w = select(words, vec4(words.x), last);
  let p = select(vec4(power), vec4(1u, 3u, 9u, 27u), last);
  return mat4x4<f32>(
    digits(w.x, p.x, d),
    digits(w.y, p.y, d),
    digits(w.z, p.z, d),
    digits(w.w, p.w, d),
  );
}
`,
  "quant/tq2_0": `// needs: lib/bytes, lib/int8
// TQ2_0 (block_tq2_0): 256 weights in 66 bytes, 16 runs of 16.
//    0  qs[64]  2 bits a weight: run r is in 16 bytes at 32 * (r / 8) + 16 * (r % 2), shifted by 2 * (r / 2 % 4)
//   64  d       f16
// w = d * (q - 1)

fn decode_i8(base: u32, element: u32) -> Int8Run {
  let byte = (element >> 8u) * 66u;
  let run = (element >> 4u) & 15u;
  let words = load_u32x4(base, byte + ((run & 8u) << 2u) + ((run & 1u) << 4u));
  let q = (words >> vec4(run & 6u)) & vec4(0x03030303u);
  return Int8Run(subtract_bytes(q, 1u), load_f16(base, byte + 64u), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element);
  return scaled_i8(run.q, run.scale);
}
`,
  "quantize": `// needs: lib/dot_i8
// quantize.wgsl: rows of activations as signed bytes, once for all products that read them (lib/dot_i8 has the layout).
//
//   a run of 16:  scale = max |g · x| / 127,  q = round(g · x / scale)
//   NORM: g = the weight of the RMS norm in front; its factor 1 / sqrt(mean(x²) + eps) is applied behind the
//         products, which add up the sums of squares; without it g = 1.
//
// x     [rows][x_stride] f32 as vec4; k is a multiple of 32                        binding 1
// small norm weights as vec4                                                      binding 2
// out   [rows][out_stride] vec4, 3 for 32 activations                            binding 3
// A thread makes two runs. grid: (ceil(k / 32 / WG), rows, 1)
struct Params {
  k: u32,
  domain: u32,
  x_offset: u32, // vec4, as all that follow
  x_stride: u32,
  out_offset: u32,
  out_stride: u32,
  norm: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> small: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read_write> out: array<vec4<u32>>;

// A run whose values are all smaller is taken for zeros: the inverse of its scale would be no float.
const LEAST = 1e-30;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let block = id.x;
  if (block >= params.k >> 5u || id.y >= row_count(params.domain)) { return; }
  let source = params.x_offset + id.y * params.x_stride + 8u * block;
  let to = params.out_offset + id.y * params.out_stride + BLOCK * block;
  var squares = 0.0;
  var scales = vec2(0.0);
  var sums = vec2(0);
  for (var run = 0u; run < 2u; run++) {
    var v: array<vec4<f32>, 4>;
    var most = vec4(0.0);
    for (var i = 0u; i < 4u; i++) {
      v[i] = x[source + 4u * run + i];
      if (NORM) {
        squares += dot(v[i], v[i]);
        v[i] *= small[params.norm + 8u * block + 4u * run + i];
      }
      most = max(most, abs(v[i]));
    }
    let reach = max(max(most.x, most.y), max(most.z, most.w));
    let inverse = select(0.0, 127.0 / reach, reach > LEAST);
    scales[run] = select(0.0, reach / 127.0, reach > LEAST);
    var words = vec4(0u);
    for (var i = 0u; i < 4u; i++) {
      // pack4xI8Clamp would do, but is wrong on one software adapter.
      let q = clamp(vec4<i32>(round(v[i] * inverse)), vec4(-127), vec4(127));
      words[i] = pack4xI8(q);
      sums[run] += (q.x + q.y) + (q.z + q.w);
    }
    out[to + run] = words;
  }
  let both = (bitcast<u32>(sums.x) & 0xffffu) | (bitcast<u32>(sums.y) << 16u);
  out[to + HEAD] = vec4(bitcast<u32>(scales.x), bitcast<u32>(scales.y), both, bitcast<u32>(squares));
}
`,
  "rope": `// rope.wgsl: turns pairs of each head by the angle of the row's position; the rest of the head passes through.
//   NEOX: pairs (i, i + rotated/2), else (2i, 2i + 1), counted from element \`start\` of the head
//   (a, b) → (a·cos − b·sin, a·sin + b·cos)
// x, out  [rows][stride] f32, heads of head_width elements
// angles  [position][rotated/2] (cos, sin), made on the host (GPU sin/cos are too coarse)
// grid: (heads, rows, 1), one workgroup of WG threads a head
struct Params {
  head_width: u32,
  start: u32,
  half: u32, // rotated / 2
  domain: u32,
  x_offset: u32,
  x_stride: u32,
  out_offset: u32,
  out_stride: u32,
  angles: u32, // first entry of this table
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> angles: array<vec2<f32>>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (id.y >= row_count(params.domain)) { return; }
  let source = params.x_offset + id.y * params.x_stride + id.x * params.head_width;
  let to = params.out_offset + id.y * params.out_stride + id.x * params.head_width;
  let at = params.angles + row_position(id.y) * params.half;
  for (var i = thread; i < params.head_width; i += WG) {
    if (i < params.start || i >= params.start + 2u * params.half) { out[to + i] = x[source + i]; }
  }
  for (var i = thread; i < params.half; i += WG) {
    var first = params.start + 2u * i;
    var second = first + 1u;
    if (NEOX) {
      first = params.start + i;
      second = first + params.half;
    }
    let a = x[source + first];
    let b = x[source + second];
    let turn = angles[at + i];
    out[to + first] = a * turn.x - b * turn.y;
    out[to + second] = a * turn.y + b * turn.x;
  }
}
`,
  "ropeStore": `// ropeStore.wgsl: what happens to queries, keys and values between projection and attention, in one pass:
// optional RMS norm of each query and key head, rotary embedding, and the write into the cache.
//   q head → norm → rope → q_out;   k head → norm → rope → slab;   v head → slab
// Without norms, rope or query heads it is the plain store of keys and values.
//
// x      [rows][x_stride] f32 holding q, k and v at their offsets     binding 1
// q_out  [rows][q_stride] f32                                         binding 2
// slab   the layer's cache, rows of [keys | values]                   binding 3
// angles [position][half] (cos, sin)                                  binding 4
// small  norm weights                                                 binding 5
// grid: (query heads + key heads + value heads, rows, 1), WG threads a head
struct Params {
  q_heads: u32,
  k_heads: u32,
  v_heads: u32,
  key_width: u32,
  value_width: u32,
  domain: u32,
  q_offset: u32,
  k_offset: u32,
  v_offset: u32,
  x_stride: u32,
  out_offset: u32,
  out_stride: u32,
  row_words: u32, // words of a slab row
  value_word: u32, // where the values start in it
  start: u32, // first rotated element of a head
  half: u32, // rotated / 2; 0 = no rope
  angles: u32,
  q_norm: u32,
  k_norm: u32,
  eps: f32,
}

const NONE = 0xffffffffu;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read_write> q_out: array<f32>;
@group(1) @binding(3) var<storage, read_write> slab: array<u32>;
@group(1) @binding(4) var<storage, read> angles: array<vec2<f32>>;
@group(1) @binding(5) var<storage, read> small: array<f32>;

var<workgroup> head: array<f32, HEAD>;
var<workgroup> partials: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = id.y;
  if (row >= row_count(params.domain)) { return; }
  let is_q = id.x < params.q_heads;
  let is_v = id.x >= params.q_heads + params.k_heads;
  var width = params.key_width;
  var index = id.x;
  var source = params.q_offset;
  var norm = params.q_norm;
  if (is_v) {
    width = params.value_width;
    index = id.x - params.q_heads - params.k_heads;
    source = params.v_offset;
    norm = NONE;
  } else if (!is_q) {
    index = id.x - params.q_heads;
    source = params.k_offset;
    norm = params.k_norm;
  }
  source += row * params.x_stride + index * width;

  var square = 0.0;
  for (var i = thread; i < width; i += WG) {
    let v = x[source + i];
    head[i] = v;
    square += v * v;
  }
  partials[thread] = square;
  workgroupBarrier();
  if (norm != NONE) {
    var sum = 0.0;
    for (var i = 0u; i < WG; i++) { sum += partials[i]; }
    let inv = 1.0 / sqrt(sum / f32(width) + params.eps);
    for (var i = thread; i < width; i += WG) { head[i] = head[i] * inv * small[norm + i]; }
  }
  workgroupBarrier();
  if (!is_v) {
    let at = params.angles + row_position(row) * params.half;
    for (var i = thread; i < params.half; i += WG) {
      var first = params.start + 2u * i;
      var second = first + 1u;
      if (NEOX) {
        first = params.start + i;
        second = first + params.half;
      }
      let a = head[first];
      let b = head[second];
      let turn = angles[at + i];
      head[first] = a * turn.x - b * turn.y;
      head[second] = a * turn.y + b * turn.x;
    }
  }
  workgroupBarrier();
  if (is_q) {
    let to = params.out_offset + row * params.out_stride + index * width;
    for (var i = thread; i < width; i += WG) { q_out[to + i] = head[i]; }
  } else {
    let word = slab_row(row_sequence(row), row_position(row)) * params.row_words;
    if (is_v) {
      let unit = kv_unit(V_KIND);
      for (var i = thread * unit; i < width; i += WG * unit) { kv_store(V_KIND, word + params.value_word, index * width + i, i); }
    } else {
      let unit = kv_unit(K_KIND);
      for (var i = thread * unit; i < width; i += WG * unit) { kv_store(K_KIND, word, index * width + i, i); }
    }
  }
}
`,
  "sampleDraw": `// needs: lib/step, lib/topk, lib/philox
// sampleDraw.wgsl: draws a row's token from what sampleRuns.wgsl left, as the samplers of src/sample do:
// top-k, top-p, min-p, temperature; then, in descending order of logits (equal ones by id), the first token whose
// running sum of weights exp(logit − highest) exceeds u · (sum of all), u from the seed and the token's position.
// The row's settings: K, p of top-p (1 = off), ln of min-p (−1e30 = off), temperature (more than 0), seed (2 words).
// candidates [row] K × (key, id) for each run
// sampled    [0 … sequences) the last token of each sequence, then [output row] the result that is read back
// grid: (output rows, 1, 1), 64 threads
struct Params {
  width: u32,
  runs: u32,
  stride: u32,
  results: u32, // first result in \`sampled\`
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> candidates: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> sampled: array<u32>;

var<workgroup> found: array<vec2<u32>, LIMIT>; // the K of the row by id; the rest in descending order
var<workgroup> ids: array<u32, LIMIT>;
var<workgroup> logits: array<f32, LIMIT>;
var<workgroup> plain: array<f32, LIMIT>; // weights before the temperature
var<workgroup> weights: array<f32, LIMIT>; // and after it

fn key_at(i: u32) -> u32 { return candidates[i].x; }
fn keep(place: u32, i: u32) { found[place] = candidates[i]; }

// a / b as f32 division on the CPU rounds it: the rest a − q · b is taken exactly, in products of half mantissas.
fn divide(a: f32, b: f32) -> f32 {
  let q = a / b;
  let q_high = bitcast<f32>(bitcast<u32>(q) & 0xfffff000u);
  let b_high = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
  let q_low = q - q_high;
  let b_low = b - b_high;
  return q + (((a - q_high * b_high) - q_high * b_low) - q_low * b_high - q_low * b_low) / b;
}

fn weight(logit: f32, highest: f32) -> f32 {
  let below = logit - highest;
  return select(exp(max(below, -100.0)), 0.0, below < -100.0);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (id.x >= row_count(1u)) { return; }
  let settings = sampling_of(id.x);
  let wanted = min(step[settings], min(LIMIT, params.width));
  let in_last = min(wanted, params.width - (params.runs - 1u) * RUN);
  keep_largest(thread, id.x * params.stride, (params.runs - 1u) * wanted + in_last, wanted);
  workgroupBarrier();
  let temperature = bitcast<f32>(step[settings + 3u]);
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
  var kept = wanted;
  let p = bitcast<f32>(step[settings + 1u]);
  if (p < 1.0) {
    var total = 0.0;
    for (var i = 0u; i < wanted; i++) { total += plain[i]; }
    // In units of 2⁻³¹, so that the sum is exact, as it nearly is in double precision.
    let needed = u32(max(p, 0.0) * 2147483648.0);
    var reached = 0u;
    kept = 0u;
    loop {
      reached += u32(divide(plain[kept], total) * 2147483648.0);
      kept++;
      if (kept == wanted || reached >= needed) { break; }
    }
  }
  let lowest = logits[0] + bitcast<f32>(step[settings + 2u]);
  while (kept > 1u && logits[kept - 1u] < lowest) { kept--; }
  let row = output_row(id.x);
  var sum = 0.0;
  for (var i = 0u; i < kept; i++) { sum += weights[i]; }
  let bound = token_chance(vec2(step[settings + 4u], step[settings + 5u]), row_position(row) + 1u) * sum;
  var token = ids[0];
  var running = 0.0;
  for (var i = 0u; i < kept && running <= bound && weights[i] > 0.0; i++) {
    token = ids[i];
    running += weights[i];
  }
  // Several rows of one sequence may be sampled (verification); its last one counts.
  let sequence = row_sequence(row);
  var is_last = id.x + 1u >= row_count(1u);
  if (!is_last) { is_last = row_sequence(output_row(id.x + 1u)) != sequence; }
  if (is_last) { sampled[sequence] = token; }
  sampled[params.results + step[3] + id.x] = token;
}
`,
  "sampleRuns": `// needs: lib/step, lib/topk
// sampleRuns.wgsl: the K largest logits of each run of RUN logits of a row, equal ones by id; the first step of
// sampling. K is the row's own: the first word of its settings.
// logits [rows][stride] f32; out [row] K × (key, id) for each run, the last of which may have fewer
// grid: (runs, output rows, 1), 64 threads
struct Params {
  width: u32,
  x_offset: u32,
  x_stride: u32,
  out_stride: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> logits: array<u32>; // as bits: no driver may change a NaN
@group(1) @binding(2) var<storage, read_write> out: array<vec2<u32>>;

var<private> source: u32;
var<private> destination: u32;

fn key_at(i: u32) -> u32 { return order_key(logits[source + i]); }
fn keep(place: u32, i: u32) { out[destination + place] = vec2(key_at(i), i); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (id.y >= row_count(1u)) { return; }
  let wanted = min(step[sampling_of(id.y)], min(LIMIT, params.width));
  let first = id.x * RUN;
  let count = min(RUN, params.width - first);
  source = params.x_offset + id.y * params.x_stride;
  destination = id.y * params.out_stride + id.x * wanted;
  keep_largest(thread, first, count, min(wanted, count));
}
`,
  "shift": `// needs: lib/runs, lib/inputs
// shift.wgsl: row t of a sequence becomes row t − 1 (RWKV's token shift); the state is the last row, zero at first.
// x, out [rows][stride] f32. The thread of a run's first row reads the state and moves it on.
// grid: (ceil(width / 64), rows, 1)
struct Params {
  width: u32,
  out_offset: u32,
  out_stride: u32,
  state_offset: u32,
  state_size: u32,
  pad0: u32,
  pad1: u32,
  pad2: u32,
  x: vec4<u32>,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;
@group(1) @binding(6) var<storage, read_write> state: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  if (row >= row_count(0u) || id.x >= params.width) { return; }
  var y = 0.0;
  if (row_run_first(row) == row) {
    let at = params.state_offset + row_sequence(row) * params.state_size + id.x;
    if (row_position(row) != 0u) { y = state[at]; }
    state[at] = load(params.x, row_run_end(row) - 1u, id.x);
  } else {
    y = load(params.x, row - 1u, id.x);
  }
  out[params.out_offset + row * params.out_stride + id.x] = y;
}
`,
  "ssm": `// needs: lib/runs, lib/inputs, lib/activation
// ssm.wgsl: selective state space (Mamba 1 and 2). Row by row, for channel c of head h and group g of heads:
//   dt = softplus(dt[h] + bias[h]);  S[c] = S[c] · exp(dt · A) + dt · x[c] · B[g];  y[c] = S[c] · C[g] + D[h] · x[c]
// x, out [rows][heads · head_width]; dt [rows][heads]; b, c [rows][groups · STATE]; a [heads][STATE] if PER_STATE,
// else [heads]; d, bias [heads]. State of a sequence: [channels][STATE], zero at position 0.
// LANES threads share a channel and hold its state in registers, element lane + LANES · n each; sums of a row
// cross through workgroup memory, two halves in turn, so that one barrier a row is enough.
// grid: (ceil(channels · LANES / WG), runs at the most, 1)
struct Params {
  channels: u32,
  head_width: u32,
  heads_a_group: u32,
  out_offset: u32,
  out_stride: u32,
  state_offset: u32,
  state_size: u32,
  pad0: u32,
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
`,
  "wkv7": `// needs: lib/runs, lib/inputs
// wkv7.wgsl: RWKV-7's time mixing. Row by row, for a head's S [WIDTH][WIDTH]:
//   S = S · diag(w) + (S · a) ⊗ b + v ⊗ k;  y = S · r
// Lines of S do not touch each other, and y = (S · diag(w)) · r + (S · a) (b · r) + v (k · r): one pass over the
// line gives all four sums.
// r, w, k, v, a, b, out [rows][channels], heads of WIDTH each. State of a sequence: [channels][WIDTH], zero at
// position 0.
// LANES threads share a line and hold it in registers, element lane + LANES · n each; sums of a row cross
// through workgroup memory, two halves in turn, so that one barrier a row is enough.
// grid: (ceil(channels · LANES / WG), runs at the most, 1)
struct Params {
  channels: u32,
  out_offset: u32,
  out_stride: u32,
  state_offset: u32,
  state_size: u32,
  pad0: u32,
  pad1: u32,
  pad2: u32,
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
`,
};
