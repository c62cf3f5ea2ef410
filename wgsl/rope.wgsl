// needs: lib/step
// rope.wgsl: rotates pairs of each head by the angle of the row's position; the rest of the head passes through.
//   NEOX: pairs (i, i + rotated/2), else (2i, 2i + 1), counted from element `start` of the head
//   (a, b) → (a·cos − b·sin, a·sin + b·cos)
// x, out  [rows][stride] f32, heads of head_width elements
// angles  [position][rotated/2] (cos, sin), made on the host (GPU sin/cos are too coarse)
// grid: (heads, rows, 1), one workgroup of WG threads a head
struct Params {
  head_width: u32,
  start: u32,
  half: u32, // rotated / 2
  domain: u32,
  x_offset: u32,
  x_stride: u32,
  out_offset: u32,
  out_stride: u32,
  angles: u32, // first entry of this table
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> angles: array<vec2<f32>>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (id.y >= row_count(params.domain)) { return; }
  let source = params.x_offset + id.y * params.x_stride + id.x * params.head_width;
  let to = params.out_offset + id.y * params.out_stride + id.x * params.head_width;
  let at = params.angles + row_position(id.y) * params.half;
  for (var i = thread; i < params.head_width; i += WG) {
    if (i < params.start || i >= params.start + 2u * params.half) { out[to + i] = x[source + i]; }
  }
  for (var i = thread; i < params.half; i += WG) {
    var first = params.start + 2u * i;
    var second = first + 1u;
    if (NEOX) {
      first = params.start + i;
      second = first + params.half;
    }
    let a = x[source + first];
    let b = x[source + second];
    let rotation = angles[at + i];
    out[to + first] = a * rotation.x - b * rotation.y;
    out[to + second] = a * rotation.y + b * rotation.x;
  }
}
