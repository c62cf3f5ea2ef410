// needs: lib/step, lib/none, lib/cache, lib/kv-load, lib/attention-range
// attentionTile.wgsl: attention of 8 consecutive rows and one head at a time, for prefill chunks. The same
// formula and bindings as attention.wgsl (out is [rows][out_stride]); each key and value that is read serves
// all rows of the tile.
//
// 32 positions at a time: their keys go through workgroup memory, 128 bytes of each a turn, which neighbouring threads read
// as neighbours; a thread scores one position for 4 rows; then 8 threads a row find its maximum and weights; then a thread
// sums PIECES pieces of PIECE quads, COLUMNS in all, of the values for ROW_SHARE rows. Rows of a tile that belong to different sequences are
// done one run of rows after the other.
// grid: (ceil(rows / 8), heads, 1), 64 threads
struct Params {
  per_kv: u32,
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
  window: u32,
  sinks: u32,
  slopes: u32,
  scale: f32,
  softcap: f32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> slab: array<vec4<u32>>;
@group(1) @binding(3) var<storage, read> small: array<f32>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

const POSITIONS = 32u;
const TURN = 8u; // vec4s of a key

var<workgroup> query: array<vec4<f32>, 8u * KEY4>;
// [vec4][position], one more so that neither those who write nor those who read meet in a bank
var<workgroup> keys: array<vec4<u32>, TURN * (POSITIONS + 1u)>;
var<workgroup> scales: array<f32, TURN * (POSITIONS + 1u)>;
var<workgroup> weight: array<f32, 8u * POSITIONS>; // [row][position]
var<workgroup> partials: array<f32, 64>; // [row][eighth]
var<workgroup> shrink: array<f32, 8>;
var<workgroup> begins: array<u32, 8>;
var<workgroup> ends: array<u32, 8>;

fn scale_at(start: u32, word: u32) -> f32 { return bitcast<f32>(slab[start + (word >> 2u)][word & 3u]); }

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
  let rows = row_count(0u);
  let tile_row = id.x * 8u;
  if (tile_row >= rows) { return; }
  let head = id.y;
  let kv_head = head / params.per_kv;
  let tile_end = min(tile_row + 8u, rows);

  let quads = params.value_width >> 2u;
  let pieces = (quads + PIECE - 1u) / PIECE;
  let used = min(pieces, 64u);
  let share = thread / used; // which ROW_SHARE rows of the tile this thread sums values for
  let lane = thread % used;

  var first = tile_row;
  while (first < tile_end) {
    // Rows [first, last) of the tile are of one sequence; the others have an empty range.
    let sequence = row_sequence(first);
    var last = first + 1u;
    while (last < tile_end && row_sequence(last) == sequence) { last++; }
    var low = NONE;
    var high = 0u;
    for (var r = first; r < last; r++) {
      let range = attention_range(r, params.window);
      low = min(low, range.x);
      high = max(high, range.y);
    }
    // Of the run before, only `shrink` is still being read.
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

    // Of row thread / 8, known to all eight of its threads.
    var maximum = -1e30;
    var total = 0.0;
    var values: array<vec4<f32>, ROW_SHARE * COLUMNS>;

    for (var start = low; start < high; start += POSITIONS) {
      let mine = thread % POSITIONS;
      let position = start + mine;
      let four = (thread / POSITIONS) * 4u;
      var scores = vec4(0.0);
      for (var turn = 0u; turn < K_HEAD; turn += TURN) {
        let piece = thread % TURN;
        let at = kv_head * K_HEAD + turn + piece;
        for (var i = thread / TURN; i < POSITIONS; i += 64u / TURN) {
          if (start + i < high && turn + piece < K_HEAD) {
            let row_start = slab_row(sequence, start + i) * params.row_size;
            let to = piece * (POSITIONS + 1u) + i;
            keys[to] = slab[row_start + at];
            if (K_KIND >= KV_Q8_0) { scales[to] = scale_at(row_start, params.key_scales + kv_block(K_KIND, at)); }
          }
        }
        workgroupBarrier();
        for (var i = 0u; i < min(TURN, K_HEAD - turn); i++) {
          let to = i * (POSITIONS + 1u) + mine;
          var load = keys[to];
          for (var j = 0u; j < K_QUADS; j++) {
            let quad = four * KEY4 + (turn + i) * K_QUADS + j;
            var k = kv_quad(K_KIND, load);
            load = kv_next(K_KIND, load);
            if (K_KIND >= KV_Q8_0) { k *= scales[to]; }
            if (KEY4 % K_QUADS == 0u || (turn + i) * K_QUADS + j < KEY4) {
              scores += vec4(dot(query[quad], k), dot(query[quad + KEY4], k), dot(query[quad + 2u * KEY4], k), dot(query[quad + 3u * KEY4], k));
            }
          }
        }
        workgroupBarrier();
      }
      @unroll for (var i = 0u; i < 4u; i++) {
        let r = four + i;
        var score = scores[i] * params.scale;
        if (params.softcap > 0.0) { score = params.softcap * tanh(clamp(score / params.softcap, -15.0, 15.0)); }
        if (params.slopes != NONE) {
          score -= small[params.slopes + head] * abs(f32(row_position(min(tile_row + r, tile_end - 1u))) - f32(position));
        }
        weight[r * POSITIONS + mine] = select(-1e30, score, position >= begins[r] && position < ends[r]);
      }
      workgroupBarrier();
      let at = (thread >> 3u) * POSITIONS + (thread & 7u) * 4u;
      partials[thread] = max(max(weight[at], weight[at + 1u]), max(weight[at + 2u], weight[at + 3u]));
      workgroupBarrier();
      let next = max(maximum, eighths_max(thread >> 3u));
      workgroupBarrier();
      var sum = 0.0;
      @unroll for (var i = 0u; i < 4u; i++) {
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
      let count = min(POSITIONS, high - start);
      @unroll for (var c = 0u; c < PIECES; c++) {
        let column = (lane + c * 64u) * PIECE;
        if (column < quads && share * ROW_SHARE < 8u) {
          @unroll for (var r = 0u; r < ROW_SHARE; r++) {
            let factor = shrink[min(share * ROW_SHARE + r, 7u)];
            @unroll for (var j = 0u; j < PIECE; j++) { values[r * COLUMNS + c * PIECE + j] *= factor; }
          }
          let at_value = kv_head * V_HEAD + column / V_QUADS;
          for (var i = 0u; i < count; i++) {
            let row = slab_row(sequence, start + i) * params.row_size;
            var load = slab[row + params.value_start + at_value];
            if (PIECE < V_QUADS) { load = kv_turned(V_KIND, load, column % V_QUADS); }
            var scale = 1.0;
            if (V_KIND >= KV_Q8_0) { scale = scale_at(row, params.value_scales + kv_block(V_KIND, at_value)); }
            @unroll for (var j = 0u; j < PIECE; j++) {
              var v = kv_quad(V_KIND, load);
              load = kv_next(V_KIND, load);
              if (V_KIND >= KV_Q8_0) { v *= scale; }
              @unroll for (var r = 0u; r < ROW_SHARE; r++) {
                values[r * COLUMNS + c * PIECE + j] += weight[min(share * ROW_SHARE + r, 7u) * POSITIONS + i] * v;
              }
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
    @unroll for (var c = 0u; c < COLUMNS; c++) {
      let column = (lane + c / PIECE * 64u) * PIECE + c % PIECE;
      if (column < quads && share * ROW_SHARE < 8u) {
        @unroll for (var r = 0u; r < ROW_SHARE; r++) {
          let row = tile_row + share * ROW_SHARE + r;
          if (row >= first && row < last) {
            let to = params.out_offset + row * params.out_stride + head * params.value_width + 4u * column;
            let v = values[r * COLUMNS + c] * shrink[share * ROW_SHARE + r];
            @unroll for (var i = 0u; i < 4u; i++) { out[to + i] = v[i]; }
          }
        }
      }
    }
    first = last;
  }
}
