// needs: lib/experts
// moeMatvec.wgsl: the chosen experts' linear maps, pair by pair; the decode kernel of lib/experts.wgsl.
//
// A workgroup of WG threads makes (WG / LANES) · OUTS outputs of one pair: LANES threads share one output,
// each taking every LANES-th run of 16 weights; their sums meet in workgroup memory, or in a subgroup if
// SUBGROUPS (lib/lanes_subgroup.wgsl). The order of summation depends on LANES and SUBGROUPS alone.
// grid: (ceil(count / outputs of a workgroup), rows, used)
const GROUPS = WG / LANES;

@group(1) @binding(4) var<storage, read> route: array<f32>;

var<workgroup> partials: array<f32, WG * OUTS * PARTS>;

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
  var element: array<u32, OUTS * PARTS>;
  for (var i = 0u; i < OUTS * PARTS; i++) {
    let part = i % PARTS;
    let held = min(piece_row(part, expert, min(first + i / PARTS, params.count - 1u)), params.piece_rows[part] - 1u);
    element[i] = held * params.k;
  }

  var sums: array<f32, OUTS * PARTS>;
  let source = params.x_offset + row * params.x_stride + choice * params.x_choice;
  for (var k = lane * 16u; k < params.k; k += LANES * 16u) {
    let at = source + (k >> 2u);
    var a = x[at]; var b = x[at + 1u]; var c = x[at + 2u]; var d = x[at + 3u];
    if (TAIL) { a = mask(a, k); b = mask(b, k + 4u); c = mask(c, k + 8u); d = mask(d, k + 12u); }
    for (var i = 0u; i < OUTS * PARTS; i++) {
      var w = decode(params.bases[i % PARTS], element[i] + k);
      if (TAIL) {
        w = mat4x4<f32>(mask(w[0], k), mask(w[1], k + 4u), mask(w[2], k + 8u), mask(w[3], k + 12u));
      }
      sums[i] += (dot(w[0], a) + dot(w[1], b)) + (dot(w[2], c) + dot(w[3], d));
    }
  }

  if (LANES > 1u && !SUBGROUPS) {
    for (var i = 0u; i < OUTS * PARTS; i++) { partials[thread * OUTS * PARTS + i] = sums[i]; }
    workgroupBarrier();
    let o = group.x * GROUPS * OUTS + thread;
    if (thread < GROUPS * OUTS && o < params.count) {
      var sum = vec2(0.0);
      for (var l = 0u; l < LANES; l++) {
        let at = (((thread / OUTS) * LANES + l) * OUTS + thread % OUTS) * PARTS;
        sum.x += partials[at];
        if (GATED) { sum.y += partials[at + 1u]; }
      }
      finish(row, choice, expert, o, sum);
    }
  } else {
    for (var i = 0u; i < OUTS; i++) {
      var sum = vec2(lane_sum(sums[i * PARTS]), 0.0);
      if (GATED) { sum.y = lane_sum(sums[i * PARTS + 1u]); }
      if (lane == 0u && first + i < params.count) { finish(row, choice, expert, first + i, sum); }
    }
  }
}
