// needs: lib/step, lib/none, lib/activation
// moeRoute.wgsl: chooses USED of EXPERTS experts for each row of router logits, best first.
//   score = softmax(x) | σ(x) | x          (GATE_SOFTMAX | GATE_SIGMOID | the other two)
//   rank  = score + bias; with GROUPS > 1 only experts of the best `groups_used` groups stay, a group
//           being worth the sum of its two best ranks. Of equals the lower number wins.
//   weight = score of the chosen | softmax over the chosen (GATE_SOFTMAX_CHOSEN); over max(sum, 2^-14) if NORMALIZE; · scale
// x   [rows][x_stride] f32, EXPERTS logits        binding 1
// small  selection bias [EXPERTS] at `bias`, or NONE  binding 2
// out [rows][out_stride]: USED ids as f32, then USED weights   binding 3
// grid: (1, rows, 1), one workgroup of WG threads a row. An expert's place is the number of experts that
// beat it, so that one pass and one barrier sort.
struct Params {
  domain: u32,
  x_offset: u32,
  x_stride: u32,
  out_offset: u32,
  out_stride: u32,
  bias: u32,
  groups_used: u32,
  scale: f32,
}

const GATE_SOFTMAX = 0u;
const GATE_SIGMOID = 1u;
const GATE_SOFTMAX_CHOSEN = 2u;
const GATE_NONE = 3u;
const STRUCK = -3.0e38;
const GROUP = EXPERTS / GROUPS;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> small: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

var<workgroup> scores: array<f32, EXPERTS>;
var<workgroup> ranks: array<f32, EXPERTS>;
var<workgroup> worths: array<f32, GROUPS>;
var<workgroup> partials: array<f32, WG>;
var<workgroup> chosen: array<u32, USED>;

// The row's scores as a softmax over all experts.
fn softmax(thread: u32) {
  var top = STRUCK;
  for (var e = thread; e < EXPERTS; e += WG) { top = max(top, scores[e]); }
  partials[thread] = top;
  workgroupBarrier();
  for (var i = 0u; i < WG; i++) { top = max(top, partials[i]); }
  var sum = 0.0;
  for (var e = thread; e < EXPERTS; e += WG) {
    let s = exp(scores[e] - top);
    scores[e] = s;
    sum += s;
  }
  workgroupBarrier();
  partials[thread] = sum;
  workgroupBarrier();
  sum = 0.0;
  for (var i = 0u; i < WG; i++) { sum += partials[i]; }
  for (var e = thread; e < EXPERTS; e += WG) { scores[e] = scores[e] / sum; }
}

// Strikes out the experts of all but the best groups.
fn limit_groups(thread: u32) {
  for (var g = thread; g < GROUPS; g += WG) {
    var first = STRUCK;
    var second = STRUCK;
    for (var i = 0u; i < GROUP; i++) {
      let r = ranks[g * GROUP + i];
      second = max(second, min(first, r));
      first = max(first, r);
    }
    worths[g] = select(first, first + second, GROUP > 1u);
  }
  workgroupBarrier();
  for (var e = thread; e < EXPERTS; e += WG) {
    let g = e / GROUP;
    let own = worths[g];
    var better = 0u;
    for (var i = 0u; i < GROUPS; i++) { better += u32(worths[i] > own || (worths[i] == own && i < g)); }
    if (better >= params.groups_used) { ranks[e] = STRUCK; }
  }
  workgroupBarrier();
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (group.y >= row_count(params.domain)) { return; }
  for (var e = thread; e < EXPERTS; e += WG) {
    let v = x[params.x_offset + group.y * params.x_stride + e];
    scores[e] = select(v, sigmoid(v), GATE == GATE_SIGMOID);
  }
  if (GATE == GATE_SOFTMAX) { softmax(thread); }
  for (var e = thread; e < EXPERTS; e += WG) {
    var rank = scores[e];
    if (params.bias != NONE) { rank += small[params.bias + e]; }
    ranks[e] = rank;
  }
  for (var i = thread; i < USED; i += WG) { chosen[i] = i; }
  workgroupBarrier();
  if (GROUPS > 1u) { limit_groups(thread); }

  for (var e = thread; e < EXPERTS; e += WG) {
    let own = ranks[e];
    var better = 0u;
    for (var i = 0u; i < EXPERTS; i++) { better += u32(ranks[i] > own || (ranks[i] == own && i < e)); }
    if (better < USED) { chosen[better] = e; }
  }
  workgroupBarrier();

  if (thread == 0u) {
    var top = STRUCK;
    if (GATE == GATE_SOFTMAX_CHOSEN) { for (var i = 0u; i < USED; i++) { top = max(top, scores[chosen[i]]); } }
    var sum = 0.0;
    for (var i = 0u; i < USED; i++) {
      var w = scores[chosen[i]];
      if (GATE == GATE_SOFTMAX_CHOSEN) { w = exp(w - top); scores[chosen[i]] = w; }
      sum += w;
    }
    var by = params.scale;
    if (GATE == GATE_SOFTMAX_CHOSEN) { by /= sum; } else if (NORMALIZE) { by /= max(sum, 6.103515625e-5); }
    let at = params.out_offset + group.y * params.out_stride;
    for (var i = 0u; i < USED; i++) {
      out[at + i] = f32(chosen[i]);
      out[at + USED + i] = scores[chosen[i]] * by;
    }
  }
}
