// needs: lib/quads, lib/grids
// IQ2_XS (block_iq2_xs): 256 weights in 74 bytes, 16 runs of 16.
//    0  d          f16
//    2  qs[32]     u16, 8 weights each: entry number (9 bits), 7 sign bits
//   66  scales[8]  4 bits a run, even runs in the low nibble
// Groups of 8 blocks have 37 quads: all d, four of all scales, then four quads of qs a block.
// w = (d * (0.5 + scale) * 0.25) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = (base >> 2u) + (element >> 11u) * 37u;
  let i = (element >> 8u) & 7u;
  let run = (element >> 4u) & 15u;
  let code = weights[at + 5u + 4u * i + (run >> 2u)][run & 3u];
  let steps = (byte_at(at + 1u + (i >> 1u), ((i & 1u) << 3u) | (run >> 1u)) >> ((run & 1u) << 2u)) & 15u;
  let scale = half_at(at, i) * (0.5 + f32(steps)) * 0.25;
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
