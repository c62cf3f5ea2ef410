// varies: quant/*
// lib/run-f32.wgsl: decode_run for the other types.
fn decode_run(base: u32, element: u32, k: u32, half: u32) -> Run {
  return Run(decode(base, element + column_of(k, half)), 1.0, 0.0);
}
