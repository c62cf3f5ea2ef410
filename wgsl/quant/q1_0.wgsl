// needs: lib/quads
// Q1_0 (block_q1_0): 128 weights in 18 bytes.
//   0  d       f16
//   2  qs[16]  bit i % 8 of byte i / 8 is weight i
// Groups of 8 blocks have 9 quads: all d, then a quad of qs a block.
// w = d where the bit is set, else -d

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let block = element >> 7u;
  let at = (base >> 2u) + (block >> 3u) * 9u;
  let d = half_at(at, block & 7u);
  let bits = two_bytes_at(at + 1u + (block & 7u), (element >> 4u) & 7u);
  let flags = vec4(bits) >> vec4(0u, 1u, 2u, 3u);
  return mat4x4<f32>(
    select(vec4(-d), vec4(d), (flags & vec4(1u)) != vec4(0u)),
    select(vec4(-d), vec4(d), (flags & vec4(16u)) != vec4(0u)),
    select(vec4(-d), vec4(d), (flags & vec4(256u)) != vec4(0u)),
    select(vec4(-d), vec4(d), (flags & vec4(4096u)) != vec4(0u)),
  );
}
