// needs: lib/step, lib/experts
// varies: quant/*
// moeMatmul.wgsl: the chosen experts' linear maps for many rows; the prefill kernel of lib/experts.wgsl.
//
// moeGroup.wgsl has sorted the pairs by expert. A workgroup of 8 × 8 threads makes a tile of up to 32 pairs of
// one expert × 32 outputs, as matmul.wgsl does with 32 rows; blocks of 8 pairs that a tile lacks cost nothing.
// grid: (ceil(count / 32), tiles at most, 1), or !ROUTED: (ceil(count / 32), ceil(rows / 32), used)
@group(1) @binding(4) var<storage, read> route: array<u32>;

// [k / 4][pair or output] of four consecutive k, so that threads of a row read neighbours. Eight threads bring 128 bytes
// of a pair's x; pair_of keeps them out of each other's banks.
var<workgroup> tile_x: array<vec4<f32>, 256>;
var<workgroup> tile_w: array<vec4<f32>, 256u * PARTS>;

// Pairs i of the tile, whose first is at `start`.
fn pair_at(start: u32, expert: u32, i: u32) -> u32 {
  if (ROUTED) { return route[start + i]; }
  return (start + i) * params.used + expert;
}

// Where a pair stands in a column of tile_x.
fn pair_of(column: u32, pair: u32) -> u32 { return 32u * column + (pair ^ column); }

// Where the x of pair i of the tile begins.
fn source_of(start: u32, expert: u32, i: u32, count: u32) -> u32 {
  let pair = pair_at(start, expert, min(i, count - 1u));
  return params.x_offset + (pair / params.used) * params.x_stride + (pair % params.used) * params.x_choice;
}

fn stage_x(column: u32, i: u32, source: u32, count: u32, k: u32) {
  var v = vec4(0.0);
  if (i < count && k < params.k) {
    v = x[source + (k >> 2u)];
    if (TAIL) { v = mask(v, k); }
  }
  tile_x[pair_of(column, i)] = v;
}

fn stage_weights(thread: u32, part: u32, row: u32, k0: u32) {
  let half = thread >> 5u;
  let k = k0 + 16u * half;
  var w = mat4x4<f32>();
  if (k < params.k) {
    w = decode(params.bases[part], min(row, params.piece_rows[part] - 1u) * params.k + k);
    if (TAIL) {
      w = mat4x4<f32>(mask(w[0], k), mask(w[1], k + 4u), mask(w[2], k + 8u), mask(w[3], k + 12u));
    }
  }
  let at = 256u * part + 128u * half + (thread & 31u);
  tile_w[at] = w[0];
  tile_w[at + 32u] = w[1];
  tile_w[at + 64u] = w[2];
  tile_w[at + 96u] = w[3];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  var expert = group.z;
  var start = group.y * 32u;
  var count = 0u;
  if (ROUTED) {
    if (group.y >= route[params.route_offset]) { return; }
    let tile = params.route_offset + 4u + 3u * group.y;
    expert = route[tile];
    start = params.route_offset + 4u + 3u * params.max_tiles + route[tile + 1u];
    count = route[tile + 2u] - route[tile + 1u];
  } else {
    if (start >= row_count(params.domain)) { return; }
    count = min(32u, row_count(params.domain) - start);
  }
  if (elsewhere(expert)) { return; }
  let out0 = group.x * 32u;

  let staged = min(out0 + (thread & 31u), params.count - 1u);
  let weight_row = piece_row(0u, expert, staged);
  var up_row = 0u;
  if (GATED) { up_row = piece_row(1u, expert, staged); }

  // The column of a step, and the pairs, whose x this thread brings in.
  let column = thread & 7u;
  let mine = thread >> 3u;
  let sources = vec4(
    source_of(start, expert, mine, count), source_of(start, expert, mine + 8u, count),
    source_of(start, expert, mine + 16u, count), source_of(start, expert, mine + 24u, count));

  let tx = thread & 7u; // outputs tx, tx + 8, tx + 16, tx + 24
  let ty = thread >> 3u; // pairs ty, ty + 8, …
  var a0 = vec4(0.0); var a1 = vec4(0.0); var a2 = vec4(0.0); var a3 = vec4(0.0);
  var b0 = vec4(0.0); var b1 = vec4(0.0); var b2 = vec4(0.0); var b3 = vec4(0.0);

  for (var k0 = 0u; k0 < params.k; k0 += 32u) {
    let k = k0 + 4u * column;
    stage_x(column, mine, sources.x, count, k);
    stage_x(column, mine + 8u, sources.y, count, k);
    stage_x(column, mine + 16u, sources.z, count, k);
    stage_x(column, mine + 24u, sources.w, count, k);
    stage_weights(thread, 0u, weight_row, k0);
    if (GATED) { stage_weights(thread, 1u, up_row, k0); }
    workgroupBarrier();
    for (var q = 0u; q < 8u; q++) {
      let at = q * 32u + tx;
      let w0 = tile_w[at];
      let w1 = tile_w[at + 8u];
      let w2 = tile_w[at + 16u];
      let w3 = tile_w[at + 24u];
      let x0 = tile_x[pair_of(q, ty)];
      let x1 = tile_x[pair_of(q, ty + 8u)];
      let x2 = tile_x[pair_of(q, ty + 16u)];
      let x3 = tile_x[pair_of(q, ty + 24u)];
      a0 += vec4(dot(x0, w0), dot(x0, w1), dot(x0, w2), dot(x0, w3));
      if (count > 8u) { a1 += vec4(dot(x1, w0), dot(x1, w1), dot(x1, w2), dot(x1, w3)); }
      if (count > 16u) {
        a2 += vec4(dot(x2, w0), dot(x2, w1), dot(x2, w2), dot(x2, w3));
        a3 += vec4(dot(x3, w0), dot(x3, w1), dot(x3, w2), dot(x3, w3));
      }
      if (GATED) {
        let up = 256u * (PARTS - 1u) + at;
        let u0 = tile_w[up];
        let u1 = tile_w[up + 8u];
        let u2 = tile_w[up + 16u];
        let u3 = tile_w[up + 24u];
        b0 += vec4(dot(x0, u0), dot(x0, u1), dot(x0, u2), dot(x0, u3));
        if (count > 8u) { b1 += vec4(dot(x1, u0), dot(x1, u1), dot(x1, u2), dot(x1, u3)); }
        if (count > 16u) {
          b2 += vec4(dot(x2, u0), dot(x2, u1), dot(x2, u2), dot(x2, u3));
          b3 += vec4(dot(x3, u0), dot(x3, u1), dot(x3, u2), dot(x3, u3));
        }
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4u; i++) {
    if (ty + 8u * i >= count) { break; }
    let pair = pair_at(start, expert, ty + 8u * i);
    var a = a0; var b = b0;
    if (i == 1u) { a = a1; b = b1; } else if (i == 2u) { a = a2; b = b2; } else if (i == 3u) { a = a3; b = b3; }
    for (var j = 0u; j < 4u; j++) {
      let o = out0 + tx + 8u * j;
      if (o < params.count) { finish(pair / params.used, pair % params.used, expert, o, vec2(a[j], b[j])); }
    }
  }
}
