// needs: lib/step
// dot.wgsl: out[r, g] = Σ_i a[r, g · group + i] · b[r, g · group + i] over i < group
// a, b [rows][stride] f32; out [rows][out_stride] f32, `count` runs
// grid: (ceil(count / 64), rows, 1), one thread a run: runs are a head long and there are few of them
struct Params {
  count: u32,
  group: u32,
  domain: u32,
  a_offset: u32,
  a_stride: u32,
  b_offset: u32,
  b_stride: u32,
  out_offset: u32,
  out_stride: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> a: array<f32>;
@group(1) @binding(2) var<storage, read> b: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.y >= row_count(params.domain) || id.x >= params.count) { return; }
  let at_a = params.a_offset + id.y * params.a_stride + id.x * params.group;
  let at_b = params.b_offset + id.y * params.b_stride + id.x * params.group;
  var sum = 0.0;
  for (var i = 0u; i < params.group; i++) { sum += a[at_a + i] * b[at_b + i]; }
  out[params.out_offset + id.y * params.out_stride + id.x] = sum;
}
