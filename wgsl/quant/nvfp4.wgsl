// needs: lib/words, lib/fp4
// NVFP4 (block_nvfp4): 64 weights in 36 bytes, 4 runs of 16.
//   0  d[4]    a scale a run: unsigned float of 4 exponent bits (bias 7) and 3 of mantissa; 0x7f is 0
//   4  qs[32]  a run has 8 bytes: low nibbles weights 0..7, high nibbles weights 8..15
// w = (scale / 2) * fp4[q], halved because lib/fp4 doubles

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = base + (element >> 6u) * 9u;
  let run = (element >> 4u) & 3u;
  let code = (weights[at] >> (run << 3u)) & 0x7fu;
  // Subnormals count in units of 2^-9 (2^-10 when halved); above, the bits move into place and the bias changes.
  let normal = bitcast<f32>((code << 20u) + (119u << 23u));
  let scale = select(select(normal, f32(code) * 0.0009765625, code < 8u), 0.0, code == 0x7fu);
  let words = vec2(weights[at + 1u + run * 2u], weights[at + 2u + run * 2u]);
  let low = words & vec2(0x0f0f0f0fu);
  return scaled_fp4(vec4(low, (words >> vec2(4u)) & vec2(0x0f0f0f0fu)), scale);
}
