// needs: lib/quads
// Q2_0 (block_q2_0): 64 weights in 18 bytes.
//   0  d       f16
//   2  qs[16]  2 bits a weight: weight i is in byte i / 4, shifted by 2 * (i % 4)
// Groups of 8 blocks have 9 quads: all d, then a quad of qs a block.
// w = d * (q - 1)

fn two_bits(word: u32, shift: u32) -> vec4<f32> {
  return vec4<f32>((vec4(word >> shift) >> vec4(0u, 2u, 4u, 6u)) & vec4(3u)) - 1.0;
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let block = element >> 6u;
  let at = (base >> 2u) + (block >> 3u) * 9u;
  let d = half_at(at, block & 7u);
  let word = weights[at + 1u + (block & 7u)][(element >> 4u) & 3u];
  return mat4x4<f32>(
    d * two_bits(word, 0u),
    d * two_bits(word, 8u),
    d * two_bits(word, 16u),
    d * two_bits(word, 24u),
  );
}
