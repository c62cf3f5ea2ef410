/** Generated from the .wgsl files by scripts/wgsl.ts: the shader texts by name. */
export const wgsl: Readonly<Record<string, string>> = {
  "dequant": `// needs: lib/store_run
// Dequantises a run of elements of one tensor to f32: out[i] = weight(first + i) for i < count.
// Used by the tests of the quant snippets and by what needs a small tensor as plain floats.
//
// group(1): 0 params, 1 weights (raw GGUF blocks), 2 out, 3 tables (only for types that use them).
// One thread for 16 elements, 64 threads a workgroup: grid (x, y) with x * y * 1024 >= count.

struct Params {
  // Word of \`weights\` where the tensor starts.
  base: u32,
  // First element; a multiple of 16 for block types.
  first: u32,
  count: u32,
  // Word of \`out\` that receives the first element.
  outFirst: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;
@group(1) @binding(3) var<storage, read> tables: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let start = ((group.y * groups.x + group.x) * 64u + thread) * 16u;
  if (start >= params.count) {
    return;
  }
  let values = decode(params.base, params.first + start);
  store_run(params.outFirst + start, values, params.count - start);
}
`,
  "embed": `// needs: lib/store_run
// Embedding gather: out[row][c] = scale * table[index(row) + offset][c] for c < width, where the index is
// the row's token, its position, or 0. The table has rows of \`rowElements\` weights of any quant type.
// The binding may hold a range of the table's rows only (a table split over several buffers): output rows
// whose index lies outside are left untouched, so that one dispatch a piece fills them all.
//
// group(0): 0 step (word 0: rows; from word 16 records of 8 words: [sequence, position, token or
//   0xffffffff for the sequence's last sampled token, …]).
// group(1): 0 params, 1 weights, 2 out (rows of outStride floats), 3 sampled (a token a sequence),
//   4 tables (only for types that use them).
// One thread for 16 columns, 64 threads a workgroup: grid (ceil(width / 1024), rows).

struct Params {
  width: u32,
  // Word of \`weights\` where the held rows start.
  base: u32,
  // Table rows held by the binding.
  firstRow: u32,
  rowCount: u32,
  rowElements: u32,
  outStride: u32,
  scale: f32,
  // 0: by token, 1: by position, 2: always row 0.
  by: u32,
  // Added to the index.
  offset: u32,
}

@group(0) @binding(0) var<storage, read> step: array<u32>;
@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;
@group(1) @binding(3) var<storage, read> sampled: array<u32>;
@group(1) @binding(4) var<storage, read> tables: array<u32>;

const RECORDS = 16u;
const RECORD_WORDS = 8u;
const FROM_SAMPLED = 0xffffffffu;

fn table_row(row: u32) -> u32 {
  let record = RECORDS + row * RECORD_WORDS;
  if (params.by == 2u) {
    return 0u;
  }
  if (params.by == 1u) {
    return step[record + 1u];
  }
  let token = step[record + 2u];
  if (token == FROM_SAMPLED) {
    return sampled[step[record]];
  }
  return token;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = group.y;
  let column = (group.x * 64u + thread) * 16u;
  if (row >= step[0] || column >= params.width) {
    return;
  }
  // Below firstRow the difference wraps to a number that is too large as well.
  let index = table_row(row) + params.offset - params.firstRow;
  if (index >= params.rowCount) {
    return;
  }
  let values = decode(params.base, index * params.rowElements + column);
  store_run(row * params.outStride + column, params.scale * values, params.width - column);
}
`,
  "lib/activation": `// lib/activation.wgsl: element-wise functions by number (the order of src/kernels/activation.ts).
// ACT is a constant, so the switch folds away. tanh is clamped: some drivers give NaN from 89 on.
fn safe_tanh(x: f32) -> f32 { return tanh(clamp(x, -15.0, 15.0)); }

// Abramowitz and Stegun 7.1.26 is too coarse (1.5e-7 absolute, poor near 0); this is the series of
// erf near 0 and the continued form of Numerical Recipes' erfc (relative error 1.2e-7) elsewhere.
fn erf(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.5) {
    let s = x * x;
    return x * (1.1283791671 + s * (-0.3761263890 + s * (0.1128379167 + s * (-0.0268661706 +
      s * (0.0052239776 + s * -0.0008548327)))));
  }
  let t = 1.0 / (1.0 + 0.5 * a);
  let p = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 +
    t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let c = t * exp(-a * a + p);
  return select(c - 1.0, 1.0 - c, x >= 0.0);
}

fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(clamp(-x, -80.0, 80.0))); }

fn softplus(x: f32) -> f32 { return select(log(1.0 + exp(min(x, 20.0))), x, x > 20.0); }

fn activate(kind: u32, x: f32) -> f32 {
  switch (kind) {
    case 0u: { return x * sigmoid(x); }
    case 1u: { return 0.5 * x * (1.0 + safe_tanh(0.7978845608028654 * x * (1.0 + 0.044715 * x * x))); }
    case 2u: { return 0.5 * x * (1.0 + erf(x * 0.7071067811865476)); }
    case 3u: { return x * sigmoid(1.702 * x); }
    case 4u: { return max(x, 0.0); }
    case 5u: { let r = max(x, 0.0); return r * r; }
    case 6u: { return sigmoid(x); }
    case 7u: { return safe_tanh(x); }
    case 8u: { return softplus(x); }
    case 9u: { return exp(x); }
    case 10u: { return -exp(x); }
    default: { return x; }
  }
}

// kind 12 = swigluOai: gate ≤ limit, |up| ≤ limit, gate · σ(alpha · gate) · (up + 1).
fn gated(kind: u32, gate: f32, up: f32, alpha: f32, limit: f32) -> f32 {
  if (kind == 12u) {
    let g = min(gate, limit);
    return g * sigmoid(alpha * g) * (clamp(up, -limit, limit) + 1.0);
  }
  return activate(kind, gate) * up;
}
`,
  "lib/bytes": `// Bytes, halves and unaligned words of \`weights: array<u32>\`, which the kernel declares. GGUF is
// little-endian. An address is a word \`base\` (start of a tensor) and a byte offset \`byte\` from there,
// so that a binding may be larger than a 32-bit count of bits, and up to 4 GiB.

fn load_u8(base: u32, byte: u32) -> u32 {
  return (weights[base + (byte >> 2u)] >> ((byte & 3u) << 3u)) & 0xffu;
}

// \`byte\` is a multiple of 2.
fn load_u16(base: u32, byte: u32) -> u32 {
  return (weights[base + (byte >> 2u)] >> ((byte & 2u) << 3u)) & 0xffffu;
}

// The f16 at \`byte\`, a multiple of 2. unpack2x16float is exact, subnormals included.
fn load_f16(base: u32, byte: u32) -> f32 {
  return unpack2x16float(load_u16(base, byte)).x;
}

// low and high are neighbours in memory: the word that starts \`shift\` bits (0..31) into low.
// The left shift is done in two, because a shift by 32 is a shift by 0.
fn straddle(low: vec4<u32>, high: vec4<u32>, shift: u32) -> vec4<u32> {
  return (low >> vec4(shift)) | ((high << vec4(1u)) << vec4(31u - shift));
}

// The word at any \`byte\`. Reads the next word too, which may lie behind the tensor.
fn load_u32(base: u32, byte: u32) -> u32 {
  let at = base + (byte >> 2u);
  let shift = (byte & 3u) << 3u;
  return (weights[at] >> shift) | ((weights[at + 1u] << 1u) << (31u - shift));
}

// Two words at any \`byte\`, by three loads.
fn load_u32x2(base: u32, byte: u32) -> vec2<u32> {
  let at = base + (byte >> 2u);
  let shift = (byte & 3u) << 3u;
  let low = vec2(weights[at], weights[at + 1u]);
  let high = vec2(low.y, weights[at + 2u]);
  return (low >> vec2(shift)) | ((high << vec2(1u)) << vec2(31u - shift));
}

// Four words (16 bytes) at any \`byte\`, by five loads.
fn load_u32x4(base: u32, byte: u32) -> vec4<u32> {
  let at = base + (byte >> 2u);
  let low = vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
  return straddle(low, vec4(low.yzw, weights[at + 4u]), (byte & 3u) << 3u);
}

// Four words (16 bytes) at a word address.
fn load_aligned_u32x4(at: u32) -> vec4<u32> {
  return vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
}

// The four bytes of a word as floats, lowest first. Done with shifts, because unpack4xU8 is an
// optional part of WGSL.
fn bytes_u8(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(0xffu));
}

// The same for signed bytes.
fn bytes_i8(word: u32) -> vec4<f32> {
  return vec4<f32>(vec4<i32>(vec4(word) << vec4(24u, 16u, 8u, 0u)) >> vec4(24u));
}
`,
  "lib/halves": `// 16 consecutive 16-bit elements of \`weights: array<u32>\`, which the kernel declares, as eight words.

// Rows of odd length make a run start in the middle of a word: the branch is the same for the whole
// row and never taken otherwise.
fn load_halves(base: u32, element: u32) -> array<vec4<u32>, 2> {
  let at = base + (element >> 1u);
  let a = vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
  let b = vec4(weights[at + 4u], weights[at + 5u], weights[at + 6u], weights[at + 7u]);
  if ((element & 1u) == 0u) {
    return array<vec4<u32>, 2>(a, b);
  }
  return array<vec4<u32>, 2>(
    (a >> vec4(16u)) | (vec4(a.yzw, b.x) << vec4(16u)),
    (b >> vec4(16u)) | (vec4(b.yzw, weights[at + 8u]) << vec4(16u)),
  );
}
`,
  "lib/no_residual": `// lib/no_residual.wgsl: stands where lib/residual.wgsl would when nothing is added.
fn residual_at(index: u32) -> f32 { return 0.0; }
`,
  "lib/residual": `// lib/residual.wgsl: the residual stream that a projection adds to.
@group(1) @binding(5) var<storage, read> residual: array<f32>;
fn residual_at(index: u32) -> f32 { return residual[index]; }
`,
  "lib/step": `// lib/step.wgsl: what every kernel may know of the step being computed; group 0 is the same for all.
// step   header, then one record a row, then the rows whose output is wanted
//        [0] rows  [1] output rows  [2] first word of the output row list
//        record r at 16 + 8r: sequence, position, token (SAMPLED = the one sampled last), flags, spare × 4
// pages  [sequence][page of the sequence] → page of the slab; PAGE positions a page
@group(0) @binding(0) var<storage, read> step: array<u32>;
@group(0) @binding(1) var<storage, read> pages: array<u32>;

const SAMPLED = 0xffffffffu;

// Rows of a value: all rows (domain 0) or only those whose output is wanted (domain 1).
fn row_count(domain: u32) -> u32 { return step[domain]; }
fn row_sequence(row: u32) -> u32 { return step[16u + 8u * row]; }
fn row_position(row: u32) -> u32 { return step[17u + 8u * row]; }
fn row_token(row: u32) -> u32 { return step[18u + 8u * row]; }
fn output_row(index: u32) -> u32 { return step[step[2] + index]; }
`,
  "lib/store_run": `// Writes 16 consecutive values, or as many as \`left\` allows, to \`out: array<f32>\`, which the kernel
// declares.

fn store_four(at: u32, v: vec4<f32>, left: u32) {
  if (left > 0u) {
    out[at] = v.x;
  }
  if (left > 1u) {
    out[at + 1u] = v.y;
  }
  if (left > 2u) {
    out[at + 2u] = v.z;
  }
  if (left > 3u) {
    out[at + 3u] = v.w;
  }
}

fn store_run(at: u32, values: mat4x4<f32>, left: u32) {
  store_four(at, values[0], left);
  store_four(at + 4u, values[1], max(left, 4u) - 4u);
  store_four(at + 8u, values[2], max(left, 8u) - 8u);
  store_four(at + 12u, values[3], max(left, 12u) - 12u);
}
`,
  "matvec": `// matvec.wgsl: y = x · Wᵀ for 1 to ROWS rows of x; the decode kernel, bound by reading W once.
//
//   y[r, o] = scale · inv[r] · Σ_k W[o, k] · g[k] · x[r, k]  + bias[o]  (+ residual[r, o])
//   GATED:  y[r, o] = act(gate row o) · (up row o)
//   NORM:   g = norm weight and inv[r] = 1 / sqrt(mean(x²) + eps), so RMSNorm costs no pass of its own;
//           without it g = inv = 1.
//
// Up to 4 segments (q, k, v; gate, up) stand behind each other in one weights binding; output o of
// segment s is row o − start of its tensor. Splits of a large tensor are dispatches with first > 0.
//
// weights  raw GGUF blocks, decoded 16 at a time by quant/<type>.wgsl           binding 1
// x        [rows][x_stride] f32 as vec4                                          binding 2
// small    norm weights and biases, vec4                                         binding 3
// out      [rows][out_stride] f32                                                binding 4
// residual [rows][residual_stride] f32 (when RESIDUAL)                           binding 5
// tables   lookup tables of the type (when it has any)                           last binding
//
// A workgroup of WG threads makes (WG / LANES) · OUTS outputs: LANES threads share one output, each
// taking every LANES-th run of 16 weights, OUTS outputs one after the other for the same x.
// The order of summation depends on LANES alone, never on the number of rows.
// grid: outputs folded over x and y, z = 1.
struct Params {
  k: u32,
  n: u32, // outputs of all segments
  first: u32, // first output of this dispatch
  count: u32, // outputs of this dispatch
  domain: u32,
  x_offset: u32, // vec4
  x_stride: u32, // vec4
  out_offset: u32,
  out_stride: u32,
  residual_offset: u32,
  residual_stride: u32,
  norm: u32, // vec4 index in small
  eps: f32,
  scale: f32,
  alpha: f32,
  limit: f32,
  ends: vec4<u32>, // one past the last output of each segment
  bases: vec4<u32>, // word of each segment's first held row
  starts: vec4<u32>, // output that stands at the base
  biases: vec4<u32>, // float index in small of the bias of the segment's output \`start\`, or NONE
}

const NONE = 0xffffffffu;
const GROUPS = WG / LANES;
const PARTS = select(1u, 2u, GATED);

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<u32>;
@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read> small: array<vec4<f32>>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> partial: array<f32, WG * (OUTS * PARTS + 1u)>;

fn segment_of(output: u32) -> u32 {
  return u32(output >= params.ends.x) + u32(output >= params.ends.y) + u32(output >= params.ends.z);
}

fn small_at(index: u32) -> f32 { return small[index >> 2u][index & 3u]; }

// Zero where k is past the end of a row whose length is no multiple of 16 (only float types have such).
fn mask(v: vec4<f32>, k: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(k, k + 1u, k + 2u, k + 3u) < vec4(params.k));
}

fn load_x(row: u32, k: u32, column: u32) -> vec4<f32> {
  let v = x[params.x_offset + row * params.x_stride + (k >> 2u) + column];
  if (TAIL) { return mask(v, k + 4u * column); }
  return v;
}

fn finish(row: u32, o: u32, sums: vec2<f32>, inv: f32) {
  let segment = segment_of(o);
  var y = sums.x * inv * params.scale;
  if (GATED) {
    var up = sums.y * inv * params.scale;
    if (params.biases.x != NONE) { y += small_at(params.biases.x + o); }
    if (params.biases.y != NONE) { up += small_at(params.biases.y + o); }
    y = gated(ACT, y, up, params.alpha, params.limit);
  } else if (params.biases[segment] != NONE) {
    y += small_at(params.biases[segment] + o - params.starts[segment]);
  }
  if (RESIDUAL) { y += residual_at(params.residual_offset + row * params.residual_stride + o); }
  out[params.out_offset + row * params.out_stride + o] = y;
}

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
      element[2u * i + 1u] = (o - params.starts.x) * params.k;
    } else {
      let segment = segment_of(o);
      base[i] = params.bases[segment];
      element[i] = (o - params.starts[segment]) * params.k;
    }
  }

  var sums: array<f32, ROWS * OUTS * PARTS>;
  var squares: array<f32, ROWS>;
  for (var k = lane * 16u; k < params.k; k += LANES * 16u) {
    var g0 = vec4(1.0); var g1 = vec4(1.0); var g2 = vec4(1.0); var g3 = vec4(1.0);
    if (NORM) {
      let at = params.norm + (k >> 2u);
      g0 = small[at]; g1 = small[at + 1u]; g2 = small[at + 2u]; g3 = small[at + 3u];
      for (var r = 0u; r < rows; r++) {
        let a = load_x(r, k, 0u); let b = load_x(r, k, 1u); let c = load_x(r, k, 2u); let d = load_x(r, k, 3u);
        squares[r] += (dot(a, a) + dot(b, b)) + (dot(c, c) + dot(d, d));
      }
    }
    for (var i = 0u; i < OUTS * PARTS; i++) {
      var w = decode(base[i], element[i] + k);
      if (TAIL) {
        w = mat4x4<f32>(mask(w[0], k), mask(w[1], k + 4u), mask(w[2], k + 8u), mask(w[3], k + 12u));
      }
      if (NORM) { w = mat4x4<f32>(w[0] * g0, w[1] * g1, w[2] * g2, w[3] * g3); }
      for (var r = 0u; r < rows; r++) {
        sums[r * OUTS * PARTS + i] +=
          (dot(w[0], load_x(r, k, 0u)) + dot(w[1], load_x(r, k, 1u))) +
          (dot(w[2], load_x(r, k, 2u)) + dot(w[3], load_x(r, k, 3u)));
      }
    }
  }

  for (var r = 0u; r < rows; r++) {
    if (LANES > 1u) {
      // One partial sum a thread; then one thread an output adds its LANES partials in order.
      let width = OUTS * PARTS + 1u;
      for (var i = 0u; i < OUTS * PARTS; i++) { partial[thread * width + i] = sums[r * OUTS * PARTS + i]; }
      if (NORM) { partial[thread * width + OUTS * PARTS] = squares[r]; }
      workgroupBarrier();
      let owner = thread / OUTS;
      let i = thread % OUTS;
      let o = ((group.y * groups.x + group.x) * GROUPS + owner) * OUTS + i;
      if (thread < GROUPS * OUTS && o < params.count) {
        var sum = vec2(0.0);
        var square = 0.0;
        for (var l = 0u; l < LANES; l++) {
          let at = (owner * LANES + l) * width;
          sum.x += partial[at + i * PARTS];
          if (GATED) { sum.y += partial[at + i * PARTS + 1u]; }
          if (NORM) { square += partial[at + OUTS * PARTS]; }
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
`,
  "quant/bf16": `// needs: lib/halves
// BF16: the upper halves of f32 (ggml type BF16), two a word, the first in the low half.

fn bf16x4(a: u32, b: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u));
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let h = load_halves(base, element);
  return mat4x4<f32>(
    bf16x4(h[0].x, h[0].y),
    bf16x4(h[0].z, h[0].w),
    bf16x4(h[1].x, h[1].y),
    bf16x4(h[1].z, h[1].w),
  );
}
`,
  "quant/f16": `// needs: lib/halves
// F16: IEEE half floats (ggml type F16), two a word, the first in the low half.

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let h = load_halves(base, element);
  return mat4x4<f32>(
    vec4(unpack2x16float(h[0].x), unpack2x16float(h[0].y)),
    vec4(unpack2x16float(h[0].z), unpack2x16float(h[0].w)),
    vec4(unpack2x16float(h[1].x), unpack2x16float(h[1].y)),
    vec4(unpack2x16float(h[1].z), unpack2x16float(h[1].w)),
  );
}
`,
  "quant/f32": `// F32: plain little-endian floats (ggml type F32). One word an element.

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let at = base + element;
  return mat4x4<f32>(
    bitcast<vec4<f32>>(vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u])),
    bitcast<vec4<f32>>(vec4(weights[at + 4u], weights[at + 5u], weights[at + 6u], weights[at + 7u])),
    bitcast<vec4<f32>>(vec4(weights[at + 8u], weights[at + 9u], weights[at + 10u], weights[at + 11u])),
    bitcast<vec4<f32>>(vec4(weights[at + 12u], weights[at + 13u], weights[at + 14u], weights[at + 15u])),
  );
}
`,
  "quant/q4_0": `// needs: lib/bytes
// Q4_0 (block_q4_0): 32 weights in 18 bytes.
//   0  d       f16
//   2  qs[16]  low nibbles weights 0..15, high nibbles weights 16..31
// w = d * (q - 8)

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 5u) * 18u;
  let d = load_f16(base, byte);
  let nibbles = (load_u32x4(base, byte + 2u) >> vec4((element & 16u) >> 2u)) & vec4(0x0f0f0f0fu);
  return mat4x4<f32>(
    d * (bytes_u8(nibbles.x) - 8.0),
    d * (bytes_u8(nibbles.y) - 8.0),
    d * (bytes_u8(nibbles.z) - 8.0),
    d * (bytes_u8(nibbles.w) - 8.0),
  );
}
`,
  "quant/q8_0": `// needs: lib/bytes
// Q8_0 (block_q8_0): 32 weights in 34 bytes.
//   0  d       f16
//   2  qs[32]  i8
// w = d * q

fn decode(base: u32, element: u32) -> mat4x4<f32> {
  let byte = (element >> 5u) * 34u;
  let d = load_f16(base, byte);
  let q = load_u32x4(base, byte + 2u + (element & 16u));
  return mat4x4<f32>(d * bytes_i8(q.x), d * bytes_i8(q.y), d * bytes_i8(q.z), d * bytes_i8(q.w));
}
`,
};
