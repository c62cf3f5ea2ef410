// needs: lib/linear, lib/dot_i8
// matvecInt8.wgsl: matvec.wgsl with activations of signed bytes and products of four at a time.
//
//   y[r, o] = scale · inv[r] · Σ_runs w.scale · x.scale · (w.q · x.q) + w.minimum · x.scale · Σ x.q  + …
//   NORM: inv[r] = 1 / sqrt(mean(x²) + eps) of the squares that x carries; the norm's weight is in x already.
//
// A run is 16 weights with one scale and minimum, as decode_i8 of quant/<type>.wgsl gives them; the rest of
// the formula, segments and bindings are those of lib/linear.
// x        [rows][x_stride] as quantize.wgsl makes it                             binding 2
// residual [rows][residual_stride] f32 (when RESIDUAL)                           binding 5
//
// Threads share the work as in matvec.wgsl, so the order of summation never depends on the number of rows.
// grid: outputs folded over x and y, z = 1.
const GROUPS = WG / LANES;

@group(1) @binding(2) var<storage, read> x: array<vec4<u32>>;

var<workgroup> partials: array<f32, WG * (OUTS * PARTS + 1u)>;

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
    let run = (k >> 4u) & 1u;
    let block = params.x_offset + BLOCK * (k >> 5u);
    if (NORM && run == 0u) {
      for (var r = 0u; r < rows; r++) {
        squares[r] += bitcast<f32>(x[block + r * params.x_stride + HEAD].w);
      }
    }
    for (var i = 0u; i < OUTS * PARTS; i++) {
      let w = decode_i8(base[i], element[i] + k);
      for (var r = 0u; r < rows; r++) {
        let at = block + r * params.x_stride;
        let head = run_of(x[at + HEAD], run);
        let dots = f32(dot_i8(w.q, x[at + run]));
        sums[r * OUTS * PARTS + i] += w.scale * (head.x * dots) + w.minimum * head.y;
      }
    }
  }

  for (var r = 0u; r < rows; r++) {
    if (LANES > 1u) {
      // One partial sum a thread; then one thread an output adds its LANES partials in order.
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
      if (NORM) { inv = 1.0 / sqrt(squares[r] / f32(params.k) + params.eps); }
      for (var i = 0u; i < OUTS; i++) {
        var sum = vec2(sums[(r * OUTS + i) * PARTS], 0.0);
        if (GATED) { sum.y = sums[(r * OUTS + i) * PARTS + 1u]; }
        if (first + i < params.count) { finish(r, params.first + first + i, sum, inv); }
      }
    }
  }
}
