// needs: lib/step, lib/linear
// varies: lib/products-f32, lib/products-quarters, lib/products-i8, lib/lanes-shared, lib/lanes-subgroup
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
// weights  blocks as src/kernels/layouts.ts has them, decoded 16 at a time by quant/<type>.wgsl           binding 1
// x        as lib/products-f32 or lib/products-i8 want it                       binding 2
// small    norm weights and biases, vec4                                         binding 3
// out      [rows][out_stride] f32                                                binding 4
// residual [rows][residual_stride] f32 (when RESIDUAL)                           binding 5
//          (lookup tables of a type are group 2)
//
// A workgroup of WG threads takes WG / LANES · WEIGHT_ROWS rows of W: LANES threads share WEIGHT_ROWS of them (as many outputs,
// or the gate and up rows of half as many), each taking every LANES-th unit of 32 columns (lib/pairs.wgsl). Their sums meet
// through subgroup shuffles (SUBGROUPS) or workgroup memory. The order of summation depends on LANES and PAIR alone, never on
// the number of rows or WEIGHT_ROWS. With one row of x each decoded run is used at once, with more of them each of the STEPS
// parts of all runs, so that few registers are live.
// grid: outputs folded over x and y, z = 1.
const GROUPS = WG / LANES;
const OUTS = WEIGHT_ROWS / PARTS; // outputs of a thread

// Of one row of x: the products with the thread's rows of W, and the sum of x² for the norm.
struct Sums {
  dots: array<f32, WEIGHT_ROWS>,
  square: f32,
}

var<workgroup> partials: array<Sums, WG>;

// The row of W that makes product i of a thread whose first output is `first`: its binding's word and its first element.
fn weight_row(first: u32, i: u32) -> vec2<u32> {
  let o = params.first + min(first + i / PARTS, params.count - 1u);
  var segment = i % PARTS;
  if (!GATED) { segment = segment_of(o); }
  return vec2(params.bases[segment], (o - params.starts[segment]) * params.k);
}

fn finish_row(row: u32, first: u32, sums: Sums) {
  var inv = 1.0;
  if (NORM) { inv = 1.0 / sqrt(sums.square / f32(params.k) + params.eps); }
  @unroll for (var i = 0u; i < OUTS; i++) {
    let sum = vec2(sums.dots[i * PARTS], sums.dots[i * PARTS + PARTS - 1u]);
    if (first + i < params.count) { finish(row, params.first + first + i, sum, inv); }
  }
}

// Adds up what the threads of an output have; the first of them writes it.
fn reduce_row(row: u32, first: u32, thread: u32, sums: Sums) {
  var all = sums;
  if (LANES > 1u && SUBGROUPS) {
    @unroll for (var i = 0u; i < WEIGHT_ROWS; i++) { all.dots[i] = lane_sum(all.dots[i]); }
    if (NORM) { all.square = lane_sum(all.square); }
  } else if (LANES > 1u) {
    partials[thread] = sums;
    workgroupBarrier();
    if (thread % LANES == 0u) {
      for (var l = 1u; l < LANES; l++) {
        @unroll for (var i = 0u; i < WEIGHT_ROWS; i++) { all.dots[i] += partials[thread + l].dots[i]; }
        if (NORM) { all.square += partials[thread + l].square; }
      }
    }
    workgroupBarrier();
  }
  if (thread % LANES == 0u) { finish_row(row, first, all); }
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let rows = row_count(params.domain);
  let first = ((group.y * groups.x + group.x) * GROUPS + thread / LANES) * OUTS;
  var at: array<vec2<u32>, WEIGHT_ROWS>;
  @unroll for (var i = 0u; i < WEIGHT_ROWS; i++) { at[i] = weight_row(first, i); }

  var sums: array<Sums, ROWS>;
  for (var k = (thread % LANES) * 32u; k < params.k; k += LANES * 32u) {
    @unroll for (var half = 0u; half < 2u; half++) {
      if (ROWS == 1u) {
        let v = inputs_at(0u, k, half, 0u, norm_at(k, half, 0u));
        if (NORM) { sums[0].square = add_square(sums[0].square, v); }
        var sum = 0.0;
        if (MINIMUM) { sum = input_sum(v); }
        @unroll for (var i = 0u; i < WEIGHT_ROWS; i++) {
          let w = weights_at(at[i].x, at[i].y, k, half);
          sums[0].dots[i] = add_product(sums[0].dots[i], w, part_of(w, 0u), v);
          if (MINIMUM) { sums[0].dots[i] += w.minimum * sum; }
        }
      } else {
        var w: array<Weights, WEIGHT_ROWS>;
        var part: array<Part, WEIGHT_ROWS>;
        var input: array<f32, ROWS>;
        @unroll for (var i = 0u; i < WEIGHT_ROWS; i++) { w[i] = weights_at(at[i].x, at[i].y, k, half); }
        @unroll for (var s = 0u; s < STEPS; s++) {
          let g = norm_at(k, half, s);
          @unroll for (var i = 0u; i < WEIGHT_ROWS; i++) { part[i] = part_of(w[i], s); }
          @unroll for (var r = 0u; r < ROWS; r++) {
            if (r == 0u || r < rows) {
              let v = inputs_at(r, k, half, s, g);
              if (NORM) { sums[r].square = add_square(sums[r].square, v); }
              if (MINIMUM) { input[r] = select(input[r], 0.0, s == 0u) + input_sum(v); }
              @unroll for (var i = 0u; i < WEIGHT_ROWS; i++) { sums[r].dots[i] = add_product(sums[r].dots[i], w[i], part[i], v); }
            }
          }
        }
        if (MINIMUM) {
          @unroll for (var r = 0u; r < ROWS; r++) {
            @unroll for (var i = 0u; i < WEIGHT_ROWS; i++) { sums[r].dots[i] += w[i].minimum * input[r]; }
          }
        }
      }
    }
  }
  @unroll for (var r = 0u; r < ROWS; r++) {
    if (r < rows) { reduce_row(r, first, thread, sums[r]); }
  }
}
