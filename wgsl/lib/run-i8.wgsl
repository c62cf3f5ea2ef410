// needs: lib/bytes, lib/int8
// varies: quant/*
// lib/run-i8.wgsl: decode_run for types of scaled bytes; the scale is applied to sums, not to each weight.
// Codes of types with minima have no sign, which costs a GPU half as much to make floats of.
fn code_floats(word: u32) -> vec4<f32> {
  if (MINIMUM) { return bytes_u8(word); }
  return bytes_i8(word);
}

// A run as it is decoded at first, and a quarter of it as floats.
alias Packed = Int8Run;

fn packed_run(base: u32, element: u32, k: u32, half: u32) -> Packed {
  let at = unit_at(element, k, half);
  return decode_i8(base, at.x, at.y);
}

fn quarter_of(run: Packed, i: u32) -> vec4<f32> { return code_floats(run.q[i]); }

fn decode_run(base: u32, element: u32, k: u32, half: u32) -> Run {
  let run = packed_run(base, element, k, half);
  return Run(
    mat4x4<f32>(code_floats(run.q.x), code_floats(run.q.y), code_floats(run.q.z), code_floats(run.q.w)),
    run.scale,
    run.minimum,
  );
}
