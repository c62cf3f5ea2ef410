// lib/lanes-subgroup.wgsl: the sum over the LANES neighbouring threads that share an output, in all of them.
// Needs subgroups of at least LANES threads (a power of two), filled in the order of the workgroup's threads.
enable subgroups;

fn lane_sum(value: f32) -> f32 {
  var sum = value;
  for (var step_ = LANES / 2u; step_ > 0u; step_ /= 2u) { sum += subgroupShuffleXor(sum, step_); }
  return sum;
}
