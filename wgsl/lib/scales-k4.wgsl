// needs: lib/quads
// lib/scales-k4.wgsl: the head that block_q4_K and block_q5_K share: d f16, dmin f16, then 8 scales and 8 minima of 6 bits
// in 12 bytes, one pair for 32 weights. Byte j < 4 holds scale j (low 6 bits), byte 4 + j minimum j; pair
// 4 + j has its low nibbles in byte 8 + j and its upper bits in the top of bytes j and 4 + j.

// (d * scale, dmin * minimum) of group 2 * two + half of the block whose first four words these are. What both groups
// need is made of both bytes at once.
fn scales_k4(head: vec4<u32>, two: u32, half: u32) -> vec2<f32> {
  let shift = (two & 1u) << 4u;
  let first = head.yz >> vec2(shift);
  let nibbles = vec2(head.w >> shift) >> vec2(0u, 4u);
  let late = (nibbles & vec2(0x0f0fu)) | ((first >> vec2(2u)) & vec2(0x3030u));
  let both = select(first & vec2(0x3f3fu), late, two >= 2u);
  return unpack2x16float(head.x) * vec2<f32>((both >> vec2(half << 3u)) & vec2(63u));
}
