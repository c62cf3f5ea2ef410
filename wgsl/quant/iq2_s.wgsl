// needs: lib/quads, lib/grids
// IQ2_S (block_iq2_s): 256 weights in 82 bytes, 8 groups of 32, 32 entries of 8.
//    0  d          f16
//    2  qs[32]     low 8 bits of an entry's number
//   34  signs[32]  a sign bit a weight
//   66  qh[8]      a group: high 2 bits of the numbers of its 4 entries
//   74  scales[8]  a group: low nibble for its first 16 weights, high nibble for the others
// Groups of 8 blocks have 41 quads:
//    0  d       f16, one a block
//    1  qh      two blocks a quad
//    5  scales  two blocks a quad
//    9  qs      two quads a block
//   25  signs   two quads a block
// w = (d * (0.5 + scale) * 0.25) * entry, with signs

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = (base >> 2u) + (element >> 11u) * 41u;
  let i = (element >> 8u) & 7u;
  let group = (element >> 5u) & 7u;
  let shift = (element & 16u) >> 2u;
  let quad = at + 9u + 2u * i + (group >> 2u);
  let codes = two_bytes_at(quad, (element >> 4u) & 7u);
  let signs = two_bytes_at(quad + 16u, (element >> 4u) & 7u);
  let byte = ((i & 1u) << 3u) | group;
  let high = byte_at(at + 1u + (i >> 1u), byte) >> shift;
  let steps = (byte_at(at + 5u + (i >> 1u), byte) >> shift) & 15u;
  let scale = half_at(at, i) * (0.5 + f32(steps)) * 0.25;
  let a = grid8(TABLE_IQ2_S, (codes & 255u) | ((high & 3u) << 8u));
  let b = grid8(TABLE_IQ2_S, (codes >> 8u) | ((high & 12u) << 6u));
  return mat4x4<f32>(
    signed_entry(a.x, signs, scale),
    signed_entry(a.y, signs >> 4u, scale),
    signed_entry(b.x, signs >> 8u, scale),
    signed_entry(b.y, signs >> 12u, scale),
  );
}
