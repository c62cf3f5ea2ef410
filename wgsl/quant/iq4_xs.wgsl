// needs: lib/quads, lib/bytes, lib/int8, lib/iq4
// offers: i8
// IQ4_XS (block_iq4_xs): 256 weights in 136 bytes, 8 groups of 32.
//   0  d            f16
//   2  scales_h     u16: high 2 bits of the scale of group g at bit 2 * g
//   4  scales_l[4]  low 4 bits of the scale of group g: nibble g
//   8  qs[128]      a group has 16 bytes: low nibbles weights 0..15, high nibbles weights 16..31
// Groups of 2 blocks have 17 quads: all before qs, then eight quads of qs a block.
// w = (d * (scale - 32)) * level[q]

fn iq4_scale(base: u32, block: u32) -> f32 {
  let group = block & 7u;
  let head = two_words_at((base >> 2u) + (block >> 4u) * 17u, (block >> 3u) & 1u);
  let low = (head.y >> (group << 2u)) & 15u;
  let high = (head.x >> (16u + (group << 1u))) & 3u;
  return unpack2x16float(head.x).x * f32(i32(low | (high << 4u)) - 32);
}

fn iq4_codes(base: u32, block: u32, half: u32) -> vec4<u32> {
  return nibbles(weights[(base >> 2u) + (block >> 4u) * 17u + 1u + (block & 15u)], half << 2u);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  return scaled_iq4(iq4_codes(base, element >> 5u, (element >> 4u) & 1u), iq4_scale(base, element >> 5u));
}

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  return int8_iq4(iq4_codes(base, block, half), iq4_scale(base, block));
}
