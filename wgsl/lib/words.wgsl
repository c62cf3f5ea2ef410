// lib/words.wgsl: `weights: array<Word>`, which the kernel declares, as single words: bytes, halves and unaligned words of
// it. GGUF is little-endian. An address is a word `base` (start of a tensor) and a byte offset `byte` from there, so that a
// binding may be larger than a 32-bit count of bits, and up to 4 GiB.
alias Word = u32;

fn load_u8(base: u32, byte: u32) -> u32 {
  return (weights[base + (byte >> 2u)] >> ((byte & 3u) << 3u)) & 0xffu;
}

// `byte` is a multiple of 2.
fn load_u16(base: u32, byte: u32) -> u32 {
  return (weights[base + (byte >> 2u)] >> ((byte & 2u) << 3u)) & 0xffffu;
}

// The f16 at `byte`, a multiple of 2. unpack2x16float is exact, subnormals included.
fn load_f16(base: u32, byte: u32) -> f32 {
  return unpack2x16float(load_u16(base, byte)).x;
}

// low and high are neighbours in memory: the word that starts `shift` bits (0..31) into low.
// The left shift is done in two, because a shift by 32 is a shift by 0.
fn straddle(low: vec4<u32>, high: vec4<u32>, shift: u32) -> vec4<u32> {
  return (low >> vec4(shift)) | ((high << vec4(1u)) << vec4(31u - shift));
}

// The word at any `byte`. Reads the next word too, which may lie behind the tensor.
fn load_u32(base: u32, byte: u32) -> u32 {
  let at = base + (byte >> 2u);
  let shift = (byte & 3u) << 3u;
  return (weights[at] >> shift) | ((weights[at + 1u] << 1u) << (31u - shift));
}

// Two words at any `byte`, by three loads.
fn load_u32x2(base: u32, byte: u32) -> vec2<u32> {
  let at = base + (byte >> 2u);
  let shift = (byte & 3u) << 3u;
  let low = vec2(weights[at], weights[at + 1u]);
  let high = vec2(low.y, weights[at + 2u]);
  return (low >> vec2(shift)) | ((high << vec2(1u)) << vec2(31u - shift));
}

// Four words (16 bytes) `skip` words behind any `byte`, by five loads. Neighbours share loads where the compiler
// sees that only the skip differs.
fn load_u32x4(base: u32, byte: u32, skip: u32) -> vec4<u32> {
  let at = base + (byte >> 2u) + skip;
  let low = vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
  return straddle(low, vec4(low.yzw, weights[at + 4u]), (byte & 3u) << 3u);
}

// Four words (16 bytes) at a word address.
fn load_aligned_u32x4(at: u32) -> vec4<u32> {
  return vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
}
