// lib/divide.wgsl: a / b, rounded as the CPU rounds it, where a GPU may be off by a few units in the last place: the
// remainder a − q · b is computed exactly, from products of half mantissas.
fn divide(a: f32, b: f32) -> f32 {
  let q = a / b;
  let q_high = bitcast<f32>(bitcast<u32>(q) & 0xfffff000u);
  let b_high = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
  let q_low = q - q_high;
  let b_low = b - b_high;
  return q + (((a - q_high * b_high) - q_high * b_low) - q_low * b_high - q_low * b_low) / b;
}
