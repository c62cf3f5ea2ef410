// lib/store-run.wgsl: writes 16 consecutive values, or as many as `left` allows, to `out: array<f32>`, which the kernel
// declares.

fn store_four(at: u32, v: vec4<f32>, left: u32) {
  if (left > 0u) {
    out[at] = v.x;
  }
  if (left > 1u) {
    out[at + 1u] = v.y;
  }
  if (left > 2u) {
    out[at + 2u] = v.z;
  }
  if (left > 3u) {
    out[at + 3u] = v.w;
  }
}

fn store_run(at: u32, values: mat4x4<f32>, left: u32) {
  store_four(at, values[0], left);
  store_four(at + 4u, values[1], max(left, 4u) - 4u);
  store_four(at + 8u, values[2], max(left, 8u) - 8u);
  store_four(at + 12u, values[3], max(left, 12u) - 12u);
}
