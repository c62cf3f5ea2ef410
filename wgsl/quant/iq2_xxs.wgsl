// needs: lib/quads, lib/grids
// IQ2_XXS (block_iq2_xxs): 256 weights in 66 bytes, 8 groups of 32.
//   0  d       f16
//   2  qs[64]  a group has 8 bytes: 4 entry numbers, then a word of 4 × 7 sign bits and a scale of 4 bits
// Groups of 8 blocks have 33 quads: all d, then four quads of qs a block.
// w = (d * (0.5 + scale) * 0.25) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = (base >> 2u) + (element >> 11u) * 33u;
  let i = (element >> 8u) & 7u;
  let half = element & 16u;
  let words = two_words_at(at + 1u + 4u * i + ((element >> 6u) & 3u), (element >> 5u) & 1u);
  let scale = half_at(at, i) * (0.5 + f32(words.y >> 28u)) * 0.25;
  let codes = words.x >> half;
  let signs = words.y >> select(0u, 14u, half != 0u);
  let a = grid8(TABLE_IQ2_XXS, codes & 255u);
  let b = grid8(TABLE_IQ2_XXS, (codes >> 8u) & 255u);
  let sa = even_signs(signs);
  let sb = even_signs(signs >> 7u);
  return mat4x4<f32>(
    signed_entry(a.x, sa, scale),
    signed_entry(a.y, sa >> 4u, scale),
    signed_entry(b.x, sb, scale),
    signed_entry(b.y, sb >> 4u, scale),
  );
}
