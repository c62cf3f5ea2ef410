// needs: lib/quads, lib/grids
// IQ3_XXS (block_iq3_xxs): 256 weights in 98 bytes, 8 groups of 32.
//    0  d        f16
//    2  qs[64]   entry numbers, 4 weights each
//   66  sas[32]  a group: a word of 4 × 7 sign bits (8 weights each) and a scale of 4 bits
// Groups of 8 blocks have 49 quads: all d, four quads of qs a block, then two of sas a block.
// w = (d * (0.5 + scale) * 0.5) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = (base >> 2u) + (element >> 11u) * 49u;
  let i = (element >> 8u) & 7u;
  let codes = weights[at + 1u + 4u * i + ((element >> 6u) & 3u)][(element >> 4u) & 3u];
  let word = weights[at + 33u + 2u * i + ((element >> 7u) & 1u)][(element >> 5u) & 3u];
  let scale = half_at(at, i) * (0.5 + f32(word >> 28u)) * 0.5;
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
