// needs: lib/linear
// matmul.wgsl: y = x · Wᵀ for many rows of x; the prefill kernel, bound by arithmetic.
//
//   y[r, o] = scale · Σ_k W[o, k] · x[r, k] + bias[o] (+ residual[r, o]);  GATED: act(gate) · up
//
// Segments, splits and bindings are those of matvec.wgsl (a norm in front is a kernel of its own here).
// A workgroup of 8 × 8 threads makes a tile of 32 rows × 32 outputs, each thread 4 × 4 of it. Per step of
// 32 along k the tile's rows and the decoded weights go through workgroup memory once.
// grid: (ceil(count / 32), ceil(rows / 32), 1)

@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;

// [k / 4][row or output] of four consecutive k, so that threads of a row read neighbours.
var<workgroup> tile_x: array<vec4<f32>, 256>;
var<workgroup> tile_w: array<vec4<f32>, 256u * PARTS>;

fn mask(v: vec4<f32>, k: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(k, k + 1u, k + 2u, k + 3u) < vec4(params.k));
}

fn stage_weights(thread: u32, part: u32, base: u32, row: u32, k0: u32) {
  let o = thread & 31u;
  let half = thread >> 5u;
  let k = k0 + 16u * half;
  var w = mat4x4<f32>();
  if (k < params.k) {
    w = decode(base, row * params.k + k);
    if (TAIL) {
      w = mat4x4<f32>(mask(w[0], k), mask(w[1], k + 4u), mask(w[2], k + 8u), mask(w[3], k + 12u));
    }
  }
  let at = 256u * part + 128u * half + o;
  tile_w[at] = w[0];
  tile_w[at + 32u] = w[1];
  tile_w[at + 64u] = w[2];
  tile_w[at + 96u] = w[3];
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
    for (var i = 0u; i < 4u; i++) {
      let index = thread + 64u * i;
      let row = row0 + (index & 31u);
      let k = k0 + 4u * (index >> 5u);
      var v = vec4(0.0);
      if (row < rows && k < params.k) {
        v = x[params.x_offset + row * params.x_stride + (k >> 2u)];
        if (TAIL) { v = mask(v, k); }
      }
      tile_x[index] = v;
    }
    stage_weights(thread, 0u, weight_base, weight_row, k0);
    if (GATED) { stage_weights(thread, 1u, params.bases.y, staged - params.starts.y, k0); }
    workgroupBarrier();
    for (var q = 0u; q < 8u; q++) {
      let x0 = tile_x[q * 32u + ty];
      let x1 = tile_x[q * 32u + ty + 8u];
      let x2 = tile_x[q * 32u + ty + 16u];
      let x3 = tile_x[q * 32u + ty + 24u];
      let w0 = tile_w[q * 32u + tx];
      let w1 = tile_w[q * 32u + tx + 8u];
      let w2 = tile_w[q * 32u + tx + 16u];
      let w3 = tile_w[q * 32u + tx + 24u];
      a0 += vec4(dot(x0, w0), dot(x0, w1), dot(x0, w2), dot(x0, w3));
      a1 += vec4(dot(x1, w0), dot(x1, w1), dot(x1, w2), dot(x1, w3));
      a2 += vec4(dot(x2, w0), dot(x2, w1), dot(x2, w2), dot(x2, w3));
      a3 += vec4(dot(x3, w0), dot(x3, w1), dot(x3, w2), dot(x3, w3));
      if (GATED) {
        let u0 = tile_w[256u * (PARTS - 1u) + q * 32u + tx];
        let u1 = tile_w[256u * (PARTS - 1u) + q * 32u + tx + 8u];
        let u2 = tile_w[256u * (PARTS - 1u) + q * 32u + tx + 16u];
        let u3 = tile_w[256u * (PARTS - 1u) + q * 32u + tx + 24u];
        b0 += vec4(dot(x0, u0), dot(x0, u1), dot(x0, u2), dot(x0, u3));
        b1 += vec4(dot(x1, u0), dot(x1, u1), dot(x1, u2), dot(x1, u3));
        b2 += vec4(dot(x2, u0), dot(x2, u1), dot(x2, u2), dot(x2, u3));
        b3 += vec4(dot(x3, u0), dot(x3, u1), dot(x3, u2), dot(x3, u3));
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
