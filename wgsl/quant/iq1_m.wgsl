// needs: lib/quads, lib/bytes, lib/grids
// IQ1_M (block_iq1_m): 256 weights in 56 bytes, 16 runs of 16, 32 entries of 8 signed bytes.
//    0  qs[32]     low 8 bits of an entry's number
//   32  qh[16]     a run: nibble of its first entry, nibble of its second: 3 high bits, the sign of delta
//   48  scales[4]  u16: 3 bits a run, 4 runs each; the top nibbles together are d, a f16 (low nibble first)
// Groups of 2 blocks have 7 quads: all scales, two quads of qs a block, then one of qh a block.
// w = (d * (2 * scale + 1)) * (entry + delta), delta = ± 1/8; the table is that of IQ1_S

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = (base >> 2u) + (element >> 9u) * 7u;
  let i = (element >> 8u) & 1u;
  let run = (element >> 4u) & 15u;
  let codes = two_bytes_at(at + 1u + 2u * i + (run >> 3u), run & 7u);
  let high = byte_at(at + 5u + i, run);
  let scales = two_words_at(at, i);
  let tops = ((scales >> vec2(12u)) & vec2(15u)) | ((scales >> vec2(24u)) & vec2(0xf0u));
  let d = unpack2x16float(tops.x | (tops.y << 8u)).x;
  let word = select(scales.x, scales.y, run >= 8u) >> ((run & 4u) << 2u);
  let scale = d * f32(2u * ((word >> (3u * (run & 3u))) & 7u) + 1u);
  let da = select(0.125, -0.125, (high & 8u) != 0u);
  let db = select(0.125, -0.125, (high & 128u) != 0u);
  let a = grid8(TABLE_IQ1_S, (codes & 255u) | ((high & 7u) << 8u));
  let b = grid8(TABLE_IQ1_S, ((codes >> 8u) & 255u) | ((high & 0x70u) << 4u));
  return mat4x4<f32>(
    scale * (bytes_i8(a.x) + da),
    scale * (bytes_i8(a.y) + da),
    scale * (bytes_i8(b.x) + db),
    scale * (bytes_i8(b.y) + db),
  );
}
