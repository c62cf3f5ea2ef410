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
// x        as lib/products_f32 or lib/products_i8 want it                       binding 2
// small    norm weights and biases, vec4                                         binding 3
// out      [rows][out_stride] f32                                                binding 4
// residual [rows][residual_stride] f32 (when RESIDUAL)                           binding 5
//          (lookup tables of a type are group 2)
//
// A workgroup of WG threads takes (WG / LANES) · 4 rows of W: LANES threads share four of them (four outputs, or
// the gate and up rows of two), each taking every LANES-th 32 columns. Their sums meet through subgroup
// shuffles (SUBGROUPS) or workgroup memory. The order of summation depends on LANES alone, never on the number of
// rows. Loops marked so are unrolled (kernels/compose.ts).
// grid: outputs folded over x and y, z = 1.
const GROUPS = WG / LANES;
const OUTS = 4u / PARTS; // outputs of a thread

// Of one row of x: the products with the thread's four rows of W, and the sum of x² for the norm.
struct Sums {
  dots: vec4<f32>,
  square: f32,
}

var<workgroup> partial_dots: array<vec4<f32>, WG>;
var<workgroup> partial_squares: array<f32, WG>;

// The row of W that makes product i of a thread whose first output is `first`: its binding's word and its first element.
fn weight_row(first: u32, i: u32) -> vec2<u32> {
  let o = params.first + min(first + i / PARTS, params.count - 1u);
  var segment = i % PARTS;
  if (!GATED) { segment = segment_of(o); }
  return vec2(params.bases[segment], (o - params.starts[segment]) * params.k);
}

fn finish_row(row: u32, first: u32, dots: vec4<f32>, square: f32) {
  var inv = 1.0;
  if (NORM) { inv = 1.0 / sqrt(square / f32(params.k) + params.eps); }
  if (GATED) {
    if (first < params.count) { finish(row, params.first + first, dots.xy, inv); }
    if (first + 1u < params.count) { finish(row, params.first + first + 1u, dots.zw, inv); }
  } else {
    for (var i = 0u; i < 4u; i++) {
      if (first + i < params.count) { finish(row, params.first + first + i, vec2(dots[i], 0.0), inv); }
    }
  }
}

// Adds up what the threads of an output have; the first of them writes it.
fn reduce_row(row: u32, first: u32, thread: u32, sums: Sums) {
  if (LANES == 1u) {
    finish_row(row, first, sums.dots, sums.square);
  } else if (SUBGROUPS) {
    let dots = vec4(lane_sum(sums.dots.x), lane_sum(sums.dots.y), lane_sum(sums.dots.z), lane_sum(sums.dots.w));
    var square = 0.0;
    if (NORM) { square = lane_sum(sums.square); }
    if (thread % LANES == 0u) { finish_row(row, first, dots, square); }
  } else {
    partial_dots[thread] = sums.dots;
    if (NORM) { partial_squares[thread] = sums.square; }
    workgroupBarrier();
    if (thread % LANES == 0u) {
      var dots = vec4(0.0);
      var square = 0.0;
      for (var l = 0u; l < LANES; l++) {
        dots += partial_dots[thread + l];
        if (NORM) { square += partial_squares[thread + l]; }
      }
      finish_row(row, first, dots, square);
    }
    workgroupBarrier();
  }
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let rows = row_count(params.domain);
  let first = ((group.y * groups.x + group.x) * GROUPS + thread / LANES) * OUTS;
  var at: array<vec2<u32>, 4>;
  for (var i = 0u; i < 4u; i++) { at[i] = weight_row(first, i); }

  var sums: array<Sums, ROWS>;
  for (var k = (thread % LANES) * 32u; k < params.k; k += LANES * 32u) {
    for (var half = 0u; half < 2u; half++) {
      var w: array<Weights, 4>;
      for (var i = 0u; i < 4u; i++) { w[i] = weights_at(at[i].x, at[i].y, k, half); }
      let g = norm_at(k, half);
      for (var r = 0u; r < ROWS; r++) {
        if (r == 0u || r < rows) {
          let v = inputs_at(r, k, half, g);
          sums[r].square += v.square;
          sums[r].dots += vec4(product(w[0], v), product(w[1], v), product(w[2], v), product(w[3], v));
        }
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    if (r < rows) { reduce_row(r, first, thread, sums[r]); }
  }
}
