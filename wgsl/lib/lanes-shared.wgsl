// lib/lanes-shared.wgsl: stands where lib/lanes-subgroup.wgsl would for one lane, or where workgroup memory is used.
fn lane_sum(value: f32) -> f32 { return value; }
