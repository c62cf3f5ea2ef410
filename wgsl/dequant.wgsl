// needs: lib/store-run
// varies: quant/*
// dequant.wgsl: dequantises a run of elements of one tensor to f32: out[i] = weight(first + i) for i < count.
// Used by the tests of the quant snippets and by what needs a small tensor as plain floats.
//
// group(1): 0 params, 1 weights (blocks as src/kernels/layouts.ts has them), 2 out; group(2): lookup tables, for the types that have any.
// One thread for 16 elements, 64 threads a workgroup: grid (x, y) with x * y * 1024 >= count.

struct Params {
  // Word of `weights` where the tensor starts.
  base: u32,
  // First element; a multiple of 16 for block types.
  first: u32,
  count: u32,
  // Word of `out` that receives the first element.
  out_first: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<Word>;
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
  store_run(params.out_first + start, values, params.count - start);
}
