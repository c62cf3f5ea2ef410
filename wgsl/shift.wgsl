// needs: lib/step, lib/runs, lib/inputs
// shift.wgsl: row t of a sequence becomes row t − 1 (RWKV's token shift); the state is the last row, zero at first.
// x, out [rows][stride] f32. The thread of a run's first row reads the state and moves it on.
// grid: (ceil(width / 64), rows, 1)
struct Params {
  width: u32,
  out_offset: u32,
  out_stride: u32,
  state_offset: u32,
  state_size: u32,
  x: vec4<u32>,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;
@group(1) @binding(6) var<storage, read_write> state: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  if (row >= row_count(0u) || id.x >= params.width) { return; }
  var y = 0.0;
  if (row_run_first(row) == row) {
    let at = params.state_offset + row_sequence(row) * params.state_size + id.x;
    if (row_position(row) != 0u) { y = state[at]; }
    state[at] = load(params.x, row_run_end(row) - 1u, id.x);
  } else {
    y = load(params.x, row - 1u, id.x);
  }
  out[params.out_offset + row * params.out_stride + id.x] = y;
}
