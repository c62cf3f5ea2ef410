// needs: lib/quads
// TQ1_0 (block_tq1_0): 256 weights in 54 bytes, 16 runs of 16. A byte holds 5 base-3 digits as a fraction of
// 256: digit n is the integer part of 3 * frac(byte * 3^n / 256).
//    0  qs[48]  runs 0..9: digit r / 2 of the 16 bytes at 16 * (r % 2); runs 10..14: digit r - 10 of the bytes at 32
//   48  qh[4]   run 15: digits 0..3 of the four bytes
//   52  d       f16
// Groups of 8 blocks have 27 quads:
//    0  d   f16, one a block
//    1  qs  bytes 0..31, two quads a block
//   17  qs  bytes 32..47, a quad a block
//   25  qh  a word a block
// w = d * (digit - 1)

fn digits(word: u32, power: u32, d: f32) -> vec4<f32> {
  let bytes = (vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(0xffu);
  return d * (vec4<f32>((((bytes * power) & vec4(0xffu)) * 3u) >> vec4(8u)) - 1.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = (base >> 2u) + (element >> 11u) * 27u;
  let i = (element >> 8u) & 7u;
  let run = (element >> 4u) & 15u;
  let d = half_at(at, i);
  let late = run >= 10u;
  let last = run == 15u;
  let n = select(run >> 1u, run - 10u, late);
  let power = select((0x1b090301u >> (n << 3u)) & 0xffu, 81u, n == 4u);
  let words = weights[at + select(1u + 2u * i + (run & 1u), 17u + i, late)];
  let w = select(words, vec4(weights[at + 25u + (i >> 2u)][i & 3u]), last);
  let p = select(vec4(power), vec4(1u, 3u, 9u, 27u), last);
  return mat4x4<f32>(
    digits(w.x, p.x, d),
    digits(w.y, p.y, d),
    digits(w.z, p.z, d),
    digits(w.w, p.w, d),
  );
}
