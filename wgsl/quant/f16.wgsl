// needs: lib/halves
// offers: spread
// F16: IEEE half floats (ggml type F16), two a word, the first in the low half.

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let h = load_halves(base, element);
  return mat4x4<f32>(
    vec4(unpack2x16float(h[0].x), unpack2x16float(h[0].y)),
    vec4(unpack2x16float(h[0].z), unpack2x16float(h[0].w)),
    vec4(unpack2x16float(h[1].x), unpack2x16float(h[1].y)),
    vec4(unpack2x16float(h[1].z), unpack2x16float(h[1].w)),
  );
}
