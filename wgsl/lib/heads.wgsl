// needs: lib/none
// lib/heads.wgsl: RMS norm and rotary embedding of heads in workgroup memory. 32 threads work on a head, whose sums
// therefore do not depend on the kernel. The kernel gives x, small and angles, HEADS (how many there is room for) and
// HEAD (their largest width), and sets barriers between the steps.
var<workgroup> head: array<f32, HEADS * HEAD>; // one behind the other
var<workgroup> squares: array<f32, HEADS * 32u>;

fn load_head(slot: u32, lane: u32, source: u32, width: u32) {
  var square = 0.0;
  for (var i = lane; i < width; i += 32u) {
    let v = x[source + i];
    head[slot * HEAD + i] = v;
    square += v * v;
  }
  squares[slot * 32u + lane] = square;
}

// `norm` is where the weights stand in small, or NONE.
fn norm_head(slot: u32, lane: u32, width: u32, norm: u32) {
  if (norm == NONE) { return; }
  var sum = 0.0;
  for (var i = 0u; i < 32u; i++) { sum += squares[slot * 32u + i]; }
  let inv = 1.0 / sqrt(sum / f32(width) + params.eps);
  for (var i = lane; i < width; i += 32u) { head[slot * HEAD + i] = head[slot * HEAD + i] * inv * small[norm + i]; }
}

fn rotate_head(slot: u32, lane: u32, position: u32) {
  let at = params.angles + position * params.half;
  for (var i = lane; i < params.half; i += 32u) {
    var first = slot * HEAD + params.start + 2u * i;
    var second = first + 1u;
    if (NEOX) {
      first = slot * HEAD + params.start + i;
      second = first + params.half;
    }
    let a = head[first];
    let b = head[second];
    let rotation = angles[at + i];
    head[first] = a * rotation.x - b * rotation.y;
    head[second] = a * rotation.y + b * rotation.x;
  }
}
