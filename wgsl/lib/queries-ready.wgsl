// lib/queries-ready.wgsl: the queries of attention.wgsl as they are: ropeStore.wgsl has rotated them, where they are rotated at all.
//
// q     [rows][q_stride] f32                                                        binding 1
@group(1) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> slab: array<vec4<u32>>;

// Heads stand one behind the other; a group that has fewer repeats its last.
fn take_queries(thread: u32, row: u32, first: u32, heads: u32, appends: bool) {
  let source = (params.q_offset + row * params.q_stride + first * params.key_width) >> 2u;
  for (var i = thread; i < GROUP * KEY4; i += WG) { query[i] = q[source + min(i / KEY4, heads - 1u) * KEY4 + i % KEY4]; }
  workgroupBarrier();
}
