// needs: lib/step, lib/none, lib/cache, lib/kv-load, lib/attention-range
// varies: lib/queries-ready, lib/queries-append, lib/lanes-shared, lib/lanes-subgroup
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
// A tile is WG · SHARE / LANES positions. LANES neighbouring threads share the SHARE keys that they score, each reading
// every LANES-th vec4 of them, so that a load of theirs touches few cache lines, and what a thread reads of the queries
// serves SHARE keys; then each has the whole scores of SHARE / LANES positions. For the values a thread sums PIECES pieces
// of PIECE quads, COLUMNS in all, over its share of the tile, for all heads. The split of a row depends on its own range only: the same for
// any number of rows.
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
  row_size: u32, // vec4s of a slab row
  value_start: u32, // vec4 where the values start in it
  key_scales: u32, // words where the scales start in it, of types that have some
  value_scales: u32,
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
const KEYS = WG / LANES; // keys that are scored at a time
const OWN = SHARE / LANES; // positions whose weights a thread makes
const TILE = WG * OWN;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(3) var<storage, read> small: array<f32>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> query: array<vec4<f32>, GROUP * KEY4>;
var<workgroup> weight: array<f32, GROUP * TILE>;
var<workgroup> partials: array<f32, GROUP * WG>;
var<workgroup> eighth: array<f32, GROUP * 8u>;
var<workgroup> columns: array<vec4<f32>, WG * COLUMNS>;

fn scale_at(start: u32, word: u32) -> f32 { return bitcast<f32>(slab[start + (word >> 2u)][word & 3u]); }

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

  let quads = params.value_width >> 2u;
  let pieces = (quads + PIECE - 1u) / PIECE;
  let used = (pieces + PIECES - 1u) / PIECES; // threads that have all pieces between them
  let stripes = WG / used; // threads that share their pieces, each taking every stripes-th position
  let lane = thread % used;
  let stripe = thread / used;
  let part = thread % LANES;
  let own = thread / LANES + part * KEYS; // the first of the thread's own positions of a tile
  var maximum: array<f32, GROUP>;
  var sum: array<f32, GROUP>;
  var values: array<vec4<f32>, GROUP * COLUMNS>;
  @unroll for (var g = 0u; g < GROUP; g++) { maximum[g] = -1e30; }

  for (var tile = begin; tile < end; tile += TILE) {
    var rows: array<u32, SHARE>;
    var scores: array<f32, GROUP * SHARE>;
    // Positions past the end repeat the last; their weight is 0.
    @unroll for (var n = 0u; n < SHARE; n++) {
      rows[n] = slab_row(sequence, min(tile + n * KEYS + thread / LANES, end - 1u)) * params.row_size;
      @unroll for (var g = 0u; g < GROUP; g++) { scores[g * SHARE + n] = 0.0; } // not every driver zeroes again what a loop declares
    }
    for (var i = 0u; i < K_HEAD; i += LANES) {
      let at = kv_head * K_HEAD + i + part;
      var loads: array<vec4<u32>, SHARE>;
      var scales: array<f32, SHARE>;
      @unroll for (var n = 0u; n < SHARE; n++) {
        if (LANES > 1u || n == 0u || tile + n * KEYS < end) {
          loads[n] = slab[rows[n] + at];
          if (K_KIND >= KV_Q8_0) { scales[n] = scale_at(rows[n], params.key_scales + kv_block(K_KIND, at)); }
        }
      }
      for (var j = 0u; j < K_QUADS; j++) {
        let quad = (i + part) * K_QUADS + j;
        if (KEY4 % K_QUADS == 0u || quad < KEY4) {
          var keys: array<vec4<f32>, SHARE>;
          @unroll for (var n = 0u; n < SHARE; n++) {
            keys[n] = kv_quad(K_KIND, loads[n]);
            if (K_KIND >= KV_Q8_0) { keys[n] *= scales[n]; }
            loads[n] = kv_next(K_KIND, loads[n]);
          }
          @unroll for (var g = 0u; g < GROUP; g++) {
            let a = query[g * KEY4 + quad];
            @unroll for (var n = 0u; n < SHARE; n++) {
              if (LANES > 1u || n == 0u || tile + n * KEYS < end) { scores[g * SHARE + n] += dot(a, keys[n]); }
            }
          }
        }
      }
    }
    if (LANES > 1u) {
      @unroll for (var g = 0u; g < GROUP; g++) {
        @unroll for (var n = 0u; n < SHARE; n++) { scores[g * SHARE + n] = lane_sum(scores[g * SHARE + n]); }
        // A thread's own are those of every LANES-th key.
        @unroll for (var n = 0u; n < OWN; n++) {
          @unroll for (var l = 0u; l < LANES; l++) {
            scores[g * SHARE + n * LANES] = select(scores[g * SHARE + n * LANES], scores[g * SHARE + n * LANES + l], part == l);
          }
        }
      }
    }
    @unroll for (var g = 0u; g < GROUP; g++) {
      var highest = -1e30;
      @unroll for (var n = 0u; n < OWN; n++) {
        let j = tile + n * WG + own;
        var score = scores[g * SHARE + n * LANES] * params.scale;
        if (params.softcap > 0.0) { score = params.softcap * tanh(clamp(score / params.softcap, -15.0, 15.0)); }
        if (params.slopes != NONE) { score -= small[params.slopes + first + min(g, heads - 1u)] * abs(f32(position) - f32(j)); }
        score = select(-1e30, score, j < end);
        scores[g * SHARE + n * LANES] = score;
        highest = max(highest, score);
      }
      partials[g * WG + thread] = highest;
    }
    largest(thread);
    @unroll for (var g = 0u; g < GROUP; g++) {
      var next = maximum[g];
      for (var i = 0u; i < 8u; i++) { next = max(next, eighth[g * 8u + i]); }
      let shrink = exp(maximum[g] - next);
      maximum[g] = next;
      var p = 0.0;
      @unroll for (var n = 0u; n < OWN; n++) {
        let j = tile + n * WG + own;
        let one = select(0.0, exp(scores[g * SHARE + n * LANES] - next), j < end);
        weight[g * TILE + n * WG + own] = one;
        p += one;
      }
      sum[g] = sum[g] * shrink + p;
      @unroll for (var c = 0u; c < COLUMNS; c++) { values[g * COLUMNS + c] *= shrink; }
    }
    workgroupBarrier();
    let count = min(TILE, end - tile);
    if (stripe < stripes) {
      for (var i = stripe; i < count; i += stripes) {
        let start = slab_row(sequence, tile + i) * params.row_size;
        var w: array<f32, GROUP>;
        @unroll for (var g = 0u; g < GROUP; g++) { w[g] = weight[g * TILE + i]; }
        @unroll for (var c = 0u; c < PIECES; c++) {
          // A thread that has fewer pieces takes the last one again.
          let first = min(lane + c * used, pieces - 1u) * PIECE;
          let at = kv_head * V_HEAD + first / V_QUADS;
          var load = slab[start + params.value_start + at];
          if (PIECE < V_QUADS) { load = kv_turned(V_KIND, load, first % V_QUADS); }
          var scale = 1.0;
          if (V_KIND >= KV_Q8_0) { scale = scale_at(start, params.value_scales + kv_block(V_KIND, at)); }
          @unroll for (var j = 0u; j < PIECE; j++) {
            var value = kv_quad(V_KIND, load);
            if (V_KIND >= KV_Q8_0) { value *= scale; }
            load = kv_next(V_KIND, load);
            @unroll for (var g = 0u; g < GROUP; g++) { values[g * COLUMNS + c * PIECE + j] += w[g] * value; }
          }
        }
      }
    }
    // The next tile writes weights behind the barriers of largest() only.
  }

  @unroll for (var g = 0u; g < GROUP; g++) { partials[g * WG + thread] = sum[g]; }
  workgroupBarrier();
  for (var i = thread; i < GROUP * 8u; i += WG) {
    var total = 0.0;
    for (var j = 0u; j < 8u; j++) { total += partials[i * 8u + j]; }
    eighth[i] = total;
  }
  @unroll for (var g = 0u; g < GROUP; g++) {
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
      if (thread == 0u && g < heads) {
        out[to] = maximum[g];
        out[to + 1u] = total;
      }
      to += 4u;
    }
    // [stripe][quad]
    if (stripe < stripes) {
      @unroll for (var c = 0u; c < COLUMNS; c++) {
        columns[stripe * COLUMNS * used + (c / PIECE * used + lane) * PIECE + c % PIECE] = values[g * COLUMNS + c];
      }
    }
    workgroupBarrier();
    for (var column = thread; column < quads && g < heads; column += WG) {
      var v = vec4(0.0);
      for (var s = 0u; s < stripes; s++) { v += columns[s * COLUMNS * used + column]; }
      if (SPLITS == 1u) { v = v * shrink / total; }
      for (var i = 0u; i < 4u; i++) { out[to + 4u * column + i] = v[i]; }
    }
  }
}
