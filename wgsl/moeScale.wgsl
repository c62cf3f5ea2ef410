// needs: lib/step
// moeScale.wgsl: out[r, c · width + i] = w[r, c] · x[r, i] for each of the `used` chosen experts
// x [rows][x_stride] f32; route [rows][route_stride]: ids, then weights; out [rows][out_stride] f32
// grid: (ceil(width / 64), rows, used)
struct Params {
  width: u32,
  used: u32,
  domain: u32,
  x_offset: u32,
  x_stride: u32,
  route_offset: u32,
  route_stride: u32,
  out_offset: u32,
  out_stride: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> route: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  if (row >= row_count(params.domain) || id.x >= params.width) { return; }
  let w = route[params.route_offset + row * params.route_stride + params.used + id.z];
  out[params.out_offset + row * params.out_stride + id.z * params.width + id.x] =
    w * x[params.x_offset + row * params.x_stride + id.x];
}
