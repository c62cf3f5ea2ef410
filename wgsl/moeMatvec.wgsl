// needs: lib/step, lib/experts, lib/run
// varies: lib/lanes-shared, lib/lanes-subgroup
// moeMatvec.wgsl: the chosen experts' linear maps, pair by pair; the decode kernel of lib/experts.wgsl.
//
// A workgroup of WG threads takes (WG / LANES) · 4 rows of W for one pair: LANES threads share four of them (four
// outputs, or the gate and up rows of two), each taking every LANES-th unit of 32 columns (lib/pairs.wgsl); their sums meet in
// workgroup memory, or in a subgroup if SUBGROUPS (lib/lanes-subgroup.wgsl). The order of summation depends on
// LANES, SUBGROUPS and PAIR alone.
// grid: (ceil(count / outputs of a workgroup), rows, used)
const GROUPS = WG / LANES;
const OUTS = 4u / PARTS; // outputs of a thread

@group(1) @binding(4) var<storage, read> route: array<f32>;

var<workgroup> partials: array<vec4<f32>, WG>;

// First element of the row of W that makes product i of a thread whose first output is `first`.
fn element_of(expert: u32, first: u32, i: u32) -> u32 {
  let part = i % PARTS;
  let row = piece_row(part, expert, min(first + i / PARTS, params.count - 1u));
  return min(row, params.piece_rows[part] - 1u) * params.k;
}

fn finish_four(row: u32, choice: u32, expert: u32, first: u32, dots: vec4<f32>) {
  @unroll for (var i = 0u; i < OUTS; i++) {
    let sum = vec2(dots[i * PARTS], dots[i * PARTS + PARTS - 1u]);
    if (first + i < params.count) { finish(row, choice, expert, first + i, sum); }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = group.y;
  let choice = group.z;
  if (row >= row_count(params.domain)) { return; }
  var expert = choice;
  if (ROUTED) {
    expert = min(u32(route[params.route_offset + row * params.route_stride + choice]), EXPERTS - 1u);
  }
  if (elsewhere(expert)) { return; }

  let lane = thread % LANES;
  let first = (group.x * GROUPS + thread / LANES) * OUTS;
  var elements: array<u32, 4>;
  @unroll for (var i = 0u; i < 4u; i++) { elements[i] = element_of(expert, first, i); }

  var dots = vec4(0.0);
  let source = params.x_offset + row * params.x_stride + choice * params.x_choice;
  for (var k = lane * 32u; k < params.k; k += LANES * 32u) {
    @unroll for (var half = 0u; half < 2u; half++) {
      let column = column_of(k, half);
      let at = source + (column >> 2u);
      var v = mat4x4<f32>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
      if (TAIL) { v = mask16(v, column); }
      let sum = sum16(v);
      @unroll for (var i = 0u; i < 4u; i++) {
        let run = run_at(params.bases[i % PARTS], elements[i], k, half);
        dots[i] = add_dots(dots[i], run.scale, run.q, v);
        if (MINIMUM) { dots[i] += run.minimum * sum; }
      }
    }
  }

  if (LANES == 1u) {
    finish_four(row, choice, expert, first, dots);
  } else if (SUBGROUPS) {
    dots = vec4(lane_sum(dots.x), lane_sum(dots.y), lane_sum(dots.z), lane_sum(dots.w));
    if (lane == 0u) { finish_four(row, choice, expert, first, dots); }
  } else {
    partials[thread] = dots;
    workgroupBarrier();
    if (lane == 0u) {
      for (var l = 1u; l < LANES; l++) { dots += partials[thread + l]; }
      finish_four(row, choice, expert, first, dots);
    }
  }
}
