// lib/int8.wgsl: 16 consecutive weights as signed bytes (lowest byte of q.x first) with what makes them floats again:
// w = scale * q + minimum. Exact for the types that offer decode_i8(base, unit, half): half 0 or 1 of unit `unit`, 32 weights
// of which each half is 16 consecutive ones: block `unit` of 32, or what shares bytes in types that offer pairs-32 or
// pairs-64 (see lib/pairs). Callers take one half after the other, and the compiler merges the loads that both need.
// minimum is 0 for symmetric types (MINIMUM = false).
struct Int8Run {
  q: vec4<u32>,
  scale: f32,
  minimum: f32,
}
