// repack.wgsl: blocks of a tensor as they are in the file into the layout that the kernels read (src/kernels/layouts.ts).
// Blocks of a group and bytes of a part are powers of two, because dividing takes software adapters long.
// staged  whole groups of blocks                                                 binding 1
// out     the piece of the tensor, 16 bytes at a time                            binding 2
// parts   of a block, in the order of the layout                                 binding 3
//           x  its first byte in a block of the file   y  log2 of its bytes
//           z  log2 of its quads in a group            w  its first quad in a group
// One thread makes one quad: those of the first part of all groups, then those of the next.
// grid: (ceil(quads / 64), 1, 1)
struct Params {
  groups: u32,
  blocks: u32, // log2 of the blocks of a group
  bytes: u32, // of a block
  first: u32, // quad of the first group in out
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> staged: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> parts: array<vec4<u32>>;

// Byte of `staged` with byte `at` of a part of a group.
fn source_of(group: u32, part: vec4<u32>, at: u32) -> u32 {
  let block = (group << params.blocks) + (at >> part.y);
  return block * params.bytes + part.x + (at & ((1u << part.y) - 1u));
}

// 16 bytes in a row, which may begin at any byte.
fn quad_at(byte: u32) -> vec4<u32> {
  let at = byte >> 2u;
  let shift = (byte & 3u) << 3u;
  let low = vec4(staged[at], staged[at + 1u], staged[at + 2u], staged[at + 3u]);
  return (low >> vec4(shift)) | ((vec4(low.yzw, staged[at + 4u]) << vec4(1u)) << vec4(31u - shift));
}

// A quad of a part whose blocks have 1, 2, 4 or 8 bytes each, of which as many as 4 stand together.
fn gathered(group: u32, part: vec4<u32>, first: u32) -> vec4<u32> {
  let step = min(1u << part.y, 4u);
  let mask = 0xffffffffu >> (32u - 8u * step);
  var quad = vec4(0u);
  for (var i = 0u; i < 16u; i += step) {
    let byte = source_of(group, part, first + i);
    let at = byte >> 2u;
    let shift = (byte & 3u) << 3u;
    let word = (staged[at] >> shift) | ((staged[at + 1u] << 1u) << (31u - shift));
    quad[i >> 2u] |= (word & mask) << ((i & 3u) << 3u);
  }
  return quad;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let last = arrayLength(&parts) - 1u;
  let end = (1u << parts[last].z) + parts[last].w;
  if (id.x >= params.groups * end) { return; }
  var i = id.x;
  var p = 0u;
  for (; p < last && i >= (params.groups << parts[p].z); p++) { i -= params.groups << parts[p].z; }
  let part = parts[p];
  let group = i >> part.z;
  let quad = i & ((1u << part.z) - 1u);
  let at = params.first + group * end + part.w + quad;
  if (part.y >= 4u) {
    out[at] = quad_at(source_of(group, part, 16u * quad));
  } else {
    out[at] = gathered(group, part, 16u * quad);
  }
}
