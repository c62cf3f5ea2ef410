// needs: lib/step, lib/none, lib/cache, lib/heads, lib/kv-store
// ropeStore.wgsl: what happens to queries, keys and values between projection and attention, in one pass:
// optional RMS norm of each query and key head, rotary embedding, and the write into the cache.
//   q head → norm → rope → q_out;   k head → norm → rope → slab;   v head → slab
// Without norms, rope or query heads it is the plain store of keys and values.
//
// x      [rows][x_stride] f32 holding q, k and v at their offsets     binding 1
// q_out  [rows][q_stride] f32                                         binding 2
// slab   the layer's cache, rows of [keys | values]                   binding 3
// angles [position][half] (cos, sin)                                  binding 4
// small  norm weights                                                 binding 5
// grid: (query heads + key heads + value heads, rows, 1), 32 threads a head
struct Params {
  q_heads: u32,
  k_heads: u32,
  key_width: u32,
  value_width: u32,
  q_offset: u32,
  k_offset: u32,
  v_offset: u32,
  x_stride: u32,
  out_offset: u32,
  out_stride: u32,
  row_words: u32, // words of a slab row
  value_word: u32, // where the values start in it
  key_scales: u32, // where the scales start, of types that have some
  value_scales: u32,
  start: u32, // first rotated element of a head
  half: u32, // rotated / 2; 0 = no rope
  angles: u32,
  q_norm: u32,
  k_norm: u32,
  eps: f32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read_write> q_out: array<f32>;
@group(1) @binding(3) var<storage, read_write> slab: array<u32>;
@group(1) @binding(4) var<storage, read> angles: array<vec2<f32>>;
@group(1) @binding(5) var<storage, read> small: array<f32>;

fn put(at: u32, words: vec4<u32>) {
  for (var i = 0u; i < 4u; i++) { slab[4u * at + i] = words[i]; }
}

// A head to the slab: its elements from word `at` on, its scales among those of all heads.
fn store(kind: u32, at: u32, scales: u32, index: u32, width: u32, thread: u32) {
  let unit = kv_unit(kind);
  for (var i = thread * unit; i < width; i += 32u * unit) {
    let scale = kv_store(kind, (at + (i >> kind)) >> 2u, i, width - i);
    if (kind >= KV_Q8_0) { slab[scales + ((index * width + i) >> 5u)] = bitcast<u32>(scale); }
  }
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = id.y;
  if (row >= row_count(0u)) { return; }
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

  load_head(0u, thread, source, width);
  workgroupBarrier();
  norm_head(0u, thread, width, norm);
  workgroupBarrier();
  if (!is_v) { rotate_head(0u, thread, row_position(row)); }
  workgroupBarrier();
  if (is_q) {
    let to = params.out_offset + row * params.out_stride + index * width;
    for (var i = thread; i < width; i += 32u) { q_out[to + i] = head[i]; }
  } else {
    let start = slab_row(row_sequence(row), row_position(row)) * params.row_words;
    if (is_v) {
      store(V_KIND, start + params.value_word + index * 4u * V_HEAD, start + params.value_scales, index, width, thread);
    } else {
      store(K_KIND, start + index * 4u * K_HEAD, start + params.key_scales, index, width, thread);
    }
  }
}
