// lib/quads.wgsl: `weights: array<Word>`, which the kernel declares, as four words at a time, for types that are stored in
// whole multiples of 16 bytes (src/kernels/layouts.ts): one load and one check of its bounds where lib/words has four.
alias Word = vec4<u32>;

// Single words of a quad are loaded as such: the index of a component may be a variable.

// The f16 `i` (0..7) of a quad. unpack2x16float is exact, subnormals included.
fn half_at(quad: u32, i: u32) -> f32 {
  return unpack2x16float(weights[quad][i >> 1u] >> ((i & 1u) << 4u)).x;
}

// Byte `i` (0..15) of a quad.
fn byte_at(quad: u32, i: u32) -> u32 {
  return (weights[quad][i >> 2u] >> ((i & 3u) << 3u)) & 0xffu;
}

// The 16 bits `i` (0..7) of a quad.
fn two_bytes_at(quad: u32, i: u32) -> u32 {
  return (weights[quad][i >> 1u] >> ((i & 1u) << 4u)) & 0xffffu;
}

// Words 2 * i and 2 * i + 1 of a quad; i is 0 or 1.
fn two_words_at(quad: u32, i: u32) -> vec2<u32> {
  return vec2(weights[quad][2u * i], weights[quad][2u * i + 1u]);
}
