// needs: lib/quads
// lib/scales-k4.wgsl: the head that block_q4_K and block_q5_K share: d f16, dmin f16, then 8 scales and 8 minima of 6 bits
// in 12 bytes, one pair for 32 weights. Byte j < 4 holds scale j (low 6 bits), byte 4 + j minimum j; pair
// 4 + j has its low nibbles in byte 8 + j and its upper bits in the top of bytes j and 4 + j.

// (d * scale, dmin * minimum) of pair 0..7 of the block whose first four words these are.
fn scales_k4(head: vec4<u32>, pair: u32) -> vec2<f32> {
  let shift = (pair & 3u) << 3u;
  let first = head.yz >> vec2(shift);
  let nibbles = vec2(head.w >> shift) >> vec2(0u, 4u);
  let late = (nibbles & vec2(15u)) | ((first >> vec2(2u)) & vec2(0x30u));
  return unpack2x16float(head.x) * vec2<f32>(select(first & vec2(63u), late, pair >= 4u));
}
