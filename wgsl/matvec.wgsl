// needs: lib/linear
// matvec.wgsl: y = x · Wᵀ for 1 to ROWS rows of x; the decode kernel, bound by reading W once.
//
//   y[r, o] = scale · inv[r] · Σ_k W[o, k] · g[k] · x[r, k]  + bias[o]  (+ residual[r, o])
//   GATED:  y[r, o] = act(gate row o) · (up row o)
//   NORM:   g = norm weight and inv[r] = 1 / sqrt(mean(x²) + eps), so RMSNorm costs no pass of its own;
//           without it g = inv = 1.
//
// Up to 4 segments (q, k, v; gate, up) stand behind each other in one weights binding; output o of
// segment s is row o − start of its tensor. Splits of a large tensor are dispatches with first > 0.
//
// weights  raw GGUF blocks, decoded 16 at a time by quant/<type>.wgsl           binding 1
// x        [rows][x_stride] f32 as vec4                                          binding 2
// small    norm weights and biases, vec4                                         binding 3
// out      [rows][out_stride] f32                                                binding 4
// residual [rows][residual_stride] f32 (when RESIDUAL)                           binding 5
//          (lookup tables of a type are group 2)
//
// A workgroup of WG threads makes (WG / LANES) · OUTS outputs: LANES threads share one output, each
// taking every LANES-th run of 16 weights, OUTS outputs one after the other for the same x.
// Their sums meet through subgroup shuffles (SUBGROUPS) or workgroup memory.
// The order of summation depends on LANES alone, never on the number of rows.
// grid: outputs folded over x and y, z = 1.
const GROUPS = WG / LANES;

@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;

var<workgroup> partials: array<f32, WG * (OUTS * PARTS + 1u)>;

// Zero where k is past the end of a row whose length is no multiple of 16 (only float types have such).
fn mask(v: vec4<f32>, k: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(k, k + 1u, k + 2u, k + 3u) < vec4(params.k));
}

fn load_x(row: u32, k: u32, column: u32) -> vec4<f32> {
  let v = x[params.x_offset + row * params.x_stride + (k >> 2u) + column];
  if (TAIL) { return mask(v, k + 4u * column); }
  return v;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let lane = thread % LANES;
  let slot = thread / LANES;
  let rows = min(row_count(params.domain), ROWS);
  let first = ((group.y * groups.x + group.x) * GROUPS + slot) * OUTS;
  let last = params.first + params.count - 1u;

  var base: array<u32, OUTS * PARTS>;
  var element: array<u32, OUTS * PARTS>;
  for (var i = 0u; i < OUTS; i++) {
    let o = min(params.first + first + i, last);
    if (GATED) {
      base[2u * i] = params.bases.x;
      base[2u * i + 1u] = params.bases.y;
      element[2u * i] = (o - params.starts.x) * params.k;
      element[2u * i + 1u] = (o - params.starts.y) * params.k;
    } else {
      let segment = segment_of(o);
      base[i] = params.bases[segment];
      element[i] = (o - params.starts[segment]) * params.k;
    }
  }

  var sums: array<f32, ROWS * OUTS * PARTS>;
  var squares: array<f32, ROWS>;
  for (var k = lane * 16u; k < params.k; k += LANES * 16u) {
    var g0 = vec4(1.0); var g1 = vec4(1.0); var g2 = vec4(1.0); var g3 = vec4(1.0);
    if (NORM) {
      let at = params.norm + (k >> 2u);
      g0 = small[at]; g1 = small[at + 1u]; g2 = small[at + 2u]; g3 = small[at + 3u];
      for (var r = 0u; r < rows; r++) {
        let a = load_x(r, k, 0u); let b = load_x(r, k, 1u); let c = load_x(r, k, 2u); let d = load_x(r, k, 3u);
        squares[r] += (dot(a, a) + dot(b, b)) + (dot(c, c) + dot(d, d));
      }
    }
    for (var i = 0u; i < OUTS * PARTS; i++) {
      var w = decode(base[i], element[i] + k);
      if (TAIL) {
        w = mat4x4<f32>(mask(w[0], k), mask(w[1], k + 4u), mask(w[2], k + 8u), mask(w[3], k + 12u));
      }
      if (NORM) { w = mat4x4<f32>(w[0] * g0, w[1] * g1, w[2] * g2, w[3] * g3); }
      for (var r = 0u; r < rows; r++) {
        sums[r * OUTS * PARTS + i] +=
          (dot(w[0], load_x(r, k, 0u)) + dot(w[1], load_x(r, k, 1u))) +
          (dot(w[2], load_x(r, k, 2u)) + dot(w[3], load_x(r, k, 3u)));
      }
    }
  }

  for (var r = 0u; r < rows; r++) {
    if (LANES > 1u && !SUBGROUPS) {
      // One partials sum a thread; then one thread an output adds its LANES partials in order.
      let width = OUTS * PARTS + 1u;
      for (var i = 0u; i < OUTS * PARTS; i++) { partials[thread * width + i] = sums[r * OUTS * PARTS + i]; }
      if (NORM) { partials[thread * width + OUTS * PARTS] = squares[r]; }
      workgroupBarrier();
      let owner = thread / OUTS;
      let i = thread % OUTS;
      let o = ((group.y * groups.x + group.x) * GROUPS + owner) * OUTS + i;
      if (thread < GROUPS * OUTS && o < params.count) {
        var sum = vec2(0.0);
        var square = 0.0;
        for (var l = 0u; l < LANES; l++) {
          let at = (owner * LANES + l) * width;
          sum.x += partials[at + i * PARTS];
          if (GATED) { sum.y += partials[at + i * PARTS + 1u]; }
          if (NORM) { square += partials[at + OUTS * PARTS]; }
        }
        var inv = 1.0;
        if (NORM) { inv = 1.0 / sqrt(square / f32(params.k) + params.eps); }
        finish(r, params.first + o, sum, inv);
      }
      workgroupBarrier();
    } else {
      var inv = 1.0;
      if (NORM) { inv = 1.0 / sqrt(lane_sum(squares[r]) / f32(params.k) + params.eps); }
      for (var i = 0u; i < OUTS; i++) {
        var sum = vec2(lane_sum(sums[(r * OUTS + i) * PARTS]), 0.0);
        if (GATED) { sum.y = lane_sum(sums[(r * OUTS + i) * PARTS + 1u]); }
        if (lane == 0u && first + i < params.count) { finish(r, params.first + first + i, sum, inv); }
      }
    }
  }
}
