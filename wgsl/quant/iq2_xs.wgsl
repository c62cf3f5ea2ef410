// needs: lib/words, lib/grids
// IQ2_XS (block_iq2_xs): 256 weights in 74 bytes, 16 runs of 16.
//    0  d          f16
//    2  qs[32]     u16, 8 weights each: entry number (9 bits), 7 sign bits
//   66  scales[8]  4 bits a run, even runs in the low nibble
// w = (d * (0.5 + scale) * 0.25) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 8u) * 74u;
  let run = (element >> 4u) & 15u;
  let code = load_u32(base, byte + 2u + (run << 2u));
  let steps = (load_u8(base, byte + 66u + (run >> 1u)) >> ((run & 1u) << 2u)) & 15u;
  let scale = load_f16(base, byte) * (0.5 + f32(steps)) * 0.25;
  let a = grid8(TABLE_IQ2_XS, code & 511u);
  let b = grid8(TABLE_IQ2_XS, (code >> 16u) & 511u);
  let sa = even_signs(code >> 9u);
  let sb = even_signs(code >> 25u);
  return mat4x4<f32>(
    signed_entry(a.x, sa, scale),
    signed_entry(a.y, sa >> 4u, scale),
    signed_entry(b.x, sb, scale),
    signed_entry(b.y, sb >> 4u, scale),
  );
}
