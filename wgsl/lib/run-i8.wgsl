// needs: lib/bytes, lib/int8
// varies: quant/*
// lib/run-i8.wgsl: decode_run for types of scaled bytes; the scale is applied to sums, not to each weight.
fn decode_run(base: u32, element: u32, half: u32) -> Run {
  let run = decode_i8(base, element >> 5u, half);
  return Run(
    mat4x4<f32>(bytes_i8(run.q.x), bytes_i8(run.q.y), bytes_i8(run.q.z), bytes_i8(run.q.w)),
    run.scale,
    run.minimum,
  );
}
