// needs: lib/quads, lib/bytes, lib/fp4, lib/int8
// offers: i8, scaled
// MXFP4 (block_mxfp4): 32 weights in 17 bytes.
//   0  e       exponent: the scale is 2^(e - 128), half of the format's because lib/fp4 doubles
//   1  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// Groups of 16 blocks have 17 quads: all e, then a quad of qs a block.
// w = scale * fp4[q]

// The weights of a block whose scale is a subnormal float (e is 0 or 1), made of bits, because GPUs may take
// subnormals for 0. With e = 1 the 3 bits of the code are those of the float; with e = 0 all is half of that.
fn tiny_values(codes: u32, e: u32) -> vec4<f32> {
  let code = vec4(codes) >> vec4(0u, 8u, 16u, 24u);
  let size = code & vec4(7u);
  let halved = max(size + vec4(4u), size << vec4(1u)) - vec4(4u);
  let bits = select(halved << vec4(21u), size << vec4(22u), e == 1u);
  let sign = select(vec4(0u), (code & vec4(8u)) << vec4(28u), size != vec4(0u));
  return bitcast<vec4<f32>>(bits | sign);
}

fn mxfp4_exponent(base: u32, block: u32) -> u32 {
  return byte_at((base >> 2u) + (block >> 4u) * 17u, block & 15u);
}

fn mxfp4_codes(base: u32, block: u32, half: u32) -> vec4<u32> {
  return nibbles(weights[(base >> 2u) + (block >> 4u) * 17u + 1u + (block & 15u)], half << 2u);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let e = mxfp4_exponent(base, element >> 5u);
  let q = mxfp4_codes(base, element >> 5u, (element >> 4u) & 1u);
  if (e < 2u) {
    return mat4x4<f32>(tiny_values(q.x, e), tiny_values(q.y, e), tiny_values(q.z, e), tiny_values(q.w, e));
  }
  let scale = bitcast<f32>((e - 1u) << 23u);
  return scaled_fp4(q, scale);
}

// A subnormal scale is passed as it is: what the GPU makes of it is below 2^-123.
fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
  let e = mxfp4_exponent(base, block);
  let q = mxfp4_codes(base, block, half);
  let scale = bitcast<f32>(select((e - 1u) << 23u, 0x00200000u << e, e < 2u));
  return Int8Run(subtract_bytes(fp4_biased(q), 12u), scale, 0.0);
}
