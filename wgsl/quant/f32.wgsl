// needs: lib/words
// offers: spread
// F32: plain little-endian floats (ggml type F32). One word an element.

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = base + element;
  return mat4x4<f32>(
    bitcast<vec4<f32>>(vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u])),
    bitcast<vec4<f32>>(vec4(weights[at + 4u], weights[at + 5u], weights[at + 6u], weights[at + 7u])),
    bitcast<vec4<f32>>(vec4(weights[at + 8u], weights[at + 9u], weights[at + 10u], weights[at + 11u])),
    bitcast<vec4<f32>>(vec4(weights[at + 12u], weights[at + 13u], weights[at + 14u], weights[at + 15u])),
  );
}
