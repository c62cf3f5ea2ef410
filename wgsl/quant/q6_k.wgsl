// needs: lib/quads, lib/bytes, lib/int8
// offers: i8, scaled, minimum, pairs-64
// Q6_K (block_q6_K): 256 weights in 210 bytes, 16 runs of 16; n = r / 8, j = r / 2 % 4, h = r % 2 for run r.
//   ql[128]     low 4 bits: run r is in quad 4 * n + 2 * (j % 2) + h, high nibbles where j >= 2
//   qh[64]      high 2 bits: run r is in quad 2 * n + h, shifted by 2 * j
//   scales[16]  i8, one a run
//   d           f16
// Groups of 8 blocks have 105 quads:
//    0  d       f16, one a block
//    1  scales  a quad a block
//    9  ql      eight quads a block
//   73  qh      four quads a block
// w = (d * scale) * (q - 32), q of 6 bits

// A unit is 16 bytes of ql: a run and the one 64 weights on, which is four runs later.
fn decode_i8(base: u32, unit: u32, half: u32) -> Int8Run {
  let at = (base >> 2u) + (unit >> 6u) * 105u;
  let i = (unit >> 3u) & 7u;
  let sixteen = unit & 7u;
  let scales = weights[at + 1u + i][((sixteen & 4u) >> 1u) | half];
  let scale = half_at(at, i) * f32(bitcast<i32>(scales << (24u - ((sixteen & 3u) << 3u))) >> 24u);
  let low = weights[at + 9u + (i << 3u) + sixteen];
  let high = weights[at + 73u + (i << 2u) + ((sixteen & 4u) >> 1u) + (sixteen & 1u)];
  let q = nibbles(low, half << 2u) | (((high >> vec4((sixteen & 2u) | (half << 2u))) & vec4(0x03030303u)) << vec4(4u));
  return Int8Run(q, scale, -32.0 * scale);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let run = decode_i8(base, ((element >> 7u) << 2u) | ((element >> 4u) & 3u), (element >> 6u) & 1u);
  return scaled_i8(subtract_bytes(run.q, 32u), run.scale);
}
