// needs: lib/step
// moeSum.wgsl: out[r, i] = Σ_c w[r, c] · x[r, c · width + i] (+ residual[r, i]) over the `used` chosen experts
// x        [rows][x_stride] f32, a run of `width` for each choice       binding 1
// route    [rows][route_stride]: ids, then weights (w = 1 if !WEIGHTED) binding 2
// residual [rows][residual_stride] f32 (when RESIDUAL)                  binding 3
// out      [rows][out_stride] f32                                       binding 4
// grid: (ceil(width / 64), rows, 1)
struct Params {
  width: u32,
  used: u32,
  domain: u32,
  x_offset: u32,
  x_stride: u32,
  route_offset: u32,
  route_stride: u32,
  residual_offset: u32,
  residual_stride: u32,
  out_offset: u32,
  out_stride: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> route: array<f32>;
@group(1) @binding(3) var<storage, read> residual: array<f32>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  let row = id.y;
  if (row >= row_count(params.domain) || i >= params.width) { return; }
  let weights = params.route_offset + row * params.route_stride + params.used;
  var at = params.x_offset + row * params.x_stride + i;
  var sum = 0.0;
  for (var c = 0u; c < params.used; c++) {
    var v = x[at];
    if (WEIGHTED) { v *= route[weights + c]; }
    sum += v;
    at += params.width;
  }
  if (RESIDUAL) { sum += residual[params.residual_offset + row * params.residual_stride + i]; }
  out[params.out_offset + row * params.out_stride + i] = sum;
}
