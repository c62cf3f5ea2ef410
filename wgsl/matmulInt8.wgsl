// needs: lib/linear, lib/dot_i8
// matmulInt8.wgsl: matmul.wgsl with activations of signed bytes and products of four at a time.
//
//   y[r, o] = scale · Σ_runs w.scale · x.scale · (w.q · x.q) + w.minimum · x.scale · Σ x.q  + bias[o] …
//
// Bindings are those of matvecInt8.wgsl (a norm in front is a kernel of its own). A workgroup of 8 × 8
// threads makes a tile of 32 rows × 32 outputs, each thread 4 × 4 of it. Per step of 32 along k, two runs of
// the activations and two of the weights, still packed, go through workgroup memory once.
// grid: (ceil(count / 32), ceil(rows / 32), 1)
@group(1) @binding(2) var<storage, read> x: array<vec4<u32>>;

// [run 0, run 1, their head][row]
var<workgroup> tile_x: array<vec4<u32>, 96>;
// [part][run][output]: codes; scale and minimum
var<workgroup> tile_w: array<vec4<u32>, 64u * PARTS>;
var<workgroup> tile_s: array<vec2<f32>, 64u * PARTS>;

fn stage_weights(thread: u32, part: u32, base: u32, row: u32, k0: u32) {
  let run = decode_i8(base, row * params.k + k0 + 16u * (thread >> 5u));
  tile_w[64u * part + thread] = run.q;
  tile_s[64u * part + thread] = vec2(run.scale, run.minimum);
}

// A run of a row against four outputs.
fn products(q: vec4<u32>, w0: vec4<u32>, w1: vec4<u32>, w2: vec4<u32>, w3: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(vec4(dot_i8(q, w0), dot_i8(q, w1), dot_i8(q, w2), dot_i8(q, w3)));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let rows = row_count(params.domain);
  let row0 = group.y * 32u;
  let out0 = group.x * 32u;
  if (row0 >= rows) { return; }

  let staged = params.first + min(out0 + (thread & 31u), params.count - 1u);
  var segment = 0u;
  if (!GATED) { segment = segment_of(staged); }
  let weight_base = params.bases[segment];
  let weight_row = staged - params.starts[segment];

  let tx = thread & 7u; // outputs tx, tx + 8, tx + 16, tx + 24
  let ty = thread >> 3u; // rows ty, ty + 8, …
  // a[i] holds row ty + 8i against the four outputs; b the same for the up half of a gated pair.
  var a0 = vec4(0.0); var a1 = vec4(0.0); var a2 = vec4(0.0); var a3 = vec4(0.0);
  var b0 = vec4(0.0); var b1 = vec4(0.0); var b2 = vec4(0.0); var b3 = vec4(0.0);

  for (var k0 = 0u; k0 < params.k; k0 += 32u) {
    for (var index = thread; index < 96u; index += 64u) {
      // Rows past the last repeat it; their sums are not kept.
      let row = min(row0 + index / BLOCK, rows - 1u);
      let word = index % BLOCK;
      tile_x[32u * word + index / BLOCK] =
        x[params.x_offset + row * params.x_stride + BLOCK * (k0 >> 5u) + word];
    }
    stage_weights(thread, 0u, weight_base, weight_row, k0);
    if (GATED) { stage_weights(thread, 1u, params.bases.y, staged - params.starts.y, k0); }
    workgroupBarrier();
    for (var run = 0u; run < 2u; run++) {
      let q0 = tile_x[32u * run + ty];
      let q1 = tile_x[32u * run + ty + 8u];
      let q2 = tile_x[32u * run + ty + 16u];
      let q3 = tile_x[32u * run + ty + 24u];
      let h0 = run_of(tile_x[32u * HEAD + ty], run);
      let h1 = run_of(tile_x[32u * HEAD + ty + 8u], run);
      let h2 = run_of(tile_x[32u * HEAD + ty + 16u], run);
      let h3 = run_of(tile_x[32u * HEAD + ty + 24u], run);
      let at = 32u * run + tx;
      let w0 = tile_w[at];
      let w1 = tile_w[at + 8u];
      let w2 = tile_w[at + 16u];
      let w3 = tile_w[at + 24u];
      let scales = vec4(tile_s[at].x, tile_s[at + 8u].x, tile_s[at + 16u].x, tile_s[at + 24u].x);
      let minima = vec4(tile_s[at].y, tile_s[at + 8u].y, tile_s[at + 16u].y, tile_s[at + 24u].y);
      a0 += scales * (h0.x * products(q0, w0, w1, w2, w3)) + minima * h0.y;
      a1 += scales * (h1.x * products(q1, w0, w1, w2, w3)) + minima * h1.y;
      a2 += scales * (h2.x * products(q2, w0, w1, w2, w3)) + minima * h2.y;
      a3 += scales * (h3.x * products(q3, w0, w1, w2, w3)) + minima * h3.y;
      if (GATED) {
        let up = 64u * (PARTS - 1u) + at;
        let u0 = tile_w[up];
        let u1 = tile_w[up + 8u];
        let u2 = tile_w[up + 16u];
        let u3 = tile_w[up + 24u];
        let up_scales = vec4(tile_s[up].x, tile_s[up + 8u].x, tile_s[up + 16u].x, tile_s[up + 24u].x);
        let up_minima = vec4(tile_s[up].y, tile_s[up + 8u].y, tile_s[up + 16u].y, tile_s[up + 24u].y);
        b0 += up_scales * (h0.x * products(q0, u0, u1, u2, u3)) + up_minima * h0.y;
        b1 += up_scales * (h1.x * products(q1, u0, u1, u2, u3)) + up_minima * h1.y;
        b2 += up_scales * (h2.x * products(q2, u0, u1, u2, u3)) + up_minima * h2.y;
        b3 += up_scales * (h3.x * products(q3, u0, u1, u2, u3)) + up_minima * h3.y;
      }
    }
    workgroupBarrier();
  }

  for (var j = 0u; j < 4u; j++) {
    let o = out0 + tx + 8u * j;
    if (o >= params.count) { continue; }
    if (row0 + ty < rows) { finish(row0 + ty, params.first + o, vec2(a0[j], b0[j]), 1.0); }
    if (row0 + ty + 8u < rows) { finish(row0 + ty + 8u, params.first + o, vec2(a1[j], b1[j]), 1.0); }
    if (row0 + ty + 16u < rows) { finish(row0 + ty + 16u, params.first + o, vec2(a2[j], b2[j]), 1.0); }
    if (row0 + ty + 24u < rows) { finish(row0 + ty + 24u, params.first + o, vec2(a3[j], b3[j]), 1.0); }
  }
}
