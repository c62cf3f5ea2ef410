// lib/pairs.wgsl: which columns the mat-vec kernels multiply together. A thread takes a unit of two runs of 16 columns that
// are PAIR columns apart, so that neighbouring threads read neighbouring runs, and both runs of a unit are in the same bytes
// of types that keep one in the low and one in the high bits. PAIR is 16 · 2ⁿ; a row has a multiple of 2 · PAIR columns,
// except with PAIR = 16. SPREAD: the type's own units are of 32 consecutive weights, but the rows' are not.

// First column of half 0 or 1 of the unit that begins a row's columns [k, k + 32) in the order of units.
fn column_of(k: u32, half: u32) -> u32 {
  let within = k & (2u * PAIR - 1u);
  return k - within + (within >> 1u) + PAIR * half;
}

// Unit and half, as decode_i8 of quant/<type>.wgsl counts them, of 16 consecutive weights from `element` on.
fn unit_of(element: u32) -> vec2<u32> {
  let run = element >> 4u;
  if (SPREAD) { return vec2(run >> 1u, run & 1u); }
  let runs = PAIR >> 4u;
  return vec2((run / (2u * runs)) * runs + run % runs, (run / runs) & 1u);
}

// The same of a half of the unit at k of the row that begins with element `element`.
fn unit_at(element: u32, k: u32, half: u32) -> vec2<u32> {
  if (SPREAD) { return unit_of(element + column_of(k, half)); }
  return vec2((element + k) >> 5u, half);
}
