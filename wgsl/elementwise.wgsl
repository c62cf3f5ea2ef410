// needs: lib/step, lib/activation, lib/elementwise-kinds
// elementwise.wgsl: out[r, i] = f(a[r, i], b[r or 0, (i / repeat) % period])
//   add: a + b   mul: a · b   scale: a · c.x + c.y   clamp: clamp(a, c.x, c.y)   activation: act(a)
//   softcap: c.x · tanh(a / c.x)   gated: act(a) · b with alpha c.x, limit c.y
//   positionScale: a · (ln(floor((p + c.z) / c.x) + 1) · c.y + 1), p = position
//   xielu: xIELU with alphaN c.x, alphaP c.y, beta c.z, eps c.w
// a, out [rows][stride] f32; b likewise, or a weight vector (b_stride = 0)
// grid: (ceil(width / 64), rows, 1)
struct Params {
  width: u32,
  domain: u32,
  a_offset: u32,
  a_stride: u32,
  b_offset: u32,
  b_stride: u32,
  out_offset: u32,
  out_stride: u32,
  repeat: u32,
  period: u32,
  kind: u32,
  act: u32, // number of the activation, where there is one
  c: vec4<f32>,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> a: array<f32>;
@group(1) @binding(2) var<storage, read> b: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  let row = id.y;
  if (row >= row_count(params.domain) || i >= params.width) { return; }
  let va = a[params.a_offset + row * params.a_stride + i];
  let vb = b[params.b_offset + row * params.b_stride + (i / params.repeat) % params.period];
  let c = params.c;
  var y = va;
  switch (params.kind) {
    case OP_ADD: { y = va + vb; }
    case OP_MUL: { y = va * vb; }
    case OP_SCALE: { y = va * c.x + c.y; }
    case OP_CLAMP: { y = clamp(va, c.x, c.y); }
    case OP_ACTIVATION: { y = activate(params.act, va); }
    case OP_SOFTCAP: { y = c.x * safe_tanh(va / c.x); }
    case OP_GATED: { y = gated(params.act, va, vb, c.x, c.y); }
    case OP_POSITION_SCALE: { y = va * (log(floor((f32(row_position(row)) + c.z) / c.x) + 1.0) * c.y + 1.0); }
    default: {
      let n = min(va, c.w);
      y = select((exp(n) - 1.0 - va) * c.x + c.z * va, c.y * va * va + c.z * va, va > 0.0);
    }
  }
  out[params.out_offset + row * params.out_stride + i] = y;
}
