// needs: lib/step
// copy.wgsl: moves runs of a row: slices, parts of a concatenation, and the choice of output rows.
//   out[r][out_offset + g · out_run + i] = x[row][x_offset + g · x_run + i],  i < width, g < groups
//   row = r, or the r-th row whose output is wanted (SELECT)
// grid: (ceil(groups · width / 64), rows, 1)
struct Params {
  width: u32,
  groups: u32,
  domain: u32,
  x_offset: u32,
  x_stride: u32,
  x_run: u32,
  out_offset: u32,
  out_stride: u32,
  out_run: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.y >= row_count(params.domain) || id.x >= params.width * params.groups) { return; }
  let group = id.x / params.width;
  let i = id.x % params.width;
  var row = id.y;
  if (SELECT) { row = output_row(id.y); }
  out[params.out_offset + id.y * params.out_stride + group * params.out_run + i] =
    x[params.x_offset + row * params.x_stride + group * params.x_run + i];
}
