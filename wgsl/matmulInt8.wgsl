// needs: lib/linear, lib/dot_i8
// matmulInt8.wgsl: matmul.wgsl with activations of signed bytes and products of four at a time.
//
//   y[r, o] = scale · Σ_runs w.scale · x.scale · (w.q · x.q) + w.minimum · x.scale · Σ x.q  + bias[o] …
//
// Bindings are those of matvecInt8.wgsl (a norm in front is a kernel of its own). A workgroup of 8 × 8
// threads makes a tile of 32 rows × 32 outputs, each thread 4 × 4 of it. Per step of 32 along k, a block of
// the activations and two runs of the weights, still packed, go through workgroup memory once.
// grid: (ceil(count / 32), ceil(rows / 32), 1)
@group(1) @binding(2) var<storage, read> x: array<vec4<u32>>;

// [half of the block, then its head][row]
var<workgroup> tile_x: array<vec4<u32>, 96>;
// [part][half of the block][output]: codes; scale and minimum
var<workgroup> tile_w: array<vec4<u32>, 64u * PARTS>;
var<workgroup> tile_s: array<vec2<f32>, 64u * PARTS>;

fn stage_weights(thread: u32, part: u32, base: u32, row: u32, k0: u32) {
  let run = decode_i8(base, row * params.k + k0 + 16u * (thread >> 5u));
  tile_w[64u * part + thread] = run.q;
  tile_s[64u * part + thread] = vec2(run.scale, run.minimum);
}

// A run of one row against a thread's four outputs, the first of which stands at `at`.
fn products(q: vec4<u32>, scale: f32, sum: f32, at: u32) -> vec4<f32> {
  let s0 = tile_s[at];
  let s1 = tile_s[at + 8u];
  let s2 = tile_s[at + 16u];
  let s3 = tile_s[at + 24u];
  let dots = vec4(
    dot_i8(q, tile_w[at]),
    dot_i8(q, tile_w[at + 8u]),
    dot_i8(q, tile_w[at + 16u]),
    dot_i8(q, tile_w[at + 24u]),
  );
  return vec4(s0.x, s1.x, s2.x, s3.x) * (scale * vec4<f32>(dots)) + vec4(s0.y, s1.y, s2.y, s3.y) * sum;
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
  // [i] holds row ty + 8i against the four outputs, [4 + i] the same for the up half of a gated pair.
  var sums: array<vec4<f32>, 4u * PARTS>;

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
    for (var half = 0u; half < 2u; half++) {
      for (var i = 0u; i < 4u; i++) {
        let row = ty + 8u * i;
        let q = tile_x[32u * half + row];
        let head = bitcast<vec4<f32>>(tile_x[32u * HEAD + row]);
        let sum = select(head.y, head.z, half == 1u);
        for (var part = 0u; part < PARTS; part++) {
          sums[4u * part + i] += products(q, head.x, sum, 64u * part + 32u * half + tx);
        }
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4u; i++) {
    let row = row0 + ty + 8u * i;
    if (row >= rows) { continue; }
    for (var j = 0u; j < 4u; j++) {
      let o = out0 + tx + 8u * j;
      if (o < params.count) { finish(row, params.first + o, vec2(sums[i][j], sums[4u * (PARTS - 1u) + i][j]), 1.0); }
    }
  }
}
