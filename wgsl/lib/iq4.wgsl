// needs: lib/int8
// lib/iq4.wgsl: the 16 unevenly spaced levels of IQ4_NL and IQ4_XS, as signed bytes in four words (levels 0..3 first).

const IQ4_LEVELS = vec4<u32>(0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);

// The levels of the four nibbles that stand alone in the bytes of a word, each in the top byte of its
// component. Selects, because indexing a constant with a variable is slow on many drivers.
fn iq4_levels(codes: u32) -> vec4<u32> {
  let code = vec4(codes) >> vec4(0u, 8u, 16u, 24u);
  let second = (code & vec4(4u)) != vec4(0u);
  let words = select(
    select(vec4(IQ4_LEVELS.x), vec4(IQ4_LEVELS.y), second),
    select(vec4(IQ4_LEVELS.z), vec4(IQ4_LEVELS.w), second),
    (code & vec4(8u)) != vec4(0u),
  );
  return words << (vec4(24u) - ((code & vec4(3u)) << vec4(3u)));
}

fn iq4_floats(codes: u32) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(iq4_levels(codes)) >> vec4(24u));
}

fn iq4_bytes(codes: u32) -> u32 {
  let top = (iq4_levels(codes) & vec4(0xff000000u)) >> vec4(24u, 16u, 8u, 0u);
  return (top.x | top.y) | (top.z | top.w);
}

fn scaled_iq4(codes: vec4<u32>, scale: f32) -> mat4x4<f32> {
  return mat4x4<f32>(
    scale * iq4_floats(codes.x),
    scale * iq4_floats(codes.y),
    scale * iq4_floats(codes.z),
    scale * iq4_floats(codes.w),
  );
}

fn int8_iq4(codes: vec4<u32>, scale: f32) -> Int8Run {
  let q = vec4(iq4_bytes(codes.x), iq4_bytes(codes.y), iq4_bytes(codes.z), iq4_bytes(codes.w));
  return Int8Run(q, scale, 0.0);
}
