// needs: lib/kv-kinds
// lib/kv-load.wgsl: quads of a vec4<u32> that was loaded from a slab, by element type, one after the other: no index that a
// variable holds, so that all stays in registers.

// The first quad, still to be multiplied by its block's scale where the type has scales.
fn kv_quad(kind: u32, load: vec4<u32>) -> vec4<f32> {
  switch (kind) {
    case KV_F32: { return bitcast<vec4<f32>>(load); }
    case KV_F16: { return vec4(unpack2x16float(load.x), unpack2x16float(load.y)); }
    case KV_Q8_0: { return vec4<f32>(unpack4xI8(load.x)); }
    default: {
      let q = load.x;
      return vec4<f32>(vec4(q, q >> 4u, q >> 8u, q >> 12u) & vec4(15u)) - 8.0;
    }
  }
}

// The next quad becomes the first.
fn kv_next(kind: u32, load: vec4<u32>) -> vec4<u32> {
  switch (kind) {
    case KV_F32: { return load; }
    case KV_F16: { return load.zwxy; }
    case KV_Q8_0: { return load.yzwx; }
    default: { return (load >> vec4(16u)) | (load.yzwx << vec4(16u)); }
  }
}

// Quad `quad` of the load becomes the first.
fn kv_turned(kind: u32, load: vec4<u32>, quad: u32) -> vec4<u32> {
  let halves = (quad << 3u) >> kind; // 16-bit parts in front of it
  var turned = load;
  if (kind != KV_F32) { turned = select(turned, turned.zwxy, (halves & 4u) != 0u); }
  if (kind >= KV_Q8_0) { turned = select(turned, turned.yzwx, (halves & 2u) != 0u); }
  if (kind == KV_Q4_0) { turned = select(turned, kv_next(kind, turned), (halves & 1u) != 0u); }
  return turned;
}

// Word of a row's scales, from their first, that goes with vec4<u32> number `at` of the row's elements.
fn kv_block(kind: u32, at: u32) -> u32 { return select(at >> 1u, at, kind == KV_Q4_0); }
