// varies: quant/*
// lib/run-f32.wgsl: decode_run for the other types, which have nothing shorter than floats.
alias Packed = Run;

fn packed_run(base: u32, element: u32, k: u32, half: u32) -> Packed { return run_at(base, element, k, half); }

fn quarter_of(run: Packed, i: u32) -> vec4<f32> { return run.q[i]; }

fn decode_run(base: u32, element: u32, k: u32, half: u32) -> Run {
  return Run(decode(base, element + column_of(k, half)), 1.0, 0.0);
}
