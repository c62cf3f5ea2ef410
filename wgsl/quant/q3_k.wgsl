// needs: lib/quads, lib/bytes, lib/int8
// offers: i8, scaled, minimum
// Q3_K (block_q3_K): 256 weights in 110 bytes, 16 runs of 16.
//     0  hmask[32]   third bits: run r is in 16 bytes at 16 * (r % 2), bit r / 2
//    32  qs[64]      low 2 bits: run r is in 16 bytes at 32 * (r / 8) + 16 * (r % 2), shifted by 2 * (r / 2 % 4)
//    96  scales[12]  6 bits a run: low 4 in byte r % 8 (nibble r / 8), high 2 in byte 8 + r % 4 (shift 2 * (r / 4))
//   108  d           f16
// Groups of 8 blocks have 55 quads:
//    0  d       f16, one a block
//    1  scales  bytes 0..7, two blocks a quad
//    5  scales  bytes 8..11, four blocks a quad
//    7  hmask   two quads a block
//   23  qs      four quads a block
// w = (d * (scale - 32)) * (q - 4), q of 3 bits

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let at = (base >> 2u) + (block >> 6u) * 55u;
  let i = (block >> 3u) & 7u;
  let group = block & 7u; // of 32, each of two runs
  let run = 2u * group + half;
  let low = (byte_at(at + 1u + (i >> 1u), ((i & 1u) << 3u) + (run & 7u)) >> (group & 4u)) & 15u;
  let high = (byte_at(at + 5u + (i >> 2u), ((i & 3u) << 2u) + (run & 3u)) >> ((run >> 2u) << 1u)) & 3u;
  let scale = half_at(at, i) * f32(i32(low | (high << 4u)) - 32);
  let words = weights[at + 23u + 4u * i + ((group & 4u) >> 1u) + half];
  let twos = (words >> vec4((group & 3u) << 1u)) & vec4(0x03030303u);
  let thirds = (weights[at + 7u + 2u * i + half] >> vec4(group)) & vec4(0x01010101u);
  return Int8Run(twos | (thirds << vec4(2u)), scale, -4.0 * scale);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
  return scaled_i8(subtract_bytes(run.q, 4u), run.scale);
}
