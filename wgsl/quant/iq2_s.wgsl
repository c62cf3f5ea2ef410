// needs: lib/words, lib/grids
// IQ2_S (block_iq2_s): 256 weights in 82 bytes, 8 groups of 32, 32 entries of 8.
//    0  d          f16
//    2  qs[32]     low 8 bits of an entry's number
//   34  signs[32]  a sign bit a weight
//   66  qh[8]      a group: high 2 bits of the numbers of its 4 entries
//   74  scales[8]  a group: low nibble for its first 16 weights, high nibble for the others
// w = (d * (0.5 + scale) * 0.25) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 8u) * 82u;
  let group = (element >> 5u) & 7u;
  let shift = (element & 16u) >> 2u;
  let pair = (element & 240u) >> 3u;
  let codes = load_u16(base, byte + 2u + pair);
  let signs = load_u16(base, byte + 34u + pair);
  let high = load_u8(base, byte + 66u + group) >> shift;
  let steps = (load_u8(base, byte + 74u + group) >> shift) & 15u;
  let scale = load_f16(base, byte) * (0.5 + f32(steps)) * 0.25;
  let a = grid8(TABLE_IQ2_S, (codes & 255u) | ((high & 3u) << 8u));
  let b = grid8(TABLE_IQ2_S, (codes >> 8u) | ((high & 12u) << 6u));
  return mat4x4<f32>(
    signed_entry(a.x, signs, scale),
    signed_entry(a.y, signs >> 4u, scale),
    signed_entry(b.x, signs >> 8u, scale),
    signed_entry(b.y, signs >> 12u, scale),
  );
}
