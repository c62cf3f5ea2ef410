// needs: lib/step
// moeGroup.wgsl: sorts the pairs (row, choice) of a step by expert and cuts each expert's run into tiles of
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
