// needs: lib/words
// lib/halves.wgsl: 16 consecutive 16-bit elements as eight words.

// Rows of odd length make a run start in the middle of a word: the branch is the same for the
// whole row, and for other rows it is never taken.
fn load_halves(base: u32, element: u32) -> array<vec4<u32>, 2> {
  let at = base + (element >> 1u);
  let a = vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
  let b = vec4(weights[at + 4u], weights[at + 5u], weights[at + 6u], weights[at + 7u]);
  if ((element & 1u) == 0u) {
    return array<vec4<u32>, 2>(a, b);
  }
  return array<vec4<u32>, 2>(
    (a >> vec4(16u)) | (vec4(a.yzw, b.x) << vec4(16u)),
    (b >> vec4(16u)) | (vec4(b.yzw, weights[at + 8u]) << vec4(16u)),
  );
}
