// needs: lib/quads, lib/fp4
// NVFP4 (block_nvfp4): 64 weights in 36 bytes, 4 runs of 16.
//   0  d[4]    a scale a run: unsigned float of 4 exponent bits (bias 7) and 3 of mantissa; 0x7f is 0
//   4  qs[32]  a run has 8 bytes: low nibbles weights 0..7, high nibbles weights 8..15
// Groups of 4 blocks have 9 quads: all d, then two quads of qs a block.
// w = (scale / 2) * fp4[q], halved because lib/fp4 doubles

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let block = element >> 6u;
  let at = (base >> 2u) + (block >> 2u) * 9u;
  let run = (element >> 4u) & 3u;
  let code = (weights[at][block & 3u] >> (run << 3u)) & 0x7fu;
  // Subnormals count in units of 2^-9 (2^-10 when halved); above, the bits move into place and the bias changes.
  let normal = bitcast<f32>((code << 20u) + (119u << 23u));
  let scale = select(select(normal, f32(code) * 0.0009765625, code < 8u), 0.0, code == 0x7fu);
  let words = two_words_at(at + 1u + ((block & 3u) << 1u) + (run >> 1u), run & 1u);
  let low = words & vec2(0x0f0f0f0fu);
  return scaled_fp4(vec4(low, (words >> vec2(4u)) & vec2(0x0f0f0f0fu)), scale);
}
