// lib/bytes.wgsl: what is done with words of bytes, halves and nibbles, once they are loaded.

// The four bytes of a word as floats, lowest first. Done with shifts, because unpack4xU8 is an
// optional part of WGSL.
fn bytes_u8(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(0xffu));
}

// The same for signed bytes.
fn bytes_i8(word: u32) -> vec4<f32> {
  return vec4<f32>(vec4<i32>(vec4(word) << vec4(24u, 16u, 8u, 0u)) >> vec4(24u));
}

// The low nibble of each byte of four words, after a shift by 0 or 4.
fn nibbles(words: vec4<u32>, shift: u32) -> vec4<u32> {
  return (words >> vec4(shift)) & vec4(0x0f0f0f0fu);
}

// Bit i of the low 16 becomes byte i (0 or 1) of the four words. The product puts four copies of four
// bits 7 apart, so that bit i of the group lands on bit 8 * i.
fn spread_bits(bits: u32) -> vec4<u32> {
  let groups = (vec4(bits) >> vec4(0u, 4u, 8u, 12u)) & vec4(15u);
  return (groups * 0x00204081u) & vec4(0x01010101u);
}

// Each byte (0..127) less n (0..127), as signed bytes. The top bits keep borrows inside their bytes.
fn subtract_bytes(words: vec4<u32>, n: u32) -> vec4<u32> {
  let top = vec4(0x80808080u);
  return ((words | top) - vec4(n * 0x01010101u)) ^ top;
}

// scale * byte of 16 signed bytes.
fn scaled_i8(bytes: vec4<u32>, scale: f32) -> mat4x4<f32> {
  return mat4x4<f32>(
    scale * bytes_i8(bytes.x),
    scale * bytes_i8(bytes.y),
    scale * bytes_i8(bytes.z),
    scale * bytes_i8(bytes.w),
  );
}

// scale * byte + minimum of 16 unsigned bytes.
fn affine_u8(bytes: vec4<u32>, scale: f32, minimum: f32) -> mat4x4<f32> {
  return mat4x4<f32>(
    scale * bytes_u8(bytes.x) + minimum,
    scale * bytes_u8(bytes.y) + minimum,
    scale * bytes_u8(bytes.z) + minimum,
    scale * bytes_u8(bytes.w) + minimum,
  );
}
