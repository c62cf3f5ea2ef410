// lib/kv-load.wgsl: four consecutive elements of a key or value row of a slab, by element type.
//   0 f32: one a word          1 f16: two a word
//   2 q8_0: blocks of 32 as [f32 scale][8 words of int8]       x = scale · q
//   3 q4_0: blocks of 32 as [f32 scale][4 words of nibbles]    x = scale · (q − 8)
// `word` is the row's first word, `element` a multiple of 4.
fn kv_load(kind: u32, word: u32, element: u32) -> vec4<f32> {
  switch (kind) {
    case 0u: {
      let at = word + element;
      return vec4(bitcast<f32>(slab[at]), bitcast<f32>(slab[at + 1u]), bitcast<f32>(slab[at + 2u]), bitcast<f32>(slab[at + 3u]));
    }
    case 1u: {
      let at = word + (element >> 1u);
      return vec4(unpack2x16float(slab[at]), unpack2x16float(slab[at + 1u]));
    }
    case 2u: {
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
