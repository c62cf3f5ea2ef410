// needs: lib/kv-kinds
// lib/kv-load.wgsl: four consecutive elements of a key or value row of a slab, by element type (lib/kv-kinds.wgsl).
// `word` is the row's first word, `element` a multiple of 4.
fn kv_load(kind: u32, word: u32, element: u32) -> vec4<f32> {
  switch (kind) {
    case KV_F32: {
      let at = word + element;
      return vec4(bitcast<f32>(slab[at]), bitcast<f32>(slab[at + 1u]), bitcast<f32>(slab[at + 2u]), bitcast<f32>(slab[at + 3u]));
    }
    case KV_F16: {
      let at = word + (element >> 1u);
      return vec4(unpack2x16float(slab[at]), unpack2x16float(slab[at + 1u]));
    }
    case KV_Q8_0: {
      let at = word + 9u * (element >> 5u);
      return vec4<f32>(unpack4xI8(slab[at + 1u + ((element & 31u) >> 2u)])) * bitcast<f32>(slab[at]);
    }
    default: {
      let at = word + 5u * (element >> 5u);
      let q = slab[at + 1u + ((element & 31u) >> 3u)] >> ((element & 4u) << 2u);
      return (vec4<f32>(vec4(q, q >> 4u, q >> 8u, q >> 12u) & vec4(15u)) - 8.0) * bitcast<f32>(slab[at]);
    }
  }
}
