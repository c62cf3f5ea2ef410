// needs: lib/quads, lib/grids
// IQ3_S (block_iq3_s): 256 weights in 110 bytes, 8 groups of 32.
//     0  d          f16
//     2  qs[64]     low 8 bits of entry numbers, 4 weights each
//    66  qh[8]      a group: the ninth bits of its 8 entries
//    74  signs[32]  a sign bit a weight
//   106  scales[4]  4 bits a group, even groups in the low nibble
// Groups of 8 blocks have 55 quads:
//    0  d       f16, one a block
//    1  qh      two blocks a quad
//    5  scales  four blocks a quad
//    7  qs      four quads a block
//   39  signs   two quads a block
// w = (d * (1 + 2 * scale)) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = (base >> 2u) + (element >> 11u) * 55u;
  let i = (element >> 8u) & 7u;
  let group = (element >> 5u) & 7u;
  let run = (element >> 4u) & 15u;
  let codes = weights[at + 7u + 4u * i + (run >> 2u)][run & 3u];
  let signs = two_bytes_at(at + 39u + 2u * i + (run >> 3u), run & 7u);
  let high = byte_at(at + 1u + (i >> 1u), ((i & 1u) << 3u) | group) >> ((run & 1u) << 2u);
  let steps = (byte_at(at + 5u + (i >> 2u), ((i & 3u) << 2u) | (group >> 1u)) >> ((group & 1u) << 2u)) & 15u;
  let scale = half_at(at, i) * f32(1u + 2u * steps);
  return mat4x4<f32>(
    signed_entry(grid4(TABLE_IQ3_S, (codes & 255u) | ((high & 1u) << 8u)), signs, scale),
    signed_entry(grid4(TABLE_IQ3_S, ((codes >> 8u) & 255u) | ((high & 2u) << 7u)), signs >> 4u, scale),
    signed_entry(grid4(TABLE_IQ3_S, ((codes >> 16u) & 255u) | ((high & 4u) << 6u)), signs >> 8u, scale),
    signed_entry(grid4(TABLE_IQ3_S, (codes >> 24u) | ((high & 8u) << 5u)), signs >> 12u, scale),
  );
}
