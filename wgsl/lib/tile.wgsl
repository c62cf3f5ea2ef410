// needs: lib/linear
// lib/tile.wgsl: the tile of y that a workgroup of matmul.wgsl and matmulInt8.wgsl makes: TILE_ROWS rows of x
// against TILE_WEIGHTS rows of W, 64 threads of 8 × 8 each. Thread (tx, ty) takes rows ty + i · TILE_Y of x and
// rows tx + j · TILE_X of W, i and j from 0 to 7.
//
// The rows of W are the next TILE_WEIGHTS outputs; GATED: the gate rows of half as many, then their up rows, so
// that a thread has both of four outputs.
const TILE_X = 64u / TILE_Y;
const TILE_ROWS = 8u * TILE_Y;
const TILE_WEIGHTS = 8u * TILE_X;
const TILE_OUTPUTS = TILE_WEIGHTS / PARTS;

// Row i of W in tile `tile`: its binding's word and its first element. Rows past the last repeat it.
fn weight_row(tile: u32, i: u32) -> vec2<u32> {
  let o = params.first + min(tile * TILE_OUTPUTS + i % TILE_OUTPUTS, params.count - 1u);
  var segment = i / TILE_OUTPUTS;
  if (!GATED) { segment = segment_of(o); }
  return vec2(params.bases[segment], (o - params.starts[segment]) * params.k);
}

// What a thread has of a row of x: products with its first (a) and its last four rows of W (b).
fn finish_row(tile: u32, tx: u32, row: u32, rows: u32, a: vec4<f32>, b: vec4<f32>) {
  if (row >= rows) { return; }
  for (var j = 0u; j < 4u; j++) {
    let o = tile * TILE_OUTPUTS + tx + j * TILE_X;
    if (o < params.count) { finish(row, params.first + o, vec2(a[j], b[j]), 1.0); }
    if (!GATED && o + 4u * TILE_X < params.count) {
      finish(row, params.first + o + 4u * TILE_X, vec2(b[j], 0.0), 1.0);
    }
  }
}
