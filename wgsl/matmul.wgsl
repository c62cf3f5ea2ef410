// needs: lib/step, lib/linear, lib/tile
// varies: quant/*
// matmul.wgsl: y = x · Wᵀ for many rows of x; the prefill kernel, bound by arithmetic.
//
//   y[r, o] = scale · Σ_k W[o, k] · x[r, k] + bias[o] (+ residual[r, o]);  GATED: act(gate) · up
//
// Segments, splits and bindings are those of matvec.wgsl (a norm in front is a kernel of its own here).
// The tile is lib/tile's. Per step of 16 along k its rows of x and the decoded rows of W go through workgroup
// memory once.
// grid: (ceil(count / outputs of a tile), ceil(rows / TILE_ROWS), 1)

@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;

// [k / 4][row of x or of W] of four consecutive k, so that neighbouring threads read neighbours. Four threads bring 64
// bytes of a row of x; a column that is one longer keeps them out of each other's banks.
const COLUMN_X = TILE_ROWS + 1u;
var<workgroup> tile_x: array<vec4<f32>, 4u * COLUMN_X>;
var<workgroup> tile_w: array<vec4<f32>, 4u * TILE_WEIGHTS>;

// Zero where a column is past the end of a row whose length is no multiple of 16 (only float types have such).
fn mask(v: vec4<f32>, k: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(k, k + 1u, k + 2u, k + 3u) < vec4(params.k));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let rows = row_count(params.domain);
  let row0 = group.y * TILE_ROWS;
  if (row0 >= rows) { return; }

  let tx = thread % TILE_X;
  let ty = thread / TILE_X;
  // [row of x] products with the thread's first and last four rows of W
  var a: array<vec4<f32>, 8>;
  var b: array<vec4<f32>, 8>;

  for (var k0 = 0u; k0 < params.k; k0 += 16u) {
    for (var i = thread; i < 4u * TILE_ROWS; i += 64u) {
      // Rows past the last repeat it; their sums are not stored.
      let row = min(row0 + i / 4u, rows - 1u);
      let column = i % 4u;
      var v = x[params.x_offset + row * params.x_stride + (k0 >> 2u) + column];
      if (TAIL) { v = mask(v, k0 + 4u * column); }
      tile_x[column * COLUMN_X + i / 4u] = v;
    }
    for (var i = thread; i < TILE_WEIGHTS; i += 64u) {
      let at = weight_row(group.x, i);
      var w = decode(at.x, at.y + k0);
      if (TAIL) {
        w = mat4x4<f32>(mask(w[0], k0), mask(w[1], k0 + 4u), mask(w[2], k0 + 8u), mask(w[3], k0 + 12u));
      }
      tile_w[i] = w[0];
      tile_w[i + TILE_WEIGHTS] = w[1];
      tile_w[i + 2u * TILE_WEIGHTS] = w[2];
      tile_w[i + 3u * TILE_WEIGHTS] = w[3];
    }
    workgroupBarrier();
    for (var q = 0u; q < 4u; q++) {
      let at = q * TILE_WEIGHTS + tx;
      let wa = mat4x4<f32>(tile_w[at], tile_w[at + TILE_X], tile_w[at + 2u * TILE_X], tile_w[at + 3u * TILE_X]);
      let wb = mat4x4<f32>(
        tile_w[at + 4u * TILE_X], tile_w[at + 5u * TILE_X], tile_w[at + 6u * TILE_X], tile_w[at + 7u * TILE_X]);
      @unroll for (var i = 0u; i < 8u; i++) {
        let v = tile_x[q * COLUMN_X + ty + i * TILE_Y];
        a[i] += v * wa;
        b[i] += v * wb;
      }
    }
    workgroupBarrier();
  }
  @unroll for (var i = 0u; i < 8u; i++) {
    finish_row(group.x, tx, row0 + ty + i * TILE_Y, rows, a[i], b[i]);
  }
}
