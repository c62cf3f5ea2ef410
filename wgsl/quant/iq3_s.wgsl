// needs: lib/words, lib/grids
// IQ3_S (block_iq3_s): 256 weights in 110 bytes, 8 groups of 32.
//     0  d          f16
//     2  qs[64]     low 8 bits of entry numbers, 4 weights each
//    66  qh[8]      a group: the ninth bits of its 8 entries
//    74  signs[32]  a sign bit a weight
//   106  scales[4]  4 bits a group, even groups in the low nibble
// w = (d * (1 + 2 * scale)) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 8u) * 110u;
  let group = (element >> 5u) & 7u;
  let run = (element >> 4u) & 15u;
  let codes = load_u32(base, byte + 2u + (run << 2u));
  let signs = load_u16(base, byte + 74u + (run << 1u));
  let high = load_u8(base, byte + 66u + group) >> ((run & 1u) << 2u);
  let steps = (load_u8(base, byte + 106u + (group >> 1u)) >> ((group & 1u) << 2u)) & 15u;
  let scale = load_f16(base, byte) * f32(1u + 2u * steps);
  return mat4x4<f32>(
    signed_entry(grid4(TABLE_IQ3_S, (codes & 255u) | ((high & 1u) << 8u)), signs, scale),
    signed_entry(grid4(TABLE_IQ3_S, ((codes >> 8u) & 255u) | ((high & 2u) << 7u)), signs >> 4u, scale),
    signed_entry(grid4(TABLE_IQ3_S, ((codes >> 16u) & 255u) | ((high & 4u) << 6u)), signs >> 8u, scale),
    signed_entry(grid4(TABLE_IQ3_S, (codes >> 24u) | ((high & 8u) << 5u)), signs >> 12u, scale),
  );
}
