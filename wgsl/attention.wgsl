// needs: lib/step, lib/none, lib/cache, lib/kv-load, lib/attention-range
// varies: lib/queries-ready, lib/queries-append
// attention.wgsl: one query row against its sequence's cache, for up to GROUP query heads that share a key head, a
// range of positions at a time (split-K flash attention: each split has its own maximum and sum; attentionReduce
// joins them).
//   s_j = cap(q·k_j · scale) + alibi · (j − p);   y = Σ_j softmax(s)_j · v_j   (a sink adds exp(sink) to the sum)
//
// q     lib/queries-ready, or lib/queries-append from what the projections left       binding 1
// slab  rows of [keys | values]                                                     binding 2
// small sink logits, ALiBi slopes                                                   binding 3
// out   SPLITS = 1: [rows][out_stride] f32; else [row][head][split][4 + value width]:
//       maximum, sum, 0, 0, then the unnormalised sum of values                     binding 4
//
// A tile is WG · POSITIONS positions: a thread scores POSITIONS of them for all heads, so that what it loads of a key
// serves them all, then sums COLUMNS vec4 columns of the values over its share of the tile, again for all heads. The
// split of a row depends on its own range only: the same for any number of rows.
// grid: (SPLITS, groups of heads, rows), WG = 64 threads
struct Params {
  heads: u32,
  per_kv: u32, // query heads that share a key head
  key_width: u32,
  value_width: u32,
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
  // The rest is for lib/queries-append; q_stride is that of q, k and v.
  k_offset: u32,
  v_offset: u32,
  start: u32, // first rotated element of a head
  half: u32, // rotated / 2; 0 = no rope
  angles: u32,
  q_norm: u32,
  k_norm: u32,
  eps: f32,
}

const WG = 64u;
const TILE = WG * POSITIONS;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(3) var<storage, read> small: array<f32>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> query: array<vec4<f32>, GROUP * KEY4>;
var<workgroup> weight: array<f32, GROUP * TILE>;
var<workgroup> partials: array<f32, GROUP * WG>;
var<workgroup> eighth: array<f32, GROUP * 8u>;
var<workgroup> columns: array<vec4<f32>, WG * COLUMNS>;

// The largest of each head's partials into its `eighth`, of which the eight still have to be compared.
fn largest(thread: u32) {
  workgroupBarrier();
  for (var i = thread; i < GROUP * 8u; i += WG) {
    var m = partials[i * 8u];
    for (var j = 1u; j < 8u; j++) { m = max(m, partials[i * 8u + j]); }
    eighth[i] = m;
  }
  workgroupBarrier();
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = id.z;
  if (row >= row_count(0u)) { return; }
  let groups = (params.per_kv + GROUP - 1u) / GROUP;
  let kv_head = id.y / groups;
  let first = kv_head * params.per_kv + (id.y % groups) * GROUP;
  let heads = min(GROUP, (kv_head + 1u) * params.per_kv - first);
  let sequence = row_sequence(row);
  let position = row_position(row);
  let range = attention_range(row, params.window);
  // Splits in whole multiples of 32 positions; late ones may be empty.
  let share = ((range.y - range.x + SPLITS * 32u - 1u) / (SPLITS * 32u)) * 32u;
  let begin = min(range.x + id.x * share, range.y);
  let end = min(begin + share, range.y);

  take_queries(thread, row, first, heads, begin <= position && position < end);

  let lanes = params.value_width >> 2u;
  let used = (lanes + COLUMNS - 1u) / COLUMNS; // threads that have all columns between them
  let stripes = WG / used; // threads that share their columns, each taking every stripes-th position
  let lane = thread % used;
  let stripe = thread / used;
  var maximum: array<f32, GROUP>;
  var sum: array<f32, GROUP>;
  var values: array<vec4<f32>, GROUP * COLUMNS>;
  for (var g = 0u; g < GROUP; g++) { maximum[g] = -1e30; }

  for (var tile = begin; tile < end; tile += TILE) {
    var words: array<u32, POSITIONS>;
    var scores: array<f32, GROUP * POSITIONS>;
    // Positions past the end repeat the last; their weight is 0.
    for (var n = 0u; n < POSITIONS; n++) {
      words[n] = slab_row(sequence, min(tile + n * WG + thread, end - 1u)) * params.row_words;
      for (var g = 0u; g < GROUP; g++) { scores[g * POSITIONS + n] = 0.0; } // not every driver zeroes again what a loop declares
    }
    for (var i = 0u; i < KEY4; i++) {
      var a: array<vec4<f32>, GROUP>;
      for (var g = 0u; g < GROUP; g++) { a[g] = query[g * KEY4 + i]; }
      for (var n = 0u; n < POSITIONS; n++) {
        if (n == 0u || tile + n * WG < end) {
          let key = kv_load(K_KIND, words[n], kv_head * params.key_width + 4u * i);
          for (var g = 0u; g < GROUP; g++) { scores[g * POSITIONS + n] += dot(a[g], key); }
        }
      }
    }
    for (var g = 0u; g < GROUP; g++) {
      var highest = -1e30;
      for (var n = 0u; n < POSITIONS; n++) {
        let j = tile + n * WG + thread;
        var score = scores[g * POSITIONS + n] * params.scale;
        if (params.softcap > 0.0) { score = params.softcap * tanh(clamp(score / params.softcap, -15.0, 15.0)); }
        if (params.slopes != NONE) { score -= small[params.slopes + first + min(g, heads - 1u)] * abs(f32(position) - f32(j)); }
        score = select(-1e30, score, j < end);
        scores[g * POSITIONS + n] = score;
        highest = max(highest, score);
      }
      partials[g * WG + thread] = highest;
    }
    largest(thread);
    for (var g = 0u; g < GROUP; g++) {
      var next = maximum[g];
      for (var i = 0u; i < 8u; i++) { next = max(next, eighth[g * 8u + i]); }
      let shrink = exp(maximum[g] - next);
      maximum[g] = next;
      var p = 0.0;
      for (var n = 0u; n < POSITIONS; n++) {
        let j = tile + n * WG + thread;
        let one = select(0.0, exp(scores[g * POSITIONS + n] - next), j < end);
        weight[g * TILE + n * WG + thread] = one;
        p += one;
      }
      sum[g] = sum[g] * shrink + p;
      for (var c = 0u; c < COLUMNS; c++) { values[g * COLUMNS + c] *= shrink; }
    }
    workgroupBarrier();
    let count = min(TILE, end - tile);
    if (stripe < stripes) {
      for (var i = stripe; i < count; i += stripes) {
        let word = slab_row(sequence, tile + i) * params.row_words + params.value_word;
        var w: array<f32, GROUP>;
        for (var g = 0u; g < GROUP; g++) { w[g] = weight[g * TILE + i]; }
        for (var c = 0u; c < COLUMNS; c++) {
          // A thread that has fewer columns takes the last one again.
          let column = min(lane + c * used, lanes - 1u);
          let value = kv_load(V_KIND, word, kv_head * VALUE_STEP + 4u * column);
          for (var g = 0u; g < GROUP; g++) { values[g * COLUMNS + c] += w[g] * value; }
        }
      }
    }
    // The next tile writes weights behind the barriers of largest() only.
  }

  for (var g = 0u; g < GROUP; g++) { partials[g * WG + thread] = sum[g]; }
  workgroupBarrier();
  for (var i = thread; i < GROUP * 8u; i += WG) {
    var total = 0.0;
    for (var j = 0u; j < 8u; j++) { total += partials[i * 8u + j]; }
    eighth[i] = total;
  }
  for (var g = 0u; g < heads; g++) {
    workgroupBarrier();
    var total = 0.0;
    for (var i = 0u; i < 8u; i++) { total += eighth[g * 8u + i]; }
    let head = first + g;
    var shrink = 1.0;
    if (SPLITS == 1u && params.sinks != NONE) {
      let sink = small[params.sinks + head];
      let next = max(maximum[g], sink);
      shrink = exp(maximum[g] - next);
      total = total * shrink + exp(sink - next);
    }
    var to = params.out_offset + row * params.out_stride + head * params.value_width;
    if (SPLITS > 1u) {
      to = ((row * params.heads + head) * SPLITS + id.x) * (params.value_width + 4u);
      if (thread == 0u) {
        out[to] = maximum[g];
        out[to + 1u] = total;
      }
      to += 4u;
    }
    // [stripe][column]
    for (var c = 0u; c < COLUMNS && stripe < stripes; c++) {
      columns[(stripe * COLUMNS + c) * used + lane] = values[g * COLUMNS + c];
    }
    workgroupBarrier();
    for (var column = thread; column < lanes; column += WG) {
      var v = vec4(0.0);
      for (var s = 0u; s < stripes; s++) { v += columns[s * COLUMNS * used + column]; }
      if (SPLITS == 1u) { v = v * shrink / total; }
      for (var i = 0u; i < 4u; i++) { out[to + 4u * column + i] = v[i]; }
    }
  }
}
