// lib/inputs.wgsl: the inputs of ops that read many values. Each value stands in one of up to four buffers (two
// values are often in the same one); a source is (buffer, offset, stride, 1), or (…, 0) when there is none.
@group(1) @binding(1) var<storage, read> in0: array<f32>;
@group(1) @binding(2) var<storage, read> in1: array<f32>;
@group(1) @binding(3) var<storage, read> in2: array<f32>;
@group(1) @binding(4) var<storage, read> in3: array<f32>;

fn load(source: vec4<u32>, row: u32, i: u32) -> f32 {
  let at = source.y + row * source.z + i;
  switch (source.x) {
    case 0u: { return in0[at]; }
    case 1u: { return in1[at]; }
    case 2u: { return in2[at]; }
    default: { return in3[at]; }
  }
}

fn load_or(source: vec4<u32>, row: u32, i: u32, otherwise: f32) -> f32 {
  if (source.w == 0u) { return otherwise; }
  return load(source, row, i);
}
