// needs: lib/quads, lib/bytes, lib/grids
// IQ1_S (block_iq1_s): 256 weights in 50 bytes, 8 groups of 32, 32 entries of 8 signed bytes.
//    0  d       f16
//    2  qs[32]  low 8 bits of an entry's number
//   34  qh[8]   u16 a group: 4 × 3 high bits of the numbers, a scale of 3 bits, the sign of delta
// Groups of 8 blocks have 25 quads: all d, two quads of qs a block, then one of qh a block.
// w = (d * (2 * scale + 1)) * (entry + delta), delta = ± 1/8

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = (base >> 2u) + (element >> 11u) * 25u;
  let i = (element >> 8u) & 7u;
  let codes = two_bytes_at(at + 1u + 2u * i + ((element >> 7u) & 1u), (element >> 4u) & 7u);
  let head = two_bytes_at(at + 17u + i, (element >> 5u) & 7u);
  let high = head >> select(0u, 6u, (element & 16u) != 0u);
  let scale = half_at(at, i) * f32(2u * ((head >> 12u) & 7u) + 1u);
  let delta = select(0.125, -0.125, (head & 0x8000u) != 0u);
  let a = grid8(TABLE_IQ1_S, (codes & 255u) | ((high & 7u) << 8u));
  let b = grid8(TABLE_IQ1_S, (codes >> 8u) | ((high & 56u) << 5u));
  return mat4x4<f32>(
    scale * (bytes_i8(a.x) + delta),
    scale * (bytes_i8(a.y) + delta),
    scale * (bytes_i8(b.x) + delta),
    scale * (bytes_i8(b.y) + delta),
  );
}
