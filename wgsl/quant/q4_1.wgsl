// needs: lib/bytes
// Q4_1 (block_q4_1): 32 weights in 20 bytes.
//   0  d       f16
//   2  m       f16
//   4  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// w = d * q + m

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = base + (element >> 5u) * 5u;
  let dm = unpack2x16float(weights[at]);
  let q = nibbles(load_aligned_u32x4(at + 1u), (element & 16u) >> 2u);
  return affine_u8(q, dm.x, dm.y);
}
