// needs: lib/step, lib/cache, lib/heads, lib/kv-store
// lib/queries-append.wgsl: the queries of attention.wgsl from their projections, as ropeStore.wgsl makes them, so that a
// step of one row has no dispatch for that. Every split makes its group's queries; the split to which the row's own
// position belongs (`appends`) makes and stores the key and value too, before it reads them back. GROUP is all
// heads of a key head, so no other workgroup does.
//
// x      [rows][q_stride] f32 holding q, k and v at their offsets                   binding 1
// angles [position][half] (cos, sin)                                                binding 5
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read_write> slab: array<vec4<u32>>;
@group(1) @binding(5) var<storage, read> angles: array<vec2<f32>>;

const KEY_HEAD = GROUP; // its place among the heads; the value is behind it

fn put(at: u32, words: vec4<u32>) { slab[at] = words; }

// Elements i and on, a unit, of a head whose elements begin at vec4 `at`; returns the block's scale.
fn append_unit(kind: u32, at: u32, slot: u32, i: u32, width: u32) -> f32 {
  return kv_store(kind, at + ((i >> kind) >> 2u), slot * HEAD + i, width - i);
}

// A head to the slab. A thread stores the scales of four blocks at once: a vec4 belongs to one thread, which is why
// quantised heads are whole vec4s of scales (canAppend of src/kernels/attention.ts).
fn append(kind: u32, thread: u32, at: u32, scales: u32, slot: u32, width: u32) {
  if (kind < KV_Q8_0) {
    let unit = kv_unit(kind);
    for (var i = thread * unit; i < width; i += WG * unit) { append_unit(kind, at, slot, i, width); }
    return;
  }
  for (var i = thread * 128u; i < width; i += WG * 128u) {
    slab[scales + (i >> 7u)] = bitcast<vec4<u32>>(vec4(
      append_unit(kind, at, slot, i, width), append_unit(kind, at, slot, i + 32u, width),
      append_unit(kind, at, slot, i + 64u, width), append_unit(kind, at, slot, i + 96u, width)));
  }
}

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
    let start = slab_row(row_sequence(row), row_position(row)) * params.row_size;
    let key_scales = start + ((params.key_scales + ((kv_head * params.key_width) >> 5u)) >> 2u);
    let value_scales = start + ((params.value_scales + ((kv_head * params.value_width) >> 5u)) >> 2u);
    append(K_KIND, thread, start + kv_head * K_HEAD, key_scales, KEY_HEAD, params.key_width);
    append(V_KIND, thread, start + params.value_start + kv_head * V_HEAD, value_scales, KEY_HEAD + 1u, params.value_width);
  }
  storageBarrier();
  workgroupBarrier();
}
