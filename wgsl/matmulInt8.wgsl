// needs: lib/step, lib/linear, lib/tile, lib/dot-i8, lib/pairs
// varies: quant/*
// matmulInt8.wgsl: matmul.wgsl with activations of signed bytes and products of four at a time.
//
//   y[r, o] = scale · Σ_runs w.scale · x.scale · (w.q · x.q) + w.minimum · x.scale · Σ x.q  + bias[o] …
//
// Bindings are those of matvec.wgsl with lib/products-i8 (a norm in front is a kernel of its own), the tile is
// lib/tile's. Per step of 32 along k, two runs of each row, still packed, go through workgroup memory once.
// grid: (ceil(count / outputs of a tile), ceil(rows / TILE_ROWS), 1)
@group(1) @binding(2) var<storage, read> x: array<vec4<u32>>;

// [run 0, run 1][row]; scale and scale · Σ q of both runs [row]
var<workgroup> tile_x: array<vec4<u32>, 2u * TILE_ROWS>;
var<workgroup> tile_heads: array<vec4<f32>, TILE_ROWS>;
// [run][row of W]: codes; scale and minimum
var<workgroup> tile_w: array<vec4<u32>, 2u * TILE_WEIGHTS>;
var<workgroup> tile_s: array<vec2<f32>, 2u * TILE_WEIGHTS>;

struct FourRuns {
  q: array<vec4<u32>, 4>,
  scales: vec4<f32>,
  minima: vec4<f32>,
}

fn four_runs(at: u32) -> FourRuns {
  var runs: FourRuns;
  @unroll for (var j = 0u; j < 4u; j++) {
    runs.q[j] = tile_w[at + j * TILE_X];
    let s = tile_s[at + j * TILE_X];
    runs.scales[j] = s.x;
    runs.minima[j] = s.y;
  }
  return runs;
}

fn head_of(row: u32, run: u32) -> vec2<f32> {
  let heads = tile_heads[row];
  return select(heads.xy, heads.zw, run == 1u);
}

// A run of a row of x against four of W.
fn products(q: vec4<u32>, head: vec2<f32>, w: FourRuns) -> vec4<f32> {
  let dots = vec4<f32>(vec4(dot_i8(q, w.q[0]), dot_i8(q, w.q[1]), dot_i8(q, w.q[2]), dot_i8(q, w.q[3])));
  var sums = w.scales * (head.x * dots);
  if (MINIMUM) { sums += w.minima * head.y; }
  return sums;
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

  for (var k0 = 0u; k0 < params.k; k0 += 32u) {
    // Neighbouring threads bring a block of a row of x.
    for (var i = thread; i < BLOCK * TILE_ROWS; i += 64u) {
      // Rows past the last repeat it; their sums are not stored.
      let row = i / BLOCK;
      let part = i % BLOCK;
      let v = x[params.x_offset + min(row0 + row, rows - 1u) * params.x_stride + BLOCK * (k0 >> 5u) + part];
      if (part == HEAD) {
        tile_heads[row] = vec4(run_of(v, 0u), run_of(v, 1u));
      } else {
        tile_x[part * TILE_ROWS + row] = v;
      }
    }
    for (var i = thread; i < 2u * TILE_WEIGHTS; i += 64u) {
      let at = weight_row(group.x, i % TILE_WEIGHTS);
      let unit = unit_of(at.y + k0 + 16u * (i / TILE_WEIGHTS));
      let run = decode_i8(at.x, unit.x, unit.y);
      tile_w[i] = run.q;
      tile_s[i] = vec2(run.scale, run.minimum);
    }
    workgroupBarrier();
    for (var run = 0u; run < 2u; run++) {
      let wa = four_runs(run * TILE_WEIGHTS + tx);
      let wb = four_runs(run * TILE_WEIGHTS + tx + 4u * TILE_X);
      @unroll for (var i = 0u; i < 8u; i++) {
        let q = tile_x[run * TILE_ROWS + ty + i * TILE_Y];
        let head = head_of(ty + i * TILE_Y, run);
        a[i] += products(q, head, wa);
        b[i] += products(q, head, wb);
      }
    }
    workgroupBarrier();
  }
  @unroll for (var i = 0u; i < 8u; i++) {
    finish_row(group.x, tx, row0 + ty + i * TILE_Y, rows, a[i], b[i]);
  }
}
