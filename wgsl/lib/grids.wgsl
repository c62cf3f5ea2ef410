// needs: lib/tables, lib/bytes
// lib/grids.wgsl: codebooks. The IQ types store indices of entries, 8 or 4 small values each, and signs. Entries are bytes
// in the lookup tables; the linker puts the words at which they start (src/file/tables.ts) in front as TABLE_*.

// An entry of 8 bytes.
fn grid8(table: u32, index: u32) -> vec2<u32> {
  let at = table + 2u * index;
  return vec2(tables[at], tables[at + 1u]);
}

// An entry of 4 bytes.
fn grid4(table: u32, index: u32) -> u32 {
  return tables[table + index];
}

// Signs of 8 weights from 7 bits: the eighth makes the number of minus signs even.
fn even_signs(bits: u32) -> u32 {
  let seven = bits & 127u;
  return seven | ((countOneBits(seven) & 1u) << 7u);
}

// The four bytes of an entry times scale, negative where the bit of `signs` is set.
fn signed_entry(entry: u32, signs: u32, scale: f32) -> vec4<f32> {
  let flips = (vec4(signs) << vec4(31u, 30u, 29u, 28u)) & vec4(0x80000000u);
  return bitcast<vec4<f32>>(vec4(bitcast<u32>(scale)) ^ flips) * bytes_u8(entry);
}
