// lib/philox.wgsl: random numbers by place, as src/sample/random.ts: Philox-4x32 with 10 rounds
// (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", SC11).

// Upper half of the 64-bit product, from 16-bit halves.
fn multiply_high(a: u32, b: u32) -> u32 {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let cross = a_high * b_low + ((a_low * b_low) >> 16u); // at most 2³² − 2¹⁶: no carry
  let middle = a_low * b_high + (cross & 0xffffu);
  return a_high * b_high + (cross >> 16u) + (middle >> 16u);
}

fn philox(counter: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var key = seed;
  for (var i = 0u; i < 10u; i++) {
    c = vec4(
      multiply_high(0xcd9e8d57u, c.z) ^ c.y ^ key.x,
      0xcd9e8d57u * c.z,
      multiply_high(0xd2511f53u, c.x) ^ c.w ^ key.y,
      0xd2511f53u * c.x,
    );
    key += vec2(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

// The uniform number in [0, 1) by which the token of a position is chosen (stream 0): a multiple of 2⁻²⁴.
fn token_random(seed: vec2<u32>, position: u32) -> f32 {
  return f32(philox(vec4(position, 0u, 0u, 0u), seed).x >> 8u) * 5.9604644775390625e-8;
}
