// needs: lib/words, lib/grids
// IQ3_XXS (block_iq3_xxs): 256 weights in 98 bytes, 8 groups of 32.
//    0  d        f16
//    2  qs[64]   entry numbers, 4 weights each
//   66  sas[32]  a group: a word of 4 × 7 sign bits (8 weights each) and a scale of 4 bits
// w = (d * (0.5 + scale) * 0.5) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 8u) * 98u;
  let codes = load_u32(base, byte + 2u + ((element & 240u) >> 2u));
  let word = load_u32(base, byte + 66u + ((element & 224u) >> 3u));
  let scale = load_f16(base, byte) * (0.5 + f32(word >> 28u)) * 0.5;
  let signs = word >> select(0u, 14u, (element & 16u) != 0u);
  let sa = even_signs(signs);
  let sb = even_signs(signs >> 7u);
  return mat4x4<f32>(
    signed_entry(grid4(TABLE_IQ3_XXS, codes & 255u), sa, scale),
    signed_entry(grid4(TABLE_IQ3_XXS, (codes >> 8u) & 255u), sa >> 4u, scale),
    signed_entry(grid4(TABLE_IQ3_XXS, (codes >> 16u) & 255u), sb, scale),
    signed_entry(grid4(TABLE_IQ3_XXS, codes >> 24u), sb >> 4u, scale),
  );
}
