// needs: lib/quads, lib/bytes, lib/int8, lib/iq4
// offers: i8
// IQ4_NL (block_iq4_nl): 32 weights in 18 bytes.
//   0  d       f16
//   2  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// Groups of 8 blocks have 9 quads: all d, then a quad of qs a block.
// w = d * level[q]

fn iq4_scale(base: u32, block: u32) -> f32 {
  return half_at((base >> 2u) + (block >> 3u) * 9u, block & 7u);
}

fn iq4_codes(base: u32, block: u32, half: u32) -> vec4<u32> {
  return nibbles(weights[(base >> 2u) + (block >> 3u) * 9u + 1u + (block & 7u)], half << 2u);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  return scaled_iq4(iq4_codes(base, element >> 5u, (element >> 4u) & 1u), iq4_scale(base, element >> 5u));
}

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  return int8_iq4(iq4_codes(base, block, half), iq4_scale(base, block));
}
