// needs: lib/step, lib/cache, lib/heads, lib/kv-store
// lib/queries-append.wgsl: the queries of attention.wgsl from their projections, as ropeStore.wgsl makes them, so that a
// step of one row has no dispatch for that. Every split makes its group's queries; the split to which the row's own
// position belongs (`appends`) makes and stores the key and value too, before it reads them back. GROUP is all
// heads of a key head, so no other workgroup does.
//
// x      [rows][q_stride] f32 holding q, k and v at their offsets                   binding 1
// angles [position][half] (cos, sin)                                                binding 5
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read_write> slab: array<u32>;
@group(1) @binding(5) var<storage, read> angles: array<vec2<f32>>;

const KEY_HEAD = GROUP; // its place among the heads; the value is behind it

fn take_queries(thread: u32, row: u32, first: u32, heads: u32, appends: bool) {
  let kv_head = first / GROUP;
  let count = select(GROUP, GROUP + 2u, appends);
  let lane = thread % 32u;
  let start = thread / 32u;
  for (var h = start; h < count; h += 2u) {
    var width = params.key_width;
    var source = params.q_offset + (first + h) * params.key_width;
    if (h == KEY_HEAD) { source = params.k_offset + kv_head * params.key_width; }
    if (h > KEY_HEAD) {
      width = params.value_width;
      source = params.v_offset + kv_head * params.value_width;
    }
    load_head(h, lane, source + row * params.q_stride, width);
  }
  workgroupBarrier();
  for (var h = start; h < min(count, KEY_HEAD + 1u); h += 2u) {
    norm_head(h, lane, params.key_width, select(params.q_norm, params.k_norm, h == KEY_HEAD));
  }
  workgroupBarrier();
  for (var h = start; h < min(count, KEY_HEAD + 1u); h += 2u) { rotate_head(h, lane, row_position(row)); }
  workgroupBarrier();
  for (var i = thread; i < GROUP * KEY4; i += WG) {
    let at = (i / KEY4) * HEAD + 4u * (i % KEY4);
    query[i] = vec4(head[at], head[at + 1u], head[at + 2u], head[at + 3u]);
  }
  if (appends) {
    let word = slab_row(row_sequence(row), row_position(row)) * params.row_words;
    let key_unit = kv_unit(K_KIND);
    for (var i = thread * key_unit; i < params.key_width; i += WG * key_unit) {
      kv_store(K_KIND, word, kv_head * params.key_width + i, KEY_HEAD * HEAD + i);
    }
    let value_unit = kv_unit(V_KIND);
    for (var i = thread * value_unit; i < params.value_width; i += WG * value_unit) {
      kv_store(V_KIND, word + params.value_word, kv_head * params.value_width + i, (KEY_HEAD + 1u) * HEAD + i);
    }
  }
  storageBarrier();
  workgroupBarrier();
}
