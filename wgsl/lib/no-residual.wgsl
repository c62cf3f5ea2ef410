// lib/no-residual.wgsl: stands where lib/residual.wgsl would when nothing is added.
fn residual_at(index: u32) -> f32 { return 0.0; }
