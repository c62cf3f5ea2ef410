/** Generated from the .wgsl files by scripts/wgsl.ts: the shader texts by name. */
export const wgsl: Readonly<Record<string, string>> = {
  "argmax": `


struct Params {
width: u32,
x_offset: u32,
x_stride: u32,
runs: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> logits: array<f32>;
@group(1) @binding(2) var<storage, read_write> out: array<vec2<f32>>;

var<workgroup> value: array<f32, 64>;
var<workgroup> place: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
if (id.y >= row_count(1u)) { return; }
let source = params.x_offset + id.y * params.x_stride;
let end = min((id.x + 1u) * RUN, params.width);
var best = -3.0e38;
var at = id.x * RUN;
for (var i = id.x * RUN + thread; i < end; i += 64u) {
let v = logits[source + i];
if (v > best) { best = v; at = i; }
}
value[thread] = best;
place[thread] = at;
workgroupBarrier();
if (thread == 0u) {
for (var i = 1u; i < 64u; i++) {
if (value[i] > best || (value[i] == best && place[i] < at)) { best = value[i]; at = place[i]; }
}
out[id.y * params.runs + id.x] = vec2(best, bitcast<f32>(at));
}
}
`,
  "argmaxReduce": `



struct Params {
runs: u32,
results: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> runs: array<vec2<f32>>;
@group(1) @binding(2) var<storage, read_write> sampled: array<u32>;

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) id: vec3<u32>) {
if (id.x >= row_count(1u)) { return; }
var best = runs[id.x * params.runs];
for (var i = 1u; i < params.runs; i++) {
let other = runs[id.x * params.runs + i];
if (other.x > best.x) { best = other; }
}
let token = bitcast<u32>(best.y);

let sequence = row_sequence(output_row(id.x));
var is_last = id.x + 1u >= row_count(1u);
if (!is_last) { is_last = row_sequence(output_row(id.x + 1u)) != sequence; }
if (is_last) { sampled[sequence] = token; }
sampled[params.results + result_of(id.x)] = token;
}
`,
  "attention": `














struct Params {
heads: u32,
per_kv: u32,
key_width: u32,
value_width: u32,
domain: u32,
q_offset: u32,
q_stride: u32,
out_offset: u32,
out_stride: u32,
row_words: u32,
value_word: u32,
window: u32,
sinks: u32,
slopes: u32,
scale: f32,
softcap: f32,

k_offset: u32,
v_offset: u32,
start: u32,
half: u32,
angles: u32,
q_norm: u32,
k_norm: u32,
eps: f32,
}

const NONE = 0xffffffffu;
const WG = 64u;
const TILE = WG * POSITIONS;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(3) var<storage, read> small: array<f32>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> query: array<vec4<f32>, GROUP * KEY4>;
var<workgroup> weight: array<f32, GROUP * TILE>;
var<workgroup> partials: array<f32, GROUP * WG>;
var<workgroup> eighth: array<f32, GROUP * 8u>;
var<workgroup> columns: array<vec4<f32>, WG * COLUMNS>;


fn largest(thread: u32) {
workgroupBarrier();
for (var i = thread; i < GROUP * 8u; i += WG) {
var m = partials[i * 8u];
for (var j = 1u; j < 8u; j++) { m = max(m, partials[i * 8u + j]); }
eighth[i] = m;
}
workgroupBarrier();
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
let row = id.z;
if (row >= row_count(params.domain)) { return; }
let groups = (params.per_kv + GROUP - 1u) / GROUP;
let kv_head = id.y / groups;
let first = kv_head * params.per_kv + (id.y % groups) * GROUP;
let heads = min(GROUP, (kv_head + 1u) * params.per_kv - first);
let sequence = row_sequence(row);
let position = row_position(row);
let range = attention_range(row, params.window);

let share = ((range.y - range.x + SPLITS * 32u - 1u) / (SPLITS * 32u)) * 32u;
let begin = min(range.x + id.x * share, range.y);
let end = min(begin + share, range.y);

take_queries(thread, row, first, heads, begin <= position && position < end);

let lanes = params.value_width >> 2u;
let used = (lanes + COLUMNS - 1u) / COLUMNS;
let stripes = WG / used;
let lane = thread % used;
let stripe = thread / used;
var maximum: array<f32, GROUP>;
var sum: array<f32, GROUP>;
var values: array<vec4<f32>, GROUP * COLUMNS>;
for (var g = 0u; g < GROUP; g++) { maximum[g] = -1e30; }

for (var tile = begin; tile < end; tile += TILE) {
var words: array<u32, POSITIONS>;
var scores: array<f32, GROUP * POSITIONS>;

for (var n = 0u; n < POSITIONS; n++) {
words[n] = slab_row(sequence, min(tile + n * WG + thread, end - 1u)) * params.row_words;
for (var g = 0u; g < GROUP; g++) { scores[g * POSITIONS + n] = 0.0; }
}
for (var i = 0u; i < KEY4; i++) {
var a: array<vec4<f32>, GROUP>;
for (var g = 0u; g < GROUP; g++) { a[g] = query[g * KEY4 + i]; }
for (var n = 0u; n < POSITIONS; n++) {
if (n == 0u || tile + n * WG < end) {
let key = kv_load(K_KIND, words[n], kv_head * params.key_width + 4u * i);
for (var g = 0u; g < GROUP; g++) { scores[g * POSITIONS + n] += dot(a[g], key); }
}
}
}
for (var g = 0u; g < GROUP; g++) {
var highest = -1e30;
for (var n = 0u; n < POSITIONS; n++) {
let j = tile + n * WG + thread;
var score = scores[g * POSITIONS + n] * params.scale;
if (params.softcap > 0.0) { score = params.softcap * tanh(clamp(score / params.softcap, -15.0, 15.0)); }
if (params.slopes != NONE) { score -= small[params.slopes + first + min(g, heads - 1u)] * abs(f32(position) - f32(j)); }
score = select(-1e30, score, j < end);
scores[g * POSITIONS + n] = score;
highest = max(highest, score);
}
partials[g * WG + thread] = highest;
}
largest(thread);
for (var g = 0u; g < GROUP; g++) {
var next = maximum[g];
for (var i = 0u; i < 8u; i++) { next = max(next, eighth[g * 8u + i]); }
let shrink = exp(maximum[g] - next);
maximum[g] = next;
var p = 0.0;
for (var n = 0u; n < POSITIONS; n++) {
let j = tile + n * WG + thread;
let one = select(0.0, exp(scores[g * POSITIONS + n] - next), j < end);
weight[g * TILE + n * WG + thread] = one;
p += one;
}
sum[g] = sum[g] * shrink + p;
for (var c = 0u; c < COLUMNS; c++) { values[g * COLUMNS + c] *= shrink; }
}
workgroupBarrier();
let count = min(TILE, end - tile);
if (stripe < stripes) {
for (var i = stripe; i < count; i += stripes) {
let word = slab_row(sequence, tile + i) * params.row_words + params.value_word;
var w: array<f32, GROUP>;
for (var g = 0u; g < GROUP; g++) { w[g] = weight[g * TILE + i]; }
for (var c = 0u; c < COLUMNS; c++) {

let column = min(lane + c * used, lanes - 1u);
let value = kv_load(V_KIND, word, kv_head * VALUE_STEP + 4u * column);
for (var g = 0u; g < GROUP; g++) { values[g * COLUMNS + c] += w[g] * value; }
}
}
}
workgroupBarrier();
}

for (var g = 0u; g < GROUP; g++) { partials[g * WG + thread] = sum[g]; }
workgroupBarrier();
for (var i = thread; i < GROUP * 8u; i += WG) {
var total = 0.0;
for (var j = 0u; j < 8u; j++) { total += partials[i * 8u + j]; }
eighth[i] = total;
}
for (var g = 0u; g < heads; g++) {
workgroupBarrier();
var total = 0.0;
for (var i = 0u; i < 8u; i++) { total += eighth[g * 8u + i]; }
let head = first + g;
var shrink = 1.0;
if (SPLITS == 1u && params.sinks != NONE) {
let sink = small[params.sinks + head];
let next = max(maximum[g], sink);
shrink = exp(maximum[g] - next);
total = total * shrink + exp(sink - next);
}
var to = params.out_offset + row * params.out_stride + head * params.value_width;
if (SPLITS > 1u) {
to = ((row * params.heads + head) * SPLITS + id.x) * (params.value_width + 4u);
if (thread == 0u) {
out[to] = maximum[g];
out[to + 1u] = total;
}
to += 4u;
}

for (var c = 0u; c < COLUMNS && stripe < stripes; c++) {
columns[(stripe * COLUMNS + c) * used + lane] = values[g * COLUMNS + c];
}
workgroupBarrier();
for (var column = thread; column < lanes; column += WG) {
var v = vec4(0.0);
for (var s = 0u; s < stripes; s++) { v += columns[s * COLUMNS * used + column]; }
if (SPLITS == 1u) { v = v * shrink / total; }
for (var i = 0u; i < 4u; i++) { out[to + 4u * column + i] = v[i]; }
}
}
}
`,
  "attentionReduce": `



struct Params {
heads: u32,
value_width: u32,
domain: u32,
out_offset: u32,
out_stride: u32,
sinks: u32,
}

const NONE = 0xffffffffu;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> splits: array<f32>;
@group(1) @binding(2) var<storage, read> small: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
if (id.y >= row_count(params.domain)) { return; }
let stride = params.value_width + 4u;
let source = (id.y * params.heads + id.x) * SPLITS * stride;
var maximum = -1e30;
if (params.sinks != NONE) { maximum = small[params.sinks + id.x]; }
for (var s = 0u; s < SPLITS; s++) { maximum = max(maximum, splits[source + s * stride]); }
var total = 0.0;
if (params.sinks != NONE) { total = exp(small[params.sinks + id.x] - maximum); }
for (var s = 0u; s < SPLITS; s++) { total += splits[source + s * stride + 1u] * exp(splits[source + s * stride] - maximum); }
let to = params.out_offset + id.y * params.out_stride + id.x * params.value_width;
for (var i = thread; i < params.value_width; i += 64u) {
var sum = 0.0;
for (var s = 0u; s < SPLITS; s++) { sum += splits[source + s * stride + 4u + i] * exp(splits[source + s * stride] - maximum); }
out[to + i] = sum / total;
}
}
`,
  "attentionTile": `







struct Params {
heads: u32,
per_kv: u32,
key_width: u32,
value_width: u32,
domain: u32,
q_offset: u32,
q_stride: u32,
out_offset: u32,
out_stride: u32,
row_words: u32,
value_word: u32,
window: u32,
sinks: u32,
slopes: u32,
scale: f32,
softcap: f32,
}

const NONE = 0xffffffffu;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> slab: array<u32>;
@group(1) @binding(3) var<storage, read> small: array<f32>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> query: array<vec4<f32>, 8u * KEY4>;
var<workgroup> weight: array<f32, 256>;
var<workgroup> partials: array<f32, 64>;
var<workgroup> shrink: array<f32, 8>;
var<workgroup> begins: array<u32, 8>;
var<workgroup> ends: array<u32, 8>;

fn eighths_max(row: u32) -> f32 {
let at = row * 8u;
return max(max(max(partials[at], partials[at + 1u]), max(partials[at + 2u], partials[at + 3u])),
max(max(partials[at + 4u], partials[at + 5u]), max(partials[at + 6u], partials[at + 7u])));
}

fn eighths_sum(row: u32) -> f32 {
var sum = 0.0;
for (var i = 0u; i < 8u; i++) { sum += partials[row * 8u + i]; }
return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
let rows = row_count(params.domain);
let tile_row = id.x * 8u;
if (tile_row >= rows) { return; }
let head = id.y;
let kv_head = head / params.per_kv;
let tile_end = min(tile_row + 8u, rows);

let lanes = params.value_width >> 2u;
let used = min(lanes, 64u);
let share = thread / used;
let lane = thread % used;

var first = tile_row;
while (first < tile_end) {

let sequence = row_sequence(first);
var last = first + 1u;
while (last < tile_end && row_sequence(last) == sequence) { last++; }
var low = 0xffffffffu;
var high = 0u;
for (var r = first; r < last; r++) {
let range = attention_range(r, params.window);
low = min(low, range.x);
high = max(high, range.y);
}
workgroupBarrier();
if (thread < 8u) {
let r = tile_row + thread;
var range = vec2(0u, 0u);
if (r >= first && r < last) { range = attention_range(r, params.window); }
begins[thread] = range.x;
ends[thread] = range.y;
}
for (var i = thread; i < 8u * KEY4; i += 64u) {
let r = min(tile_row + i / KEY4, tile_end - 1u);
query[i] = q[((params.q_offset + r * params.q_stride + head * params.key_width) >> 2u) + i % KEY4];
}
workgroupBarrier();


var maximum = -1e30;
var total = 0.0;
var values: array<vec4<f32>, ROW_SHARE * VALUE_LANES>;

for (var start = low; start < high; start += 32u) {
let position = start + (thread & 31u);
let four = (thread >> 5u) * 4u;
var scores = vec4(0.0);
if (position < high) {
let word = slab_row(sequence, position) * params.row_words;
for (var i = 0u; i < KEY4; i++) {
let k = kv_load(K_KIND, word, kv_head * params.key_width + 4u * i);
scores += vec4(dot(query[four * KEY4 + i], k), dot(query[(four + 1u) * KEY4 + i], k),
dot(query[(four + 2u) * KEY4 + i], k), dot(query[(four + 3u) * KEY4 + i], k));
}
}
for (var i = 0u; i < 4u; i++) {
let r = four + i;
var score = scores[i] * params.scale;
if (params.softcap > 0.0) { score = params.softcap * tanh(clamp(score / params.softcap, -15.0, 15.0)); }
if (params.slopes != NONE) {
score -= small[params.slopes + head] * abs(f32(row_position(min(tile_row + r, tile_end - 1u))) - f32(position));
}
weight[r * 32u + (thread & 31u)] = select(-1e30, score, position >= begins[r] && position < ends[r]);
}
workgroupBarrier();
let at = (thread >> 3u) * 32u + (thread & 7u) * 4u;
partials[thread] = max(max(weight[at], weight[at + 1u]), max(weight[at + 2u], weight[at + 3u]));
workgroupBarrier();
let next = max(maximum, eighths_max(thread >> 3u));
workgroupBarrier();
var sum = 0.0;
for (var i = 0u; i < 4u; i++) {
let s = weight[at + i];
let p = select(exp(s - next), 0.0, s <= -1e30);
weight[at + i] = p;
sum += p;
}
partials[thread] = sum;
if ((thread & 7u) == 0u) { shrink[thread >> 3u] = exp(maximum - next); }
total *= exp(maximum - next);
maximum = next;
workgroupBarrier();
total += eighths_sum(thread >> 3u);
let count = min(32u, high - start);
for (var c = 0u; c < VALUE_LANES; c++) {
let column = lane + c * 64u;
if (column < lanes && share * ROW_SHARE < 8u) {
for (var r = 0u; r < ROW_SHARE; r++) { values[r * VALUE_LANES + c] *= shrink[min(share * ROW_SHARE + r, 7u)]; }
for (var i = 0u; i < count; i++) {
let word = slab_row(sequence, start + i) * params.row_words + params.value_word;
let v = kv_load(V_KIND, word, kv_head * VALUE_STEP + 4u * column);
for (var r = 0u; r < ROW_SHARE; r++) {
values[r * VALUE_LANES + c] += weight[min(share * ROW_SHARE + r, 7u) * 32u + i] * v;
}
}
}
}
workgroupBarrier();
}


if ((thread & 7u) == 0u) {
var factor = 1.0;
if (params.sinks != NONE) {
let sink = small[params.sinks + head];
let next = max(maximum, sink);
factor = exp(maximum - next);
total = total * factor + exp(sink - next);
}
shrink[thread >> 3u] = factor / total;
}
workgroupBarrier();
for (var c = 0u; c < VALUE_LANES; c++) {
let column = lane + c * 64u;
if (column < lanes && share * ROW_SHARE < 8u) {
for (var r = 0u; r < ROW_SHARE; r++) {
let row = tile_row + share * ROW_SHARE + r;
if (row >= first && row < last) {
let to = params.out_offset + row * params.out_stride + head * params.value_width + 4u * column;
let v = values[r * VALUE_LANES + c] * shrink[share * ROW_SHARE + r];
for (var i = 0u; i < 4u; i++) { out[to + i] = v[i]; }
}
}
}
}
first = last;
}
}
`,
  "conv": `// needs: lib/runs, lib/inputs






struct Params {
width: u32,
out_offset: u32,
out_stride: u32,
state_offset: u32,
state_size: u32,
pad0: u32,
pad1: u32,
pad2: u32,
x: vec4<u32>,
weight: vec4<u32>,
bias: vec4<u32>,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;
@group(1) @binding(6) var<storage, read_write> state: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
let c = id.x;
let row = id.y;
if (row >= row_count(0u) || c >= params.width) { return; }
let first = row_run_first(row);
let bias = load_or(params.bias, 0u, c, 0.0);
if (row >= first + K - 1u) {
var y = bias;
for (var j = 0u; j < K; j++) { y += load(params.weight, 0u, c * K + j) * load(params.x, row + 1u + j - K, c); }
out[params.out_offset + row * params.out_stride + c] = y;
}
if (row != first) { return; }


var past: array<f32, K>;
let count = row_run_end(row) - first;
let base = params.state_offset + row_sequence(row) * params.state_size + c;
let started = row_position(row) != 0u;
for (var j = 0u; j + 1u < K; j++) {
past[j] = 0.0;
if (started) { past[j] = state[base + j * params.width]; }
}
for (var t = 0u; t < min(K - 1u, count); t++) {
var y = bias;
for (var j = 0u; j < K; j++) {
var v = 0.0;
if (t + j + 1u < K) { v = past[t + j]; } else { v = load(params.x, first + t + j + 1u - K, c); }
y += load(params.weight, 0u, c * K + j) * v;
}
out[params.out_offset + (first + t) * params.out_stride + c] = y;
}
for (var j = 0u; j + 1u < K; j++) {
let s = count + j;
var v = 0.0;
if (s + 1u < K) { v = past[s]; } else { v = load(params.x, first + s + 1u - K, c); }
state[base + j * params.width] = v;
}
}
`,
  "copy": `



struct Params {
width: u32,
groups: u32,
domain: u32,
x_offset: u32,
x_stride: u32,
x_run: u32,
out_offset: u32,
out_stride: u32,
out_run: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
if (id.y >= row_count(params.domain) || id.x >= params.width * params.groups) { return; }
let group = id.x / params.width;
let i = id.x % params.width;
var row = id.y;
if (SELECT) { row = output_row(id.y); }
out[params.out_offset + id.y * params.out_stride + group * params.out_run + i] =
x[params.x_offset + row * params.x_stride + group * params.x_run + i];
}
`,
  "deltaNet": `// needs: lib/runs, lib/inputs










struct Params {
heads: u32,
key_heads: u32,
value_width: u32,
out_offset: u32,
out_stride: u32,
state_offset: u32,
state_size: u32,
scale: f32,
q: vec4<u32>,
k: vec4<u32>,
v: vec4<u32>,
g: vec4<u32>,
beta: vec4<u32>,
}

const PER = KEY / LANES;
const COLUMNS = WG / LANES;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;
@group(1) @binding(6) var<storage, read_write> state: array<f32>;

var<workgroup> partials: array<vec4<f32>, 2u * WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
if (group.y >= run_count()) { return; }
let first = run_first(group.y);
let end = row_run_end(first);
let blocks = (params.value_width + COLUMNS - 1u) / COLUMNS;
let head = group.x / blocks;

let lane = thread / COLUMNS;
let slot = thread % COLUMNS;
let wanted = (group.x % blocks) * COLUMNS + slot;
let column = min(wanted, params.value_width - 1u);
var key_head = head / (params.heads / params.key_heads);
if (TILED) { key_head = head % params.key_heads; }
let base = params.state_offset + row_sequence(first) * params.state_size +
(head * KEY + lane) * params.value_width + column;
let step_width = LANES * params.value_width;
let started = row_position(first) != 0u;

var s: array<f32, PER>;
var keys: array<f32, PER>;
for (var n = 0u; n < PER; n++) {
s[n] = 0.0;
if (started) { s[n] = state[base + n * step_width]; }
}
for (var row = first; row < end; row++) {
let beta = load(params.beta, row, head);
let value = load(params.v, row, head * params.value_width + column);
var decay = 1.0;
if (!PER_CHANNEL) { decay = exp(load(params.g, row, head)); }
var sums = vec3(0.0);
for (var n = 0u; n < PER; n++) {
let i = lane + LANES * n;
if (PER_CHANNEL) { decay = exp(load(params.g, row, head * KEY + i)); }
let k = load(params.k, row, key_head * KEY + i);
let q = load(params.q, row, key_head * KEY + i);
keys[n] = k;
s[n] = s[n] * decay;
sums += vec3(s[n] * k, s[n] * q, k * q);
}
if (LANES > 1u) {
let half = (row & 1u) * WG;
partials[half + thread] = vec4(sums, 0.0);
workgroupBarrier();
sums = vec3(0.0);
for (var l = 0u; l < LANES; l++) { sums += partials[half + l * COLUMNS + slot].xyz; }
}
let u = beta * (value - sums.x);
for (var n = 0u; n < PER; n++) { s[n] += keys[n] * u; }
if (lane == 0u && wanted < params.value_width) {
out[params.out_offset + row * params.out_stride + head * params.value_width + column] =
params.scale * (sums.y + u * sums.z);
}
}
if (wanted < params.value_width) {
for (var n = 0u; n < PER; n++) { state[base + n * step_width] = s[n]; }
}
}
`,
  "dequant": `// needs: lib/store_run






struct Params {

base: u32,

first: u32,
count: u32,

outFirst: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;

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
  "dot": `


struct Params {
count: u32,
group: u32,
domain: u32,
a_offset: u32,
a_stride: u32,
b_offset: u32,
b_stride: u32,
out_offset: u32,
out_stride: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> a: array<f32>;
@group(1) @binding(2) var<storage, read> b: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
if (id.y >= row_count(params.domain) || id.x >= params.count) { return; }
let at_a = params.a_offset + id.y * params.a_stride + id.x * params.group;
let at_b = params.b_offset + id.y * params.b_stride + id.x * params.group;
var sum = 0.0;
for (var i = 0u; i < params.group; i++) { sum += a[at_a + i] * b[at_b + i]; }
out[params.out_offset + id.y * params.out_stride + id.x] = sum;
}
`,
  "elementwise": `





struct Params {
width: u32,
domain: u32,
a_offset: u32,
a_stride: u32,
b_offset: u32,
b_stride: u32,
out_offset: u32,
out_stride: u32,
repeat: u32,
period: u32,
kind: u32,
act: u32,
c: vec4<f32>,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> a: array<f32>;
@group(1) @binding(2) var<storage, read> b: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
let i = id.x;
let row = id.y;
if (row >= row_count(params.domain) || i >= params.width) { return; }
let va = a[params.a_offset + row * params.a_stride + i];
let vb = b[params.b_offset + row * params.b_stride + (i / params.repeat) % params.period];
let c = params.c;
var y = va;
switch (params.kind) {
case 0u: { y = va + vb; }
case 1u: { y = va * vb; }
case 2u: { y = va * c.x + c.y; }
case 3u: { y = clamp(va, c.x, c.y); }
case 4u: { y = activate(params.act, va); }
case 5u: { y = c.x * safe_tanh(va / c.x); }
case 6u: { y = gated(params.act, va, vb, c.x, c.y); }
case 7u: { y = va * (log(floor((f32(row_position(row)) + c.z) / c.x) + 1.0) * c.y + 1.0); }
default: {
let n = min(va, c.w);
y = select((exp(n) - 1.0 - va) * c.x + c.z * va, c.y * va * va + c.z * va, va > 0.0);
}
}
out[params.out_offset + row * params.out_stride + i] = y;
}
`,
  "embed": `// needs: lib/step, lib/store_run












struct Params {
width: u32,

base: u32,

firstRow: u32,
rowCount: u32,
rowElements: u32,
outStride: u32,

by: u32,

offset: u32,
outOffset: u32,
contextLength: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;
@group(1) @binding(3) var<storage, read> sampled: array<u32>;
@group(1) @binding(4) var<storage, read_write> history: array<u32>;

fn table_row(row: u32) -> u32 {
if (params.by == 2u) {
return 0u;
}
if (params.by == 1u) {
return row_position(row);
}
let token = row_token(row);
if (token == SAMPLED) {
return sampled[row_sequence(row)];
}
return token;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
let row = group.y;
let column = (group.x * 64u + thread) * 16u;
if (row >= row_count(0u) || column >= params.width) {
return;
}

let found = table_row(row);
let index = found + params.offset - params.firstRow;
if (index >= params.rowCount) {
return;
}
if (params.by == 0u && column == 0u) {
history[row_sequence(row) * params.contextLength + row_position(row)] = found;
}
let values = decode(params.base, index * params.rowElements + column);
store_run(params.outOffset + row * params.outStride + column, values, params.width - column);
}
`,
  "lib/activation": `

fn safe_tanh(x: f32) -> f32 { return tanh(clamp(x, -15.0, 15.0)); }



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


fn gated(kind: u32, gate: f32, up: f32, alpha: f32, limit: f32) -> f32 {
if (kind == 12u) {
let g = min(gate, limit);
return g * sigmoid(alpha * g) * (clamp(up, -limit, limit) + 1.0);
}
return activate(kind, gate) * up;
}
`,
  "lib/attention_range": `


fn attention_range(row: u32, window: u32) -> vec2<u32> {
let position = row_position(row);
let end = row_end(row);
if (window == 0u) { return vec2(0u, end); }
if (WINDOW == 0u) { return vec2(select(0u, position + 1u - window, position + 1u > window), end); }
if (WINDOW == 1u) { return vec2((position / max(window, 1u)) * window, end); }
let side = window / 2u;
return vec2(select(0u, position - side, position > side), min(end, position + side + 1u));
}
`,
  "lib/bytes": `



fn load_u8(base: u32, byte: u32) -> u32 {
return (weights[base + (byte >> 2u)] >> ((byte & 3u) << 3u)) & 0xffu;
}


fn load_u16(base: u32, byte: u32) -> u32 {
return (weights[base + (byte >> 2u)] >> ((byte & 2u) << 3u)) & 0xffffu;
}


fn load_f16(base: u32, byte: u32) -> f32 {
return unpack2x16float(load_u16(base, byte)).x;
}



fn straddle(low: vec4<u32>, high: vec4<u32>, shift: u32) -> vec4<u32> {
return (low >> vec4(shift)) | ((high << vec4(1u)) << vec4(31u - shift));
}


fn load_u32(base: u32, byte: u32) -> u32 {
let at = base + (byte >> 2u);
let shift = (byte & 3u) << 3u;
return (weights[at] >> shift) | ((weights[at + 1u] << 1u) << (31u - shift));
}


fn load_u32x2(base: u32, byte: u32) -> vec2<u32> {
let at = base + (byte >> 2u);
let shift = (byte & 3u) << 3u;
let low = vec2(weights[at], weights[at + 1u]);
let high = vec2(low.y, weights[at + 2u]);
return (low >> vec2(shift)) | ((high << vec2(1u)) << vec2(31u - shift));
}



fn load_u32x4(base: u32, byte: u32, skip: u32) -> vec4<u32> {
let at = base + (byte >> 2u) + skip;
let low = vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
return straddle(low, vec4(low.yzw, weights[at + 4u]), (byte & 3u) << 3u);
}


fn load_aligned_u32x4(at: u32) -> vec4<u32> {
return vec4(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
}



fn bytes_u8(word: u32) -> vec4<f32> {
return vec4<f32>((vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(0xffu));
}


fn bytes_i8(word: u32) -> vec4<f32> {
return vec4<f32>(vec4<i32>(vec4(word) << vec4(24u, 16u, 8u, 0u)) >> vec4(24u));
}


fn nibbles(words: vec4<u32>, shift: u32) -> vec4<u32> {
return (words >> vec4(shift)) & vec4(0x0f0f0f0fu);
}



fn spread_bits(bits: u32) -> vec4<u32> {
let groups = (vec4(bits) >> vec4(0u, 4u, 8u, 12u)) & vec4(15u);
return (groups * 0x00204081u) & vec4(0x01010101u);
}


fn subtract_bytes(words: vec4<u32>, n: u32) -> vec4<u32> {
let top = vec4(0x80808080u);
return ((words | top) - vec4(n * 0x01010101u)) ^ top;
}


fn scaled_i8(bytes: vec4<u32>, scale: f32) -> mat4x4<f32> {
return mat4x4<f32>(
scale * bytes_i8(bytes.x),
scale * bytes_i8(bytes.y),
scale * bytes_i8(bytes.z),
scale * bytes_i8(bytes.w),
);
}


fn affine_u8(bytes: vec4<u32>, scale: f32, minimum: f32) -> mat4x4<f32> {
return mat4x4<f32>(
scale * bytes_u8(bytes.x) + minimum,
scale * bytes_u8(bytes.y) + minimum,
scale * bytes_u8(bytes.z) + minimum,
scale * bytes_u8(bytes.w) + minimum,
);
}
`,
  "lib/cache": `


fn slab_row(sequence: u32, position: u32) -> u32 {
if (RING > 0u) { return sequence * RING + position % max(RING, 1u); }
return pages[sequence * MAX_PAGES + position / PAGE] * PAGE + position % PAGE;
}
`,
  "lib/divide": `
fn divide(a: f32, b: f32) -> f32 {
let q = a / b;
let q_high = bitcast<f32>(bitcast<u32>(q) & 0xfffff000u);
let b_high = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
let q_low = q - q_high;
let b_low = b - b_high;
return q + (((a - q_high * b_high) - q_high * b_low) - q_low * b_high - q_low * b_low) / b;
}
`,
  "lib/dot_i8": `




const BLOCK = 3u;
const HEAD = 2u;


fn run_of(head: vec4<u32>, run: u32) -> vec2<f32> {
let scale = bitcast<f32>(select(head.x, head.y, run == 1u));
let sum = bitcast<i32>(head.z << (16u - 16u * run)) >> 16u;
return vec2(scale, scale * f32(sum));
}


fn dot_i8(a: vec4<u32>, b: vec4<u32>) -> i32 {
return (dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y)) + (dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w));
}
`,
  "lib/experts": `











struct Params {
k: u32,
count: u32,
used: u32,
domain: u32,
x_offset: u32,
x_stride: u32,
x_choice: u32,
out_offset: u32,
out_stride: u32,
route_offset: u32,
route_stride: u32,
max_tiles: u32,
alpha: f32,
limit: f32,
heights: vec2<u32>,
firsts: vec2<u32>,
bases: vec2<u32>,
piece_firsts: vec2<u32>,
piece_rows: vec2<u32>,
biases: vec2<u32>,
scales: vec2<u32>,
}

const NONE = 0xffffffffu;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<u32>;
@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read> small: array<f32>;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;


fn piece_row(part: u32, expert: u32, o: u32) -> u32 {
return expert * params.heights[part] + params.firsts[part] + o - params.piece_firsts[part];
}


fn elsewhere(expert: u32) -> bool {
let first = expert * params.heights.x + params.firsts.x;
return first + params.count <= params.piece_firsts.x || first >= params.piece_firsts.x + params.piece_rows.x;
}


fn mask(v: vec4<f32>, k: u32) -> vec4<f32> {
return select(vec4(0.0), v, vec4(k, k + 1u, k + 2u, k + 3u) < vec4(params.k));
}

fn complete(part: u32, expert: u32, o: u32, sum: f32) -> f32 {
var y = sum;
if (params.scales[part] != NONE) { y *= small[params.scales[part] + expert]; }
if (params.biases[part] != NONE) {
y += small[params.biases[part] + expert * params.heights[part] + params.firsts[part] + o];
}
return y;
}

fn finish(row: u32, choice: u32, expert: u32, o: u32, sums: vec2<f32>) {
if (piece_row(0u, expert, o) >= params.piece_rows.x) { return; }
var y = complete(0u, expert, o, sums.x);
if (GATED) { y = gated(ACT, y, complete(1u, expert, o, sums.y), params.alpha, params.limit); }
out[params.out_offset + row * params.out_stride + choice * params.count + o] = y;
}
`,
  "lib/fp4": `


fn fp4_values(codes: u32) -> vec4<i32> {
let code = vec4(codes) >> vec4(0u, 8u, 16u, 24u);
let size = vec4<i32>((vec4(0xc8643210u) >> ((code & vec4(7u)) << vec4(2u))) & vec4(15u));
return select(size, -size, (code & vec4(8u)) != vec4(0u));
}

fn fp4_floats(codes: u32) -> vec4<f32> {
return vec4<f32>(fp4_values(codes));
}


fn fp4_bytes(codes: u32) -> u32 {
let bytes = (bitcast<vec4<u32>>(fp4_values(codes)) & vec4(0xffu)) << vec4(0u, 8u, 16u, 24u);
return (bytes.x | bytes.y) | (bytes.z | bytes.w);
}
`,
  "lib/grids": `// needs: lib/tables, lib/bytes




fn grid8(table: u32, index: u32) -> vec2<u32> {
let at = table + 2u * index;
return vec2(tables[at], tables[at + 1u]);
}


fn grid4(table: u32, index: u32) -> u32 {
return tables[table + index];
}


fn even_signs(bits: u32) -> u32 {
let seven = bits & 127u;
return seven | ((countOneBits(seven) & 1u) << 7u);
}


fn signed_entry(entry: u32, signs: u32, scale: f32) -> vec4<f32> {
let flips = (vec4(signs) << vec4(31u, 30u, 29u, 28u)) & vec4(0x80000000u);
return bitcast<vec4<f32>>(vec4(bitcast<u32>(scale)) ^ flips) * bytes_u8(entry);
}
`,
  "lib/halves": `



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
  "lib/heads": `


var<workgroup> head: array<f32, HEADS * HEAD>;
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


fn norm_head(slot: u32, lane: u32, width: u32, norm: u32) {
if (norm == NONE) { return; }
var sum = 0.0;
for (var i = 0u; i < 32u; i++) { sum += squares[slot * 32u + i]; }
let inv = 1.0 / sqrt(sum / f32(width) + params.eps);
for (var i = lane; i < width; i += 32u) { head[slot * HEAD + i] = head[slot * HEAD + i] * inv * small[norm + i]; }
}

fn turn_head(slot: u32, lane: u32, position: u32) {
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
let turn = angles[at + i];
head[first] = a * turn.x - b * turn.y;
head[second] = a * turn.y + b * turn.x;
}
}
`,
  "lib/inputs": `

@group(1) @binding(1) var<storage, read> in0: array<f32>;
@group(1) @binding(2) var<storage, read> in1: array<f32>;
@group(1) @binding(3) var<storage, read> in2: array<f32>;
@group(1) @binding(4) var<storage, read> in3: array<f32>;

fn load(source: vec4<u32>, row: u32, i: u32) -> f32 {
let at = source.y + row * source.z + i;
switch (source.x) {
case 0u: { return in0[at]; }
case 1u: { return in1[at]; }
case 2u: { return in2[at]; }
default: { return in3[at]; }
}
}

fn load_or(source: vec4<u32>, row: u32, i: u32, otherwise: f32) -> f32 {
if (source.w == 0u) { return otherwise; }
return load(source, row, i);
}
`,
  "lib/int8": `



struct Int8Run {
q: vec4<u32>,
scale: f32,
minimum: f32,
}
`,
  "lib/iq4": `// needs: lib/bytes, lib/int8


const IQ4_LEVELS = vec4<u32>(0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);



fn iq4_levels(codes: u32) -> vec4<u32> {
let code = vec4(codes) >> vec4(0u, 8u, 16u, 24u);
let second = (code & vec4(4u)) != vec4(0u);
let words = select(
select(vec4(IQ4_LEVELS.x), vec4(IQ4_LEVELS.y), second),
select(vec4(IQ4_LEVELS.z), vec4(IQ4_LEVELS.w), second),
(code & vec4(8u)) != vec4(0u),
);
return words << (vec4(24u) - ((code & vec4(3u)) << vec4(3u)));
}

fn iq4_floats(codes: u32) -> vec4<f32> {
return vec4<f32>(bitcast<vec4<i32>>(iq4_levels(codes)) >> vec4(24u));
}

fn iq4_bytes(codes: u32) -> u32 {
let top = (iq4_levels(codes) & vec4(0xff000000u)) >> vec4(24u, 16u, 8u, 0u);
return (top.x | top.y) | (top.z | top.w);
}

fn scaled_iq4(codes: vec4<u32>, scale: f32) -> mat4x4<f32> {
return mat4x4<f32>(
scale * iq4_floats(codes.x),
scale * iq4_floats(codes.y),
scale * iq4_floats(codes.z),
scale * iq4_floats(codes.w),
);
}

fn int8_iq4(codes: vec4<u32>, scale: f32) -> Int8Run {
let q = vec4(iq4_bytes(codes.x), iq4_bytes(codes.y), iq4_bytes(codes.z), iq4_bytes(codes.w));
return Int8Run(q, scale, 0.0);
}
`,
  "lib/kv_load": `




fn kv_load(kind: u32, word: u32, element: u32) -> vec4<f32> {
switch (kind) {
case 0u: {
let at = word + element;
return vec4(bitcast<f32>(slab[at]), bitcast<f32>(slab[at + 1u]), bitcast<f32>(slab[at + 2u]), bitcast<f32>(slab[at + 3u]));
}
case 1u: {
let at = word + (element >> 1u);
return vec4(unpack2x16float(slab[at]), unpack2x16float(slab[at + 1u]));
}
case 2u: {
let at = word + 9u * (element >> 5u);
return vec4<f32>(unpack4xI8(slab[at + 1u + ((element & 31u) >> 2u)])) * bitcast<f32>(slab[at]);
}
default: {
let at = word + 5u * (element >> 5u);
let q = slab[at + 1u + ((element & 31u) >> 3u)] >> ((element & 4u) << 2u);
return (vec4<f32>(vec4(q, q >> 4u, q >> 8u, q >> 12u) & vec4(15u)) - 8.0) * bitcast<f32>(slab[at]);
}
}
}
`,
  "lib/kv_store": `


fn kv_unit(kind: u32) -> u32 { return select(4u, 32u, kind >= 2u); }

fn kv_store(kind: u32, word: u32, element: u32, source: u32) {
if (kind == 0u) {
for (var i = 0u; i < 4u; i++) { slab[word + element + i] = bitcast<u32>(head[source + i]); }
return;
}
if (kind == 1u) {
let v = clamp(vec4(head[source], head[source + 1u], head[source + 2u], head[source + 3u]), vec4(-65504.0), vec4(65504.0));
slab[word + (element >> 1u)] = pack2x16float(v.xy);
slab[word + (element >> 1u) + 1u] = pack2x16float(v.zw);
return;
}
var largest = 0.0;
for (var i = 0u; i < 32u; i++) {
let v = head[source + i];
if (abs(v) > abs(largest)) { largest = v; }
}
if (kind == 2u) {
let scale = unpack2x16float(pack2x16float(vec2(abs(largest) / 127.0, 0.0))).x;
let inv = select(0.0, 127.0 / max(abs(largest), 1e-30), largest != 0.0);
let at = word + 9u * (element >> 5u);
slab[at] = bitcast<u32>(scale);
for (var i = 0u; i < 8u; i++) {
let v = vec4(head[source + 4u * i], head[source + 4u * i + 1u], head[source + 4u * i + 2u], head[source + 4u * i + 3u]);
slab[at + 1u + i] = pack4xI8(vec4<i32>(clamp(round(v * inv), vec4(-127.0), vec4(127.0))));
}
return;
}
let raw = largest / -8.0;
let inv = select(0.0, 1.0 / select(raw, 1.0, raw == 0.0), raw != 0.0);
let at = word + 5u * (element >> 5u);
slab[at] = bitcast<u32>(unpack2x16float(pack2x16float(vec2(raw, 0.0))).x);
for (var i = 0u; i < 4u; i++) {
var packed = 0u;
for (var j = 0u; j < 8u; j++) {
let q = u32(clamp(head[source + 8u * i + j] * inv + 8.5, 0.0, 15.0));
packed |= q << (4u * j);
}
slab[at + 1u + i] = packed;
}
}
`,
  "lib/lanes_shared": `
fn lane_sum(value: f32) -> f32 { return value; }
`,
  "lib/lanes_subgroup": `

fn lane_sum(value: f32) -> f32 {
var sum = value;
for (var step_ = LANES / 2u; step_ > 0u; step_ /= 2u) { sum += subgroupShuffleXor(sum, step_); }
return sum;
}
`,
  "lib/linear": `





struct Params {
k: u32,
n: u32,
first: u32,
count: u32,
domain: u32,
x_offset: u32,
x_stride: u32,
out_offset: u32,
out_stride: u32,
residual_offset: u32,
residual_stride: u32,
norm: u32,
eps: f32,
scale: f32,
alpha: f32,
limit: f32,
ends: vec4<u32>,
bases: vec4<u32>,
starts: vec4<u32>,
biases: vec4<u32>,
}

const NONE = 0xffffffffu;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<u32>;
@group(1) @binding(3) var<storage, read> small: array<vec4<f32>>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

fn segment_of(output: u32) -> u32 {
return u32(output >= params.ends.x) + u32(output >= params.ends.y) + u32(output >= params.ends.z);
}

fn small_at(index: u32) -> f32 { return small[index >> 2u][index & 3u]; }

fn finish(row: u32, o: u32, sums: vec2<f32>, inv: f32) {
let segment = segment_of(o);
var y = sums.x * inv * params.scale;
if (GATED) {
var up = sums.y * inv * params.scale;
if (params.biases.x != NONE) { y += small_at(params.biases.x + o - params.starts.x); }
if (params.biases.y != NONE) { up += small_at(params.biases.y + o - params.starts.y); }
y = gated(ACT, y, up, params.alpha, params.limit);
} else if (params.biases[segment] != NONE) {
y += small_at(params.biases[segment] + o - params.starts[segment]);
}
if (RESIDUAL) { y += residual_at(params.residual_offset + row * params.residual_stride + o); }
out[params.out_offset + row * params.out_stride + o] = y;
}
`,
  "lib/no_residual": `
fn residual_at(index: u32) -> f32 { return 0.0; }
`,
  "lib/philox": `



fn multiply_high(a: u32, b: u32) -> u32 {
let a_low = a & 0xffffu;
let a_high = a >> 16u;
let b_low = b & 0xffffu;
let b_high = b >> 16u;
let cross = a_high * b_low + ((a_low * b_low) >> 16u);
let middle = a_low * b_high + (cross & 0xffffu);
return a_high * b_high + (cross >> 16u) + (middle >> 16u);
}

fn philox(counter: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
var c = counter;
var key = seed;
for (var i = 0u; i < 10u; i++) {
c = vec4(
multiply_high(0xcd9e8d57u, c.z) ^ c.y ^ key.x,
0xcd9e8d57u * c.z,
multiply_high(0xd2511f53u, c.x) ^ c.w ^ key.y,
0xd2511f53u * c.x,
);
key += vec2(0x9e3779b9u, 0xbb67ae85u);
}
return c;
}


fn token_chance(seed: vec2<u32>, position: u32) -> f32 {
return f32(philox(vec4(position, 0u, 0u, 0u), seed).x >> 8u) * 5.9604644775390625e-8;
}
`,
  "lib/products_f32": `// needs: lib/linear, lib/run



@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;

alias Weights = Run;


struct Inputs {
x: mat4x4<f32>,
sum: f32,
square: f32,
}

fn weights_at(base: u32, element: u32, k: u32, half: u32) -> Weights { return run_at(base, element, k, half); }


fn norm_at(k: u32, half: u32) -> mat4x4<f32> {
if (!NORM) { return mat4x4<f32>(); }
let at = params.norm + (k >> 2u) + 4u * half;
return mat4x4<f32>(small[at], small[at + 1u], small[at + 2u], small[at + 3u]);
}

fn inputs_at(row: u32, k: u32, half: u32, g: mat4x4<f32>) -> Inputs {
let at = params.x_offset + row * params.x_stride + (k >> 2u) + 4u * half;
var v = mat4x4<f32>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
if (TAIL) { v = mask16(v, k + 16u * half); }
var square = 0.0;
if (NORM) {
square = dot16(v, v);
v = mat4x4<f32>(v[0] * g[0], v[1] * g[1], v[2] * g[2], v[3] * g[3]);
}
var sum = 0.0;
if (MINIMUM) { sum = sum16(v); }
return Inputs(v, sum, square);
}

fn product(w: Weights, v: Inputs) -> f32 { return run_dot(w, v.x, v.sum); }
`,
  "lib/products_i8": `// needs: lib/linear, lib/dot_i8







@group(1) @binding(2) var<storage, read> x: array<vec4<u32>>;

alias Weights = Int8Run;


struct Inputs {
q: vec4<u32>,
scale: f32,
sum: f32,
square: f32,
}

fn weights_at(base: u32, element: u32, k: u32, half: u32) -> Weights {
return decode_i8(base, (element + k) >> 5u, half);
}

fn norm_at(k: u32, half: u32) -> u32 { return 0u; }

fn inputs_at(row: u32, k: u32, half: u32, g: u32) -> Inputs {
let at = params.x_offset + row * params.x_stride + BLOCK * (k >> 5u);
let packed = x[at + HEAD];
let head = run_of(packed, half);

return Inputs(x[at + half], head.x, head.y, select(0.0, bitcast<f32>(packed.w), NORM && half == 0u));
}

fn product(w: Weights, v: Inputs) -> f32 {
var y = w.scale * (v.scale * f32(dot_i8(w.q, v.q)));
if (MINIMUM) { y += w.minimum * v.sum; }
return y;
}
`,
  "lib/queries_given": `


@group(1) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> slab: array<u32>;


fn take_queries(thread: u32, row: u32, first: u32, heads: u32, appends: bool) {
let source = (params.q_offset + row * params.q_stride + first * params.key_width) >> 2u;
for (var i = thread; i < GROUP * KEY4; i += WG) { query[i] = q[source + min(i / KEY4, heads - 1u) * KEY4 + i % KEY4]; }
workgroupBarrier();
}
`,
  "lib/queries_made": `// needs: lib/heads, lib/kv_store







@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read_write> slab: array<u32>;
@group(1) @binding(5) var<storage, read> angles: array<vec2<f32>>;

const KEY_HEAD = GROUP;

fn take_queries(thread: u32, row: u32, first: u32, heads: u32, appends: bool) {
let kv_head = first / GROUP;
let count = select(GROUP, GROUP + 2u, appends);
let lane = thread % 32u;
let start = thread / 32u;
for (var h = start; h < count; h += 2u) {
var width = params.key_width;
var source = params.q_offset + (first + h) * params.key_width;
if (h == KEY_HEAD) { source = params.k_offset + kv_head * params.key_width; }
if (h > KEY_HEAD) {
width = params.value_width;
source = params.v_offset + kv_head * params.value_width;
}
load_head(h, lane, source + row * params.q_stride, width);
}
workgroupBarrier();
for (var h = start; h < min(count, KEY_HEAD + 1u); h += 2u) {
norm_head(h, lane, params.key_width, select(params.q_norm, params.k_norm, h == KEY_HEAD));
}
workgroupBarrier();
for (var h = start; h < min(count, KEY_HEAD + 1u); h += 2u) { turn_head(h, lane, row_position(row)); }
workgroupBarrier();
for (var i = thread; i < GROUP * KEY4; i += WG) {
let at = (i / KEY4) * HEAD + 4u * (i % KEY4);
query[i] = vec4(head[at], head[at + 1u], head[at + 2u], head[at + 3u]);
}
if (appends) {
let word = slab_row(row_sequence(row), row_position(row)) * params.row_words;
let key_unit = kv_unit(K_KIND);
for (var i = thread * key_unit; i < params.key_width; i += WG * key_unit) {
kv_store(K_KIND, word, kv_head * params.key_width + i, KEY_HEAD * HEAD + i);
}
let value_unit = kv_unit(V_KIND);
for (var i = thread * value_unit; i < params.value_width; i += WG * value_unit) {
kv_store(V_KIND, word + params.value_word, kv_head * params.value_width + i, (KEY_HEAD + 1u) * HEAD + i);
}
}
storageBarrier();
workgroupBarrier();
}
`,
  "lib/residual": `
@group(1) @binding(5) var<storage, read> residual: array<f32>;
fn residual_at(index: u32) -> f32 { return residual[index]; }
`,
  "lib/run": `



struct Run {
q: mat4x4<f32>,
scale: f32,
minimum: f32,
}


fn mask16(v: mat4x4<f32>, k: u32) -> mat4x4<f32> {
let end = vec4(params.k);
let columns = vec4(k, k + 1u, k + 2u, k + 3u);
let zero = vec4(0.0);
return mat4x4<f32>(
select(zero, v[0], columns < end),
select(zero, v[1], columns + 4u < end),
select(zero, v[2], columns + 8u < end),
select(zero, v[3], columns + 12u < end),
);
}


fn run_at(base: u32, element: u32, k: u32, half: u32) -> Run {
var run = decode_run(base, element + k, half);
if (TAIL) { run.q = mask16(run.q, k + 16u * half); }
return run;
}

fn dot16(a: mat4x4<f32>, b: mat4x4<f32>) -> f32 {
return (dot(a[0], b[0]) + dot(a[1], b[1])) + (dot(a[2], b[2]) + dot(a[3], b[3]));
}

fn sum16(v: mat4x4<f32>) -> f32 { return dot((v[0] + v[1]) + (v[2] + v[3]), vec4(1.0)); }


fn run_dot(run: Run, x: mat4x4<f32>, sum: f32) -> f32 {
var y = run.scale * dot16(run.q, x);
if (MINIMUM) { y += run.minimum * sum; }
return y;
}
`,
  "lib/run_f32": `
fn decode_run(base: u32, element: u32, half: u32) -> Run {
return Run(decode(base, element + 16u * half), 1.0, 0.0);
}
`,
  "lib/run_i8": `// needs: lib/int8

fn decode_run(base: u32, element: u32, half: u32) -> Run {
let run = decode_i8(base, element >> 5u, half);
return Run(
mat4x4<f32>(bytes_i8(run.q.x), bytes_i8(run.q.y), bytes_i8(run.q.z), bytes_i8(run.q.w)),
run.scale,
run.minimum,
);
}
`,
  "lib/runs": `// needs: lib/step


fn run_count() -> u32 { return step[HEADER_RUNS]; }

fn run_first(i: u32) -> u32 { return step[record_of(i) + RECORD_ITH_RUN]; }

fn row_run_first(row: u32) -> u32 { return step[record_of(row) + RECORD_RUN_FIRST]; }
fn row_run_end(row: u32) -> u32 { return step[record_of(row) + RECORD_RUN_END]; }
`,
  "lib/scales_k4": `




fn scales_k4(at: u32, pair: u32) -> vec2<f32> {
let dm = unpack2x16float(weights[at]);
let shift = (pair & 3u) << 3u;
let first = vec2(weights[at + 1u], weights[at + 2u]) >> vec2(shift);
let nibbles = vec2(weights[at + 3u] >> shift) >> vec2(0u, 4u);
let late = (nibbles & vec2(15u)) | ((first >> vec2(2u)) & vec2(0x30u));
return dm * vec2<f32>(select(first & vec2(63u), late, pair >= 4u));
}
`,
  "lib/step": `// needs: lib/step-layout




@group(0) @binding(0) var<storage, read> step: array<u32>;
@group(0) @binding(1) var<storage, read> pages: array<u32>;

fn record_of(row: u32) -> u32 { return HEADER_WORDS + RECORD_WORDS * row; }


fn row_count(domain: u32) -> u32 { return step[HEADER_ROWS + domain]; }
fn row_sequence(row: u32) -> u32 { return step[record_of(row) + RECORD_SEQUENCE]; }
fn row_position(row: u32) -> u32 { return step[record_of(row) + RECORD_POSITION]; }
fn row_token(row: u32) -> u32 { return step[record_of(row) + RECORD_TOKEN]; }


fn row_end(row: u32) -> u32 { return step[record_of(row) + RECORD_END]; }

fn output_row(index: u32) -> u32 { return step[step[HEADER_OUTPUT_LIST] + index]; }

fn sampling_of(index: u32) -> u32 { return step[HEADER_SAMPLING] + SAMPLING_WORDS * index; }

fn result_of(index: u32) -> u32 { return step[HEADER_RESULTS] + index; }
`,
  "lib/step-layout": `
const SAMPLED = 4294967295u;

const HEADER_ROWS = 0u;
const HEADER_OUTPUTS = 1u;
const HEADER_OUTPUT_LIST = 2u;
const HEADER_RESULTS = 3u;
const HEADER_SAMPLING = 4u;
const HEADER_RUNS = 5u;
const HEADER_WORDS = 16u;

const RECORD_SEQUENCE = 0u;
const RECORD_POSITION = 1u;
const RECORD_TOKEN = 2u;
const RECORD_END = 3u;
const RECORD_GIVEN = 4u;
const RECORD_RUN_FIRST = 5u;
const RECORD_RUN_END = 6u;
const RECORD_ITH_RUN = 7u;
const RECORD_TIME = 8u;
const RECORD_HEIGHT = 9u;
const RECORD_WIDTH = 10u;
const RECORD_EXTRA = 11u;
const RECORD_WORDS = 16u;

const SAMPLING_TOP_K = 0u;
const SAMPLING_TOP_P = 1u;
const SAMPLING_LOG_MIN_P = 2u;
const SAMPLING_TEMPERATURE = 3u;
const SAMPLING_SEED_LOW = 4u;
const SAMPLING_SEED_HIGH = 5u;
const SAMPLING_LAST_N = 6u;
const SAMPLING_REPEAT = 7u;
const SAMPLING_FREQUENCY = 8u;
const SAMPLING_PRESENCE = 9u;
const SAMPLING_WORDS = 12u;
`,
  "lib/store_run": `


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
  "lib/tables": `
@group(2) @binding(0) var<storage, read> tables: array<u32>;
`,
  "lib/tile": `





const TILE_X = 64u / TILE_Y;
const TILE_ROWS = 8u * TILE_Y;
const TILE_WEIGHTS = 8u * TILE_X;
const TILE_OUTPUTS = TILE_WEIGHTS / PARTS;


fn weight_row(tile: u32, i: u32) -> vec2<u32> {
let o = params.first + min(tile * TILE_OUTPUTS + i % TILE_OUTPUTS, params.count - 1u);
var segment = i / TILE_OUTPUTS;
if (!GATED) { segment = segment_of(o); }
return vec2(params.bases[segment], (o - params.starts[segment]) * params.k);
}


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
`,
  "lib/topk": `





const NEAR = 128u;

var<workgroup> leading: array<u32, NEAR>;
var<workgroup> bound: u32;
var<workgroup> near: array<vec2<u32>, NEAR>;
var<workgroup> near_count: atomic<u32>;
var<workgroup> near_total: u32;
var<workgroup> bins: array<atomic<u32>, 1024>;
var<workgroup> sums: array<u32, 320>;


fn order_key(bits: u32) -> u32 {
let key = bits ^ select(0x80000000u, 0xffffffffu, (bits & 0x80000000u) != 0u);
let ordered = select(key, 0x80000000u, bits == 0x80000000u);
return select(ordered, 0x007fffffu, (bits & 0x7fffffffu) > 0x7f800000u);
}


fn key_float(key: u32) -> f32 {
if (key >= 0xff800000u) { return 1e30; }
if (key <= 0x007fffffu) { return -1e30; }
return bitcast<f32>(select(~key, key & 0x7fffffffu, (key & 0x80000000u) != 0u));
}


fn keep_largest(thread: u32, first: u32, count: u32, wanted: u32) {
var top = 0u;
var second = 0u;
for (var i = thread; i < count; i += 64u) {
let key = key_at(first + i);
second = max(second, min(top, key));
top = max(top, key);
}
leading[thread] = top;
leading[64u + thread] = second;
workgroupBarrier();
var top_rank = 0u;
var second_rank = 0u;
for (var i = 0u; i < NEAR; i++) {
let other = leading[i];
top_rank += select(0u, 1u, other > top || (other == top && i < thread));
second_rank += select(0u, 1u, other > second || (other == second && i < 64u + thread));
}
if (top_rank + 1u == wanted) { bound = top; }
if (second_rank + 1u == wanted) { bound = second; }
workgroupBarrier();
for (var i = thread; i < count; i += 64u) {
let key = key_at(first + i);
if (key >= bound) {
let at = atomicAdd(&near_count, 1u);
if (at < NEAR) { near[at] = vec2(key, i); }
}
}
workgroupBarrier();
if (thread == 0u) { near_total = atomicLoad(&near_count); }
let total = workgroupUniformLoad(&near_total);
if (total > NEAR) {
keep_by_digits(thread, first, count, wanted);
return;
}
for (var i = thread; i < total; i += 64u) {
let mine = near[i];
var rank = 0u;
for (var j = 0u; j < total; j++) {
let other = near[j];
rank += select(0u, 1u, other.x > mine.x || (other.x == mine.x && other.y < mine.y));
}
if (rank < wanted) { keep(rank, first + mine.y); }
}
}



fn keep_by_digits(thread: u32, first: u32, count: u32, wanted: u32) {
var smallest = 0u;
var left = wanted;
for (var digit = 0u; digit < 4u; digit++) {
let shift = 24u - 8u * digit;
let known = select(0u, 0xffffffffu << ((shift + 8u) & 31u), digit > 0u);
let bin = 256u * digit;
for (var i = thread; i < count; i += 64u) {
let key = key_at(first + i);
if ((key & known) == smallest) { atomicAdd(&bins[bin + ((key >> shift) & 255u)], 1u); }
}
workgroupBarrier();
var sum = 0u;
for (var i = 0u; i < 4u; i++) { sum += atomicLoad(&bins[bin + 4u * thread + i]); }
sums[64u * digit + thread] = sum;
workgroupBarrier();
var group = 63u;
for (; group > 0u && sums[64u * digit + group] < left; group--) { left -= sums[64u * digit + group]; }
var value = 4u * group + 3u;
for (; value > 4u * group; value--) {
let here = atomicLoad(&bins[bin + value]);
if (here >= left) { break; }
left -= here;
}
smallest |= value << shift;
}
let stretch = (count + 63u) / 64u;
let begin = first + min(thread * stretch, count);
let end = first + min((thread + 1u) * stretch, count);
var larger = 0u;
var equal = 0u;
for (var i = begin; i < end; i++) {
let key = key_at(i);
larger += select(0u, 1u, key > smallest);
equal += select(0u, 1u, key == smallest);
}
sums[256u + thread] = larger | (equal << 16u);
workgroupBarrier();
larger = 0u;
equal = 0u;
for (var t = 0u; t < thread; t++) {
larger += sums[256u + t] & 0xffffu;
equal += sums[256u + t] >> 16u;
}
for (var i = begin; i < end; i++) {
let key = key_at(i);
if (key > smallest || (key == smallest && equal < left)) { keep(larger + min(equal, left), i); }
larger += select(0u, 1u, key > smallest);
equal += select(0u, 1u, key == smallest);
}
}
`,
  "matmul": `// needs: lib/linear, lib/tile









@group(1) @binding(2) var<storage, read> x: array<vec4<f32>>;


var<workgroup> tile_x: array<vec4<f32>, 4u * TILE_ROWS>;
var<workgroup> tile_w: array<vec4<f32>, 4u * TILE_WEIGHTS>;


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

var a: array<vec4<f32>, 8>;
var b: array<vec4<f32>, 8>;

for (var k0 = 0u; k0 < params.k; k0 += 16u) {
for (var i = thread; i < 4u * TILE_ROWS; i += 64u) {

let row = min(row0 + i % TILE_ROWS, rows - 1u);
let column = i / TILE_ROWS;
var v = x[params.x_offset + row * params.x_stride + (k0 >> 2u) + column];
if (TAIL) { v = mask(v, k0 + 4u * column); }
tile_x[i] = v;
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
for (var i = 0u; i < 8u; i++) {
let v = tile_x[q * TILE_ROWS + ty + i * TILE_Y];
a[i] += v * wa;
b[i] += v * wb;
}
}
workgroupBarrier();
}
for (var i = 0u; i < 8u; i++) {
finish_row(group.x, tx, row0 + ty + i * TILE_Y, rows, a[i], b[i]);
}
}
`,
  "matmulInt8": `// needs: lib/linear, lib/dot_i8, lib/tile







@group(1) @binding(2) var<storage, read> x: array<vec4<u32>>;


var<workgroup> tile_x: array<vec4<u32>, 2u * TILE_ROWS>;
var<workgroup> tile_heads: array<vec4<f32>, TILE_ROWS>;

var<workgroup> tile_w: array<vec4<u32>, 2u * TILE_WEIGHTS>;
var<workgroup> tile_s: array<vec2<f32>, 2u * TILE_WEIGHTS>;

struct FourRuns {
q: array<vec4<u32>, 4>,
scales: vec4<f32>,
minima: vec4<f32>,
}

fn four_runs(at: u32) -> FourRuns {
var runs: FourRuns;
for (var j = 0u; j < 4u; j++) {
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

var a: array<vec4<f32>, 8>;
var b: array<vec4<f32>, 8>;

for (var k0 = 0u; k0 < params.k; k0 += 32u) {
if (thread < TILE_ROWS) {

let row = min(row0 + thread, rows - 1u);
let at = params.x_offset + row * params.x_stride + BLOCK * (k0 >> 5u);
tile_x[thread] = x[at];
tile_x[thread + TILE_ROWS] = x[at + 1u];
let head = x[at + HEAD];
tile_heads[thread] = vec4(run_of(head, 0u), run_of(head, 1u));
}
for (var i = thread; i < 2u * TILE_WEIGHTS; i += 64u) {
let at = weight_row(group.x, i % TILE_WEIGHTS);
let run = decode_i8(at.x, (at.y + k0) >> 5u, i / TILE_WEIGHTS);
tile_w[i] = run.q;
tile_s[i] = vec2(run.scale, run.minimum);
}
workgroupBarrier();
for (var run = 0u; run < 2u; run++) {
let wa = four_runs(run * TILE_WEIGHTS + tx);
let wb = four_runs(run * TILE_WEIGHTS + tx + 4u * TILE_X);
for (var i = 0u; i < 8u; i++) {
let q = tile_x[run * TILE_ROWS + ty + i * TILE_Y];
let head = head_of(ty + i * TILE_Y, run);
a[i] += products(q, head, wa);
b[i] += products(q, head, wb);
}
}
workgroupBarrier();
}
for (var i = 0u; i < 8u; i++) {
finish_row(group.x, tx, row0 + ty + i * TILE_Y, rows, a[i], b[i]);
}
}
`,
  "matvec": `// needs: lib/linear






















const GROUPS = WG / LANES;
const OUTS = WEIGHT_ROWS / PARTS;


struct Sums {
dots: array<f32, WEIGHT_ROWS>,
square: f32,
}

var<workgroup> partials: array<Sums, WG>;


fn weight_row(first: u32, i: u32) -> vec2<u32> {
let o = params.first + min(first + i / PARTS, params.count - 1u);
var segment = i % PARTS;
if (!GATED) { segment = segment_of(o); }
return vec2(params.bases[segment], (o - params.starts[segment]) * params.k);
}

fn finish_row(row: u32, first: u32, sums: Sums) {
var inv = 1.0;
if (NORM) { inv = 1.0 / sqrt(sums.square / f32(params.k) + params.eps); }
for (var i = 0u; i < OUTS; i++) {
if (first + i >= params.count) { continue; }
var sum = vec2(sums.dots[i * PARTS], 0.0);
if (GATED) { sum.y = sums.dots[i * PARTS + 1u]; }
finish(row, params.first + first + i, sum, inv);
}
}


fn reduce_row(row: u32, first: u32, thread: u32, sums: Sums) {
var all = sums;
if (LANES > 1u && SUBGROUPS) {
for (var i = 0u; i < WEIGHT_ROWS; i++) { all.dots[i] = lane_sum(all.dots[i]); }
if (NORM) { all.square = lane_sum(all.square); }
} else if (LANES > 1u) {
partials[thread] = sums;
workgroupBarrier();
if (thread % LANES == 0u) {
for (var l = 1u; l < LANES; l++) {
for (var i = 0u; i < WEIGHT_ROWS; i++) { all.dots[i] += partials[thread + l].dots[i]; }
if (NORM) { all.square += partials[thread + l].square; }
}
}
workgroupBarrier();
}
if (thread % LANES == 0u) { finish_row(row, first, all); }
}

@compute @workgroup_size(WG)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) thread: u32,
) {
let rows = row_count(params.domain);
let first = ((group.y * groups.x + group.x) * GROUPS + thread / LANES) * OUTS;
var at: array<vec2<u32>, WEIGHT_ROWS>;
for (var i = 0u; i < WEIGHT_ROWS; i++) { at[i] = weight_row(first, i); }

var sums: array<Sums, ROWS>;
for (var k = (thread % LANES) * 32u; k < params.k; k += LANES * 32u) {
for (var half = 0u; half < 2u; half++) {
let g = norm_at(k, half);
if (ROWS == 1u) {
let v = inputs_at(0u, k, half, g);
sums[0].square += v.square;
for (var i = 0u; i < WEIGHT_ROWS; i++) { sums[0].dots[i] += product(weights_at(at[i].x, at[i].y, k, half), v); }
} else {
var w: array<Weights, WEIGHT_ROWS>;
for (var i = 0u; i < WEIGHT_ROWS; i++) { w[i] = weights_at(at[i].x, at[i].y, k, half); }
for (var r = 0u; r < ROWS; r++) {
if (r == 0u || r < rows) {
let v = inputs_at(r, k, half, g);
sums[r].square += v.square;
for (var i = 0u; i < WEIGHT_ROWS; i++) { sums[r].dots[i] += product(w[i], v); }
}
}
}
}
}
for (var r = 0u; r < ROWS; r++) {
if (r < rows) { reduce_row(r, first, thread, sums[r]); }
}
}
`,
  "moeGroup": `






struct Params {
domain: u32,
route_offset: u32,
route_stride: u32,
list_offset: u32,
max_tiles: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> route: array<f32>;
@group(1) @binding(2) var<storage, read_write> lists: array<u32>;

var<workgroup> counts: array<atomic<u32>, EXPERTS>;
var<workgroup> starts: array<u32, EXPERTS>;
var<workgroup> tiles: array<u32, EXPERTS>;

fn expert_of(pair: u32) -> u32 {
let at = params.route_offset + (pair / USED) * params.route_stride + pair % USED;
return min(u32(route[at]), EXPERTS - 1u);
}

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) thread: u32) {
let pairs = row_count(params.domain) * USED;
for (var e = thread; e < EXPERTS; e += WG) { atomicStore(&counts[e], 0u); }
workgroupBarrier();
for (var p = thread; p < pairs; p += WG) { atomicAdd(&counts[expert_of(p)], 1u); }
workgroupBarrier();
if (thread == 0u) {
var start = 0u;
var tile = 0u;
for (var e = 0u; e < EXPERTS; e++) {
let n = atomicLoad(&counts[e]);
starts[e] = start;
tiles[e] = tile;
start += n;
tile += (n + TILE - 1u) / TILE;
}
lists[params.list_offset] = tile;
}
workgroupBarrier();
for (var e = thread; e < EXPERTS; e += WG) {
let end = starts[e] + atomicLoad(&counts[e]);
var at = params.list_offset + 4u + 3u * tiles[e];
for (var p = starts[e]; p < end; p += TILE) {
lists[at] = e;
lists[at + 1u] = p;
lists[at + 2u] = min(p + TILE, end);
at += 3u;
}
atomicStore(&counts[e], 0u);
}
workgroupBarrier();
let sorted = params.list_offset + 4u + 3u * params.max_tiles;
for (var p = thread; p < pairs; p += WG) {
let e = expert_of(p);
lists[sorted + starts[e] + atomicAdd(&counts[e], 1u)] = p;
}
}
`,
  "moeMatmul": `// needs: lib/experts





@group(1) @binding(4) var<storage, read> route: array<u32>;


var<workgroup> tile_x: array<vec4<f32>, 256>;
var<workgroup> tile_w: array<vec4<f32>, 256u * PARTS>;


fn pair_at(start: u32, expert: u32, i: u32) -> u32 {
if (ROUTED) { return route[start + i]; }
return (start + i) * params.used + expert;
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
var held = 0u;
if (ROUTED) {
if (group.y >= route[params.route_offset]) { return; }
let tile = params.route_offset + 4u + 3u * group.y;
expert = route[tile];
start = params.route_offset + 4u + 3u * params.max_tiles + route[tile + 1u];
held = route[tile + 2u] - route[tile + 1u];
} else {
if (start >= row_count(params.domain)) { return; }
held = min(32u, row_count(params.domain) - start);
}
if (elsewhere(expert)) { return; }
let out0 = group.x * 32u;

let staged = min(out0 + (thread & 31u), params.count - 1u);
let weight_row = piece_row(0u, expert, staged);
var up_row = 0u;
if (GATED) { up_row = piece_row(1u, expert, staged); }


let mine = thread & 31u;
var source = 0u;
if (mine < held) {
let pair = pair_at(start, expert, mine);
source = params.x_offset + (pair / params.used) * params.x_stride + (pair % params.used) * params.x_choice;
}

let tx = thread & 7u;
let ty = thread >> 3u;
var a0 = vec4(0.0); var a1 = vec4(0.0); var a2 = vec4(0.0); var a3 = vec4(0.0);
var b0 = vec4(0.0); var b1 = vec4(0.0); var b2 = vec4(0.0); var b3 = vec4(0.0);

for (var k0 = 0u; k0 < params.k; k0 += 32u) {
for (var i = 0u; i < 4u; i++) {
let quad = (thread >> 5u) + 2u * i;
let k = k0 + 4u * quad;
var v = vec4(0.0);
if (mine < held && k < params.k) {
v = x[source + (k >> 2u)];
if (TAIL) { v = mask(v, k); }
}
tile_x[32u * quad + mine] = v;
}
stage_weights(thread, 0u, weight_row, k0);
if (GATED) { stage_weights(thread, 1u, up_row, k0); }
workgroupBarrier();
for (var q = 0u; q < 8u; q++) {
let at = q * 32u + tx;
let w0 = tile_w[at];
let w1 = tile_w[at + 8u];
let w2 = tile_w[at + 16u];
let w3 = tile_w[at + 24u];
let x0 = tile_x[q * 32u + ty];
let x1 = tile_x[q * 32u + ty + 8u];
let x2 = tile_x[q * 32u + ty + 16u];
let x3 = tile_x[q * 32u + ty + 24u];
a0 += vec4(dot(x0, w0), dot(x0, w1), dot(x0, w2), dot(x0, w3));
if (held > 8u) { a1 += vec4(dot(x1, w0), dot(x1, w1), dot(x1, w2), dot(x1, w3)); }
if (held > 16u) {
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
if (held > 8u) { b1 += vec4(dot(x1, u0), dot(x1, u1), dot(x1, u2), dot(x1, u3)); }
if (held > 16u) {
b2 += vec4(dot(x2, u0), dot(x2, u1), dot(x2, u2), dot(x2, u3));
b3 += vec4(dot(x3, u0), dot(x3, u1), dot(x3, u2), dot(x3, u3));
}
}
}
workgroupBarrier();
}

for (var i = 0u; i < 4u; i++) {
if (ty + 8u * i >= held) { break; }
let pair = pair_at(start, expert, ty + 8u * i);
var a = a0; var b = b0;
if (i == 1u) { a = a1; b = b1; } else if (i == 2u) { a = a2; b = b2; } else if (i == 3u) { a = a3; b = b3; }
for (var j = 0u; j < 4u; j++) {
let o = out0 + tx + 8u * j;
if (o < params.count) { finish(pair / params.used, pair % params.used, expert, o, vec2(a[j], b[j])); }
}
}
}
`,
  "moeMatvec": `// needs: lib/experts, lib/run







const GROUPS = WG / LANES;
const OUTS = 4u / PARTS;

@group(1) @binding(4) var<storage, read> route: array<f32>;

var<workgroup> partials: array<vec4<f32>, WG>;


fn element_of(expert: u32, first: u32, i: u32) -> u32 {
let part = i % PARTS;
let row = piece_row(part, expert, min(first + i / PARTS, params.count - 1u));
return min(row, params.piece_rows[part] - 1u) * params.k;
}

fn finish_four(row: u32, choice: u32, expert: u32, first: u32, dots: vec4<f32>) {
for (var i = 0u; i < OUTS; i++) {
if (first + i >= params.count) { continue; }
var sum = vec2(dots[i * PARTS], 0.0);
if (GATED) { sum.y = dots[i * PARTS + 1u]; }
finish(row, choice, expert, first + i, sum);
}
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
let row = group.y;
let choice = group.z;
if (row >= row_count(params.domain)) { return; }
var expert = choice;
if (ROUTED) {
expert = min(u32(route[params.route_offset + row * params.route_stride + choice]), EXPERTS - 1u);
}
if (elsewhere(expert)) { return; }

let lane = thread % LANES;
let first = (group.x * GROUPS + thread / LANES) * OUTS;
var elements: array<u32, 4>;
for (var i = 0u; i < 4u; i++) { elements[i] = element_of(expert, first, i); }

var dots = vec4(0.0);
let source = params.x_offset + row * params.x_stride + choice * params.x_choice;
for (var k = lane * 32u; k < params.k; k += LANES * 32u) {
for (var half = 0u; half < 2u; half++) {
let at = source + (k >> 2u) + 4u * half;
var v = mat4x4<f32>(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
if (TAIL) { v = mask16(v, k + 16u * half); }
let sum = sum16(v);
for (var i = 0u; i < 4u; i++) {
dots[i] += run_dot(run_at(params.bases[i % PARTS], elements[i], k, half), v, sum);
}
}
}

if (LANES == 1u) {
finish_four(row, choice, expert, first, dots);
} else if (SUBGROUPS) {
dots = vec4(lane_sum(dots.x), lane_sum(dots.y), lane_sum(dots.z), lane_sum(dots.w));
if (lane == 0u) { finish_four(row, choice, expert, first, dots); }
} else {
partials[thread] = dots;
workgroupBarrier();
if (lane == 0u) {
for (var l = 1u; l < LANES; l++) { dots += partials[thread + l]; }
finish_four(row, choice, expert, first, dots);
}
}
}
`,
  "moeRoute": `









struct Params {
domain: u32,
x_offset: u32,
x_stride: u32,
out_offset: u32,
out_stride: u32,
bias: u32,
groups_used: u32,
scale: f32,
}

const NONE = 0xffffffffu;
const STRUCK = -3.0e38;
const GROUP = EXPERTS / GROUPS;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> small: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

var<workgroup> scores: array<f32, EXPERTS>;
var<workgroup> ranks: array<f32, EXPERTS>;
var<workgroup> worths: array<f32, GROUPS>;
var<workgroup> partials: array<f32, WG>;
var<workgroup> chosen: array<u32, USED>;


fn softmax(thread: u32) {
var top = STRUCK;
for (var e = thread; e < EXPERTS; e += WG) { top = max(top, scores[e]); }
partials[thread] = top;
workgroupBarrier();
for (var i = 0u; i < WG; i++) { top = max(top, partials[i]); }
var sum = 0.0;
for (var e = thread; e < EXPERTS; e += WG) {
let s = exp(scores[e] - top);
scores[e] = s;
sum += s;
}
workgroupBarrier();
partials[thread] = sum;
workgroupBarrier();
sum = 0.0;
for (var i = 0u; i < WG; i++) { sum += partials[i]; }
for (var e = thread; e < EXPERTS; e += WG) { scores[e] = scores[e] / sum; }
}


fn limit_groups(thread: u32) {
for (var g = thread; g < GROUPS; g += WG) {
var first = STRUCK;
var second = STRUCK;
for (var i = 0u; i < GROUP; i++) {
let r = ranks[g * GROUP + i];
second = max(second, min(first, r));
first = max(first, r);
}
worths[g] = select(first, first + second, GROUP > 1u);
}
workgroupBarrier();
for (var e = thread; e < EXPERTS; e += WG) {
let g = e / GROUP;
let own = worths[g];
var better = 0u;
for (var i = 0u; i < GROUPS; i++) { better += u32(worths[i] > own || (worths[i] == own && i < g)); }
if (better >= params.groups_used) { ranks[e] = STRUCK; }
}
workgroupBarrier();
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
if (group.y >= row_count(params.domain)) { return; }
for (var e = thread; e < EXPERTS; e += WG) {
let v = x[params.x_offset + group.y * params.x_stride + e];
scores[e] = select(v, sigmoid(v), GATE == 1u);
}
if (GATE == 0u) { softmax(thread); }
for (var e = thread; e < EXPERTS; e += WG) {
var rank = scores[e];
if (params.bias != NONE) { rank += small[params.bias + e]; }
ranks[e] = rank;
}
for (var i = thread; i < USED; i += WG) { chosen[i] = i; }
workgroupBarrier();
if (GROUPS > 1u) { limit_groups(thread); }

for (var e = thread; e < EXPERTS; e += WG) {
let own = ranks[e];
var better = 0u;
for (var i = 0u; i < EXPERTS; i++) { better += u32(ranks[i] > own || (ranks[i] == own && i < e)); }
if (better < USED) { chosen[better] = e; }
}
workgroupBarrier();

if (thread == 0u) {
var top = STRUCK;
if (GATE == 2u) { for (var i = 0u; i < USED; i++) { top = max(top, scores[chosen[i]]); } }
var sum = 0.0;
for (var i = 0u; i < USED; i++) {
var w = scores[chosen[i]];
if (GATE == 2u) { w = exp(w - top); scores[chosen[i]] = w; }
sum += w;
}
var by = params.scale;
if (GATE == 2u) { by /= sum; } else if (NORMALIZE) { by /= max(sum, 6.103515625e-5); }
let at = params.out_offset + group.y * params.out_stride;
for (var i = 0u; i < USED; i++) {
out[at + i] = f32(chosen[i]);
out[at + USED + i] = scores[chosen[i]] * by;
}
}
}
`,
  "moeScale": `


struct Params {
width: u32,
used: u32,
domain: u32,
x_offset: u32,
x_stride: u32,
route_offset: u32,
route_stride: u32,
out_offset: u32,
out_stride: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> route: array<f32>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
let row = id.y;
if (row >= row_count(params.domain) || id.x >= params.width) { return; }
let w = route[params.route_offset + row * params.route_stride + params.used + id.z];
out[params.out_offset + row * params.out_stride + id.z * params.width + id.x] =
w * x[params.x_offset + row * params.x_stride + id.x];
}
`,
  "moeSum": `





struct Params {
width: u32,
used: u32,
domain: u32,
x_offset: u32,
x_stride: u32,
route_offset: u32,
route_stride: u32,
residual_offset: u32,
residual_stride: u32,
out_offset: u32,
out_stride: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> route: array<f32>;
@group(1) @binding(3) var<storage, read> residual: array<f32>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
let i = id.x;
let row = id.y;
if (row >= row_count(params.domain) || i >= params.width) { return; }
let weights = params.route_offset + row * params.route_stride + params.used;
var at = params.x_offset + row * params.x_stride + i;
var sum = 0.0;
for (var c = 0u; c < params.used; c++) {
var v = x[at];
if (WEIGHTED) { v *= route[weights + c]; }
sum += v;
at += params.width;
}
if (RESIDUAL) { sum += residual[params.residual_offset + row * params.residual_stride + i]; }
out[params.out_offset + row * params.out_stride + i] = sum;
}
`,
  "norm": `







struct Params {
group: u32,
domain: u32,
x_offset: u32,
x_stride: u32,
out_offset: u32,
out_stride: u32,
weight: u32,
bias: u32,
weight_step: u32,
eps: f32,
residual_offset: u32,
residual_stride: u32,
}

const NONE = 0xffffffffu;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> small: array<f32>;
@group(1) @binding(3) var<storage, read> residual: array<f32>;
@group(1) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> partials: array<f32, WG>;

fn reduce(thread: u32, value: f32) -> f32 {
workgroupBarrier();
partials[thread] = value;
workgroupBarrier();
var sum = 0.0;
for (var i = 0u; i < WG; i++) { sum += partials[i]; }
return sum;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
if (id.y >= row_count(params.domain)) { return; }
let source = params.x_offset + id.y * params.x_stride + id.x * params.group;
let to = params.out_offset + id.y * params.out_stride + id.x * params.group;
var mean = 0.0;
if (KIND == 1u) {
var sum = 0.0;
for (var i = thread; i < params.group; i += WG) { sum += x[source + i]; }
mean = reduce(thread, sum) / f32(params.group);
}
var square = 0.0;
for (var i = thread; i < params.group; i += WG) {
let v = x[source + i] - mean;
square += v * v;
}
square = reduce(thread, square);
var inv = 1.0 / sqrt(square / f32(params.group) + params.eps);
if (KIND == 2u) { inv = 1.0 / max(sqrt(square), params.eps); }
for (var i = thread; i < params.group; i += WG) {
var y = (x[source + i] - mean) * inv;
if (params.weight != NONE) { y *= small[params.weight + id.x * params.weight_step + i]; }
if (params.bias != NONE) { y += small[params.bias + id.x * params.weight_step + i]; }
if (RESIDUAL) { y += residual[params.residual_offset + id.y * params.residual_stride + id.x * params.group + i]; }
out[to + i] = y;
}
}
`,
  "quant/bf16": `// needs: lib/halves


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
  "quant/f32": `

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
  "quant/iq1_m": `// needs: lib/bytes, lib/grids






fn decode(base: u32, element: u32) -> mat4x4<f32> {
let at = base + (element >> 8u) * 14u;
let run = (element >> 4u) & 15u;
let codes = weights[at + (run >> 1u)] >> ((run & 1u) << 4u);
let high = weights[at + 8u + (run >> 2u)] >> ((run & 3u) << 3u);
let scales = vec2(weights[at + 12u], weights[at + 13u]);
let tops = ((scales >> vec2(12u)) & vec2(15u)) | ((scales >> vec2(24u)) & vec2(0xf0u));
let d = unpack2x16float(tops.x | (tops.y << 8u)).x;
let word = select(scales.x, scales.y, run >= 8u) >> ((run & 4u) << 2u);
let scale = d * f32(2u * ((word >> (3u * (run & 3u))) & 7u) + 1u);
let da = select(0.125, -0.125, (high & 8u) != 0u);
let db = select(0.125, -0.125, (high & 128u) != 0u);
let a = grid8(TABLE_IQ1_S, (codes & 255u) | ((high & 7u) << 8u));
let b = grid8(TABLE_IQ1_S, ((codes >> 8u) & 255u) | ((high & 0x70u) << 4u));
return mat4x4<f32>(
scale * (bytes_i8(a.x) + da),
scale * (bytes_i8(a.y) + da),
scale * (bytes_i8(b.x) + db),
scale * (bytes_i8(b.y) + db),
);
}
`,
  "quant/iq1_s": `// needs: lib/bytes, lib/grids






fn decode(base: u32, element: u32) -> mat4x4<f32> {
let byte = (element >> 8u) * 50u;
let codes = load_u16(base, byte + 2u + ((element & 240u) >> 3u));
let head = load_u16(base, byte + 34u + ((element & 224u) >> 4u));
let high = head >> select(0u, 6u, (element & 16u) != 0u);
let scale = load_f16(base, byte) * f32(2u * ((head >> 12u) & 7u) + 1u);
let delta = select(0.125, -0.125, (head & 0x8000u) != 0u);
let a = grid8(TABLE_IQ1_S, (codes & 255u) | ((high & 7u) << 8u));
let b = grid8(TABLE_IQ1_S, (codes >> 8u) | ((high & 56u) << 5u));
return mat4x4<f32>(
scale * (bytes_i8(a.x) + delta),
scale * (bytes_i8(a.y) + delta),
scale * (bytes_i8(b.x) + delta),
scale * (bytes_i8(b.y) + delta),
);
}
`,
  "quant/iq2_s": `// needs: lib/bytes, lib/grids








fn decode(base: u32, element: u32) -> mat4x4<f32> {
let byte = (element >> 8u) * 82u;
let group = (element >> 5u) & 7u;
let shift = (element & 16u) >> 2u;
let pair = (element & 240u) >> 3u;
let codes = load_u16(base, byte + 2u + pair);
let signs = load_u16(base, byte + 34u + pair);
let high = load_u8(base, byte + 66u + group) >> shift;
let steps = (load_u8(base, byte + 74u + group) >> shift) & 15u;
let scale = load_f16(base, byte) * (0.5 + f32(steps)) * 0.25;
let a = grid8(TABLE_IQ2_S, (codes & 255u) | ((high & 3u) << 8u));
let b = grid8(TABLE_IQ2_S, (codes >> 8u) | ((high & 12u) << 6u));
return mat4x4<f32>(
signed_entry(a.x, signs, scale),
signed_entry(a.y, signs >> 4u, scale),
signed_entry(b.x, signs >> 8u, scale),
signed_entry(b.y, signs >> 12u, scale),
);
}
`,
  "quant/iq2_xs": `// needs: lib/bytes, lib/grids






fn decode(base: u32, element: u32) -> mat4x4<f32> {
let byte = (element >> 8u) * 74u;
let run = (element >> 4u) & 15u;
let code = load_u32(base, byte + 2u + (run << 2u));
let steps = (load_u8(base, byte + 66u + (run >> 1u)) >> ((run & 1u) << 2u)) & 15u;
let scale = load_f16(base, byte) * (0.5 + f32(steps)) * 0.25;
let a = grid8(TABLE_IQ2_XS, code & 511u);
let b = grid8(TABLE_IQ2_XS, (code >> 16u) & 511u);
let sa = even_signs(code >> 9u);
let sb = even_signs(code >> 25u);
return mat4x4<f32>(
signed_entry(a.x, sa, scale),
signed_entry(a.y, sa >> 4u, scale),
signed_entry(b.x, sb, scale),
signed_entry(b.y, sb >> 4u, scale),
);
}
`,
  "quant/iq2_xxs": `// needs: lib/bytes, lib/grids





fn decode(base: u32, element: u32) -> mat4x4<f32> {
let byte = (element >> 8u) * 66u;
let half = element & 16u;
let words = load_u32x2(base, byte + 2u + ((element & 224u) >> 2u));
let scale = load_f16(base, byte) * (0.5 + f32(words.y >> 28u)) * 0.25;
let codes = words.x >> half;
let signs = words.y >> select(0u, 14u, half != 0u);
let a = grid8(TABLE_IQ2_XXS, codes & 255u);
let b = grid8(TABLE_IQ2_XXS, (codes >> 8u) & 255u);
let sa = even_signs(signs);
let sb = even_signs(signs >> 7u);
return mat4x4<f32>(
signed_entry(a.x, sa, scale),
signed_entry(a.y, sa >> 4u, scale),
signed_entry(b.x, sb, scale),
signed_entry(b.y, sb >> 4u, scale),
);
}
`,
  "quant/iq3_s": `// needs: lib/bytes, lib/grids








fn decode(base: u32, element: u32) -> mat4x4<f32> {
let byte = (element >> 8u) * 110u;
let group = (element >> 5u) & 7u;
let run = (element >> 4u) & 15u;
let codes = load_u32(base, byte + 2u + (run << 2u));
let signs = load_u16(base, byte + 74u + (run << 1u));
let high = load_u8(base, byte + 66u + group) >> ((run & 1u) << 2u);
let steps = (load_u8(base, byte + 106u + (group >> 1u)) >> ((group & 1u) << 2u)) & 15u;
let scale = load_f16(base, byte) * f32(1u + 2u * steps);
return mat4x4<f32>(
signed_entry(grid4(TABLE_IQ3_S, (codes & 255u) | ((high & 1u) << 8u)), signs, scale),
signed_entry(grid4(TABLE_IQ3_S, ((codes >> 8u) & 255u) | ((high & 2u) << 7u)), signs >> 4u, scale),
signed_entry(grid4(TABLE_IQ3_S, ((codes >> 16u) & 255u) | ((high & 4u) << 6u)), signs >> 8u, scale),
signed_entry(grid4(TABLE_IQ3_S, (codes >> 24u) | ((high & 8u) << 5u)), signs >> 12u, scale),
);
}
`,
  "quant/iq3_xxs": `// needs: lib/bytes, lib/grids






fn decode(base: u32, element: u32) -> mat4x4<f32> {
let byte = (element >> 8u) * 98u;
let codes = load_u32(base, byte + 2u + ((element & 240u) >> 2u));
let word = load_u32(base, byte + 66u + ((element & 224u) >> 3u));
let scale = load_f16(base, byte) * (0.5 + f32(word >> 28u)) * 0.5;
let signs = word >> select(0u, 14u, (element & 16u) != 0u);
let sa = even_signs(signs);
let sb = even_signs(signs >> 7u);
return mat4x4<f32>(
signed_entry(grid4(TABLE_IQ3_XXS, codes & 255u), sa, scale),
signed_entry(grid4(TABLE_IQ3_XXS, (codes >> 8u) & 255u), sa >> 4u, scale),
signed_entry(grid4(TABLE_IQ3_XXS, (codes >> 16u) & 255u), sb, scale),
signed_entry(grid4(TABLE_IQ3_XXS, codes >> 24u), sb >> 4u, scale),
);
}
`,
  "quant/iq4_nl": `// needs: lib/bytes, lib/int8, lib/iq4





fn iq4_scale(base: u32, block: u32) -> f32 {
return load_f16(base, block * 18u);
}

fn iq4_codes(base: u32, block: u32, half: u32) -> vec4<u32> {
return nibbles(load_u32x4(base, block * 18u + 2u, 0u), half << 2u);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
return scaled_iq4(iq4_codes(base, element >> 5u, (element >> 4u) & 1u), iq4_scale(base, element >> 5u));
}

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
return int8_iq4(iq4_codes(base, block, half), iq4_scale(base, block));
}
`,
  "quant/iq4_xs": `// needs: lib/bytes, lib/int8, lib/iq4







fn iq4_scale(base: u32, block: u32) -> f32 {
let at = base + (block >> 3u) * 34u;
let group = block & 7u;
let head = weights[at];
let low = (weights[at + 1u] >> (group << 2u)) & 15u;
let high = (head >> (16u + (group << 1u))) & 3u;
return unpack2x16float(head).x * f32(i32(low | (high << 4u)) - 32);
}

fn iq4_codes(base: u32, block: u32, half: u32) -> vec4<u32> {
let at = base + (block >> 3u) * 34u + 2u + ((block & 7u) << 2u);
return nibbles(load_aligned_u32x4(at), half << 2u);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
return scaled_iq4(iq4_codes(base, element >> 5u, (element >> 4u) & 1u), iq4_scale(base, element >> 5u));
}

fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
return int8_iq4(iq4_codes(base, block, half), iq4_scale(base, block));
}
`,
  "quant/mxfp4": `// needs: lib/bytes, lib/fp4, lib/int8







fn tiny_values(codes: u32, e: u32) -> vec4<f32> {
let code = vec4(codes) >> vec4(0u, 8u, 16u, 24u);
let size = code & vec4(7u);
let halved = max(size + vec4(4u), size << vec4(1u)) - vec4(4u);
let bits = select(halved << vec4(21u), size << vec4(22u), e == 1u);
let sign = select(vec4(0u), (code & vec4(8u)) << vec4(28u), size != vec4(0u));
return bitcast<vec4<f32>>(bits | sign);
}

fn mxfp4_exponent(base: u32, block: u32) -> u32 {
return load_u8(base, block * 17u);
}

fn mxfp4_codes(base: u32, block: u32, half: u32) -> vec4<u32> {
return nibbles(load_u32x4(base, block * 17u + 1u, 0u), half << 2u);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let e = mxfp4_exponent(base, element >> 5u);
let q = mxfp4_codes(base, element >> 5u, (element >> 4u) & 1u);
if (e < 2u) {
return mat4x4<f32>(tiny_values(q.x, e), tiny_values(q.y, e), tiny_values(q.z, e), tiny_values(q.w, e));
}
let scale = bitcast<f32>((e - 1u) << 23u);
return mat4x4<f32>(
scale * fp4_floats(q.x),
scale * fp4_floats(q.y),
scale * fp4_floats(q.z),
scale * fp4_floats(q.w),
);
}


fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
let e = mxfp4_exponent(base, block);
let q = mxfp4_codes(base, block, half);
let scale = bitcast<f32>(select((e - 1u) << 23u, 0x00200000u << e, e < 2u));
return Int8Run(vec4(fp4_bytes(q.x), fp4_bytes(q.y), fp4_bytes(q.z), fp4_bytes(q.w)), scale, 0.0);
}
`,
  "quant/nvfp4": `// needs: lib/bytes, lib/fp4





fn decode(base: u32, element: u32) -> mat4x4<f32> {
let at = base + (element >> 6u) * 9u;
let run = (element >> 4u) & 3u;
let code = (weights[at] >> (run << 3u)) & 0x7fu;

let normal = bitcast<f32>((code << 20u) + (119u << 23u));
let scale = select(select(normal, f32(code) * 0.0009765625, code < 8u), 0.0, code == 0x7fu);
let words = vec2(weights[at + 1u + run * 2u], weights[at + 2u + run * 2u]);
let low = words & vec2(0x0f0f0f0fu);
let high = (words >> vec2(4u)) & vec2(0x0f0f0f0fu);
return mat4x4<f32>(
scale * fp4_floats(low.x),
scale * fp4_floats(low.y),
scale * fp4_floats(high.x),
scale * fp4_floats(high.y),
);
}
`,
  "quant/q1_0": `// needs: lib/bytes





fn decode(base: u32, element: u32) -> mat4x4<f32> {
let byte = (element >> 7u) * 18u;
let d = load_f16(base, byte);
let bits = load_u16(base, byte + 2u + ((element & 112u) >> 3u));
let flags = vec4(bits) >> vec4(0u, 1u, 2u, 3u);
return mat4x4<f32>(
select(vec4(-d), vec4(d), (flags & vec4(1u)) != vec4(0u)),
select(vec4(-d), vec4(d), (flags & vec4(16u)) != vec4(0u)),
select(vec4(-d), vec4(d), (flags & vec4(256u)) != vec4(0u)),
select(vec4(-d), vec4(d), (flags & vec4(4096u)) != vec4(0u)),
);
}
`,
  "quant/q2_0": `// needs: lib/bytes





fn two_bits(word: u32, shift: u32) -> vec4<f32> {
return vec4<f32>((vec4(word >> shift) >> vec4(0u, 2u, 4u, 6u)) & vec4(3u)) - 1.0;
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let byte = (element >> 6u) * 18u;
let d = load_f16(base, byte);
let word = load_u32(base, byte + 2u + ((element & 48u) >> 2u));
return mat4x4<f32>(
d * two_bits(word, 0u),
d * two_bits(word, 8u),
d * two_bits(word, 16u),
d * two_bits(word, 24u),
);
}
`,
  "quant/q2_k": `// needs: lib/bytes, lib/int8







fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
let at = base + (block >> 3u) * 21u;
let group = block & 7u;
let dm = unpack2x16float(weights[at + 20u]);
let scale = weights[at + (group >> 1u)] >> (((group & 1u) << 4u) + 8u * half);
let words = load_aligned_u32x4(at + 4u + ((group & 4u) << 1u) + 4u * half);
let q = (words >> vec4((group & 3u) << 1u)) & vec4(0x03030303u);
return Int8Run(q, dm.x * f32(scale & 15u), -(dm.y * f32((scale >> 4u) & 15u)));
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
return affine_u8(run.q, run.scale, run.minimum);
}
`,
  "quant/q3_k": `// needs: lib/bytes, lib/int8







fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
let byte = (block >> 3u) * 110u;
let group = block & 7u;
let run = 2u * group + half;
let low = (load_u8(base, byte + 96u + (run & 7u)) >> (group & 4u)) & 15u;
let high = (load_u8(base, byte + 104u + (run & 3u)) >> ((run >> 2u) << 1u)) & 3u;
let scale = load_f16(base, byte + 108u) * f32(i32(low | (high << 4u)) - 32);
let words = load_u32x4(base, byte + 32u + ((group & 4u) << 3u), 4u * half);
let twos = (words >> vec4((group & 3u) << 1u)) & vec4(0x03030303u);
let thirds = (load_u32x4(base, byte, 4u * half) >> vec4(group)) & vec4(0x01010101u);
return Int8Run(subtract_bytes(twos | (thirds << vec4(2u)), 4u), scale, 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
return scaled_i8(run.q, run.scale);
}
`,
  "quant/q4_0": `// needs: lib/bytes, lib/int8





fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
let byte = block * 18u;
let q = nibbles(load_u32x4(base, byte + 2u, 0u), half << 2u);
return Int8Run(subtract_bytes(q, 8u), load_f16(base, byte), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
return scaled_i8(run.q, run.scale);
}
`,
  "quant/q4_1": `// needs: lib/bytes, lib/int8






fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
let at = base + block * 5u;
let dm = unpack2x16float(weights[at]);
let q = nibbles(load_aligned_u32x4(at + 1u), half << 2u);
return Int8Run(q, dm.x, dm.y);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
return affine_u8(run.q, run.scale, run.minimum);
}
`,
  "quant/q4_k": `// needs: lib/bytes, lib/int8, lib/scales_k4







fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
let at = base + (block >> 3u) * 36u;
let group = block & 7u;
let dm = scales_k4(at, group);
let words = load_aligned_u32x4(at + 4u + ((group >> 1u) << 3u) + 4u * half);
return Int8Run(nibbles(words, (group & 1u) << 2u), dm.x, -dm.y);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
return affine_u8(run.q, run.scale, run.minimum);
}
`,
  "quant/q5_0": `// needs: lib/bytes, lib/int8






fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
let byte = block * 22u;
let high = spread_bits(load_u32(base, byte + 2u) >> (16u * half));
let q = nibbles(load_u32x4(base, byte + 6u, 0u), half << 2u) | (high << vec4(4u));
return Int8Run(subtract_bytes(q, 16u), load_f16(base, byte), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
return scaled_i8(run.q, run.scale);
}
`,
  "quant/q5_1": `// needs: lib/bytes, lib/int8







fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
let at = base + block * 6u;
let dm = unpack2x16float(weights[at]);
let high = spread_bits(weights[at + 1u] >> (16u * half));
let q = nibbles(load_aligned_u32x4(at + 2u), half << 2u) | (high << vec4(4u));
return Int8Run(q, dm.x, dm.y);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
return affine_u8(run.q, run.scale, run.minimum);
}
`,
  "quant/q5_k": `// needs: lib/bytes, lib/int8, lib/scales_k4








fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
let at = base + (block >> 3u) * 44u;
let group = block & 7u;
let dm = scales_k4(at, group);
let low = nibbles(load_aligned_u32x4(at + 12u + ((group >> 1u) << 3u) + 4u * half), (group & 1u) << 2u);
let high = (load_aligned_u32x4(at + 4u + 4u * half) >> vec4(group)) & vec4(0x01010101u);
return Int8Run(low | (high << vec4(4u)), dm.x, -dm.y);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
return affine_u8(run.q, run.scale, run.minimum);
}
`,
  "quant/q6_k": `// needs: lib/bytes, lib/int8







fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
let byte = (block >> 3u) * 210u;
let group = block & 7u;
let scale = bitcast<i32>(load_u8(base, byte + 192u + 2u * group + half) << 24u) >> 24u;
let low = load_u32x4(base, byte + ((group & 4u) << 4u) + ((group & 1u) << 5u), 4u * half);
let high = load_u32x4(base, byte + 128u + ((group & 4u) << 3u), 4u * half);
let q = nibbles(low, (group & 2u) << 1u) | (((high >> vec4((group & 3u) << 1u)) & vec4(0x03030303u)) << vec4(4u));
return Int8Run(subtract_bytes(q, 32u), load_f16(base, byte + 208u) * f32(scale), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
return scaled_i8(run.q, run.scale);
}
`,
  "quant/q8_0": `// needs: lib/bytes, lib/int8





fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
let byte = block * 34u;
return Int8Run(load_u32x4(base, byte + 2u, 4u * half), load_f16(base, byte), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
return scaled_i8(run.q, run.scale);
}
`,
  "quant/tq1_0": `// needs: lib/bytes







fn digits(word: u32, power: u32, d: f32) -> vec4<f32> {
let bytes = (vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(0xffu);
return d * (vec4<f32>((((bytes * power) & vec4(0xffu)) * 3u) >> vec4(8u)) - 1.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let byte = (element >> 8u) * 54u;
let run = (element >> 4u) & 15u;
let d = load_f16(base, byte + 52u);
let late = run >= 10u;
let last = run == 15u;
let n = select(run >> 1u, run - 10u, late);
let power = select((0x1b090301u >> (n << 3u)) & 0xffu, 81u, n == 4u);
let words = load_u32x4(base, byte + select(select((run & 1u) << 4u, 32u, late), 48u, last), 0u);
let w = select(words, vec4(words.x), last);
let p = select(vec4(power), vec4(1u, 3u, 9u, 27u), last);
return mat4x4<f32>(
digits(w.x, p.x, d),
digits(w.y, p.y, d),
digits(w.z, p.z, d),
digits(w.w, p.w, d),
);
}
`,
  "quant/tq2_0": `// needs: lib/bytes, lib/int8





fn decode_i8(base: u32, block: u32, half: u32) -> Int8Run {
let byte = (block >> 3u) * 66u;
let group = block & 7u;
let words = load_u32x4(base, byte + ((group & 4u) << 3u), 4u * half);
let q = (words >> vec4((group & 3u) << 1u)) & vec4(0x03030303u);
return Int8Run(subtract_bytes(q, 1u), load_f16(base, byte + 64u), 0.0);
}

fn decode(base: u32, element: u32) -> mat4x4<f32> {
let run = decode_i8(base, element >> 5u, (element >> 4u) & 1u);
return scaled_i8(run.q, run.scale);
}
`,
  "quantize": `// needs: lib/dot_i8










struct Params {
k: u32,
domain: u32,
x_offset: u32,
x_stride: u32,
out_offset: u32,
out_stride: u32,
norm: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> small: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read_write> out: array<vec4<u32>>;


const LEAST = 1e-30;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
let block = id.x;
if (block >= params.k >> 5u || id.y >= row_count(params.domain)) { return; }
let source = params.x_offset + id.y * params.x_stride + 8u * block;
let to = params.out_offset + id.y * params.out_stride + BLOCK * block;
var squares = 0.0;
var scales = vec2(0.0);
var sums = vec2(0);
for (var run = 0u; run < 2u; run++) {
var v: array<vec4<f32>, 4>;
var most = vec4(0.0);
for (var i = 0u; i < 4u; i++) {
v[i] = x[source + 4u * run + i];
if (NORM) {
squares += dot(v[i], v[i]);
v[i] *= small[params.norm + 8u * block + 4u * run + i];
}
most = max(most, abs(v[i]));
}
let reach = max(max(most.x, most.y), max(most.z, most.w));
let inverse = select(0.0, 127.0 / reach, reach > LEAST);
scales[run] = select(0.0, reach / 127.0, reach > LEAST);
var words = vec4(0u);
for (var i = 0u; i < 4u; i++) {

let q = clamp(vec4<i32>(round(v[i] * inverse)), vec4(-127), vec4(127));
words[i] = pack4xI8(q);
sums[run] += (q.x + q.y) + (q.z + q.w);
}
out[to + run] = words;
}
let both = (bitcast<u32>(sums.x) & 0xffffu) | (bitcast<u32>(sums.y) << 16u);
out[to + HEAD] = vec4(bitcast<u32>(scales.x), bitcast<u32>(scales.y), both, bitcast<u32>(squares));
}
`,
  "rope": `





struct Params {
head_width: u32,
start: u32,
half: u32,
domain: u32,
x_offset: u32,
x_stride: u32,
out_offset: u32,
out_stride: u32,
angles: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read> angles: array<vec2<f32>>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
if (id.y >= row_count(params.domain)) { return; }
let source = params.x_offset + id.y * params.x_stride + id.x * params.head_width;
let to = params.out_offset + id.y * params.out_stride + id.x * params.head_width;
let at = params.angles + row_position(id.y) * params.half;
for (var i = thread; i < params.head_width; i += WG) {
if (i < params.start || i >= params.start + 2u * params.half) { out[to + i] = x[source + i]; }
}
for (var i = thread; i < params.half; i += WG) {
var first = params.start + 2u * i;
var second = first + 1u;
if (NEOX) {
first = params.start + i;
second = first + params.half;
}
let a = x[source + first];
let b = x[source + second];
let turn = angles[at + i];
out[to + first] = a * turn.x - b * turn.y;
out[to + second] = a * turn.y + b * turn.x;
}
}
`,
  "ropeStore": `










struct Params {
q_heads: u32,
k_heads: u32,
v_heads: u32,
key_width: u32,
value_width: u32,
domain: u32,
q_offset: u32,
k_offset: u32,
v_offset: u32,
x_stride: u32,
out_offset: u32,
out_stride: u32,
row_words: u32,
value_word: u32,
start: u32,
half: u32,
angles: u32,
q_norm: u32,
k_norm: u32,
eps: f32,
}

const NONE = 0xffffffffu;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> x: array<f32>;
@group(1) @binding(2) var<storage, read_write> q_out: array<f32>;
@group(1) @binding(3) var<storage, read_write> slab: array<u32>;
@group(1) @binding(4) var<storage, read> angles: array<vec2<f32>>;
@group(1) @binding(5) var<storage, read> small: array<f32>;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
let row = id.y;
if (row >= row_count(params.domain)) { return; }
let is_q = id.x < params.q_heads;
let is_v = id.x >= params.q_heads + params.k_heads;
var width = params.key_width;
var index = id.x;
var source = params.q_offset;
var norm = params.q_norm;
if (is_v) {
width = params.value_width;
index = id.x - params.q_heads - params.k_heads;
source = params.v_offset;
norm = NONE;
} else if (!is_q) {
index = id.x - params.q_heads;
source = params.k_offset;
norm = params.k_norm;
}
source += row * params.x_stride + index * width;

load_head(0u, thread, source, width);
workgroupBarrier();
norm_head(0u, thread, width, norm);
workgroupBarrier();
if (!is_v) { turn_head(0u, thread, row_position(row)); }
workgroupBarrier();
if (is_q) {
let to = params.out_offset + row * params.out_stride + index * width;
for (var i = thread; i < width; i += 32u) { q_out[to + i] = head[i]; }
} else {
let word = slab_row(row_sequence(row), row_position(row)) * params.row_words;
if (is_v) {
let unit = kv_unit(V_KIND);
for (var i = thread * unit; i < width; i += 32u * unit) { kv_store(V_KIND, word + params.value_word, index * width + i, i); }
} else {
let unit = kv_unit(K_KIND);
for (var i = thread * unit; i < width; i += 32u * unit) { kv_store(K_KIND, word, index * width + i, i); }
}
}
}
`,
  "sampleDraw": `// needs: lib/step, lib/topk, lib/philox, lib/divide






struct Params {
width: u32,
runs: u32,
stride: u32,
results: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> candidates: array<vec2<u32>>;
@group(1) @binding(2) var<storage, read_write> sampled: array<u32>;

var<workgroup> found: array<vec2<u32>, LIMIT>;
var<workgroup> ids: array<u32, LIMIT>;
var<workgroup> logits: array<f32, LIMIT>;
var<workgroup> plain: array<f32, LIMIT>;
var<workgroup> weights: array<f32, LIMIT>;

fn key_at(i: u32) -> u32 { return candidates[i].x; }
fn keep(place: u32, i: u32) { found[place] = candidates[i]; }

fn weight(logit: f32, highest: f32) -> f32 {
let below = logit - highest;
return select(exp(max(below, -100.0)), 0.0, below < -100.0);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
if (id.x >= row_count(1u)) { return; }
let settings = sampling_of(id.x);
let wanted = min(step[settings + SAMPLING_TOP_K], min(LIMIT, params.width));
let in_last = min(wanted, params.width - (params.runs - 1u) * RUN);
keep_largest(thread, id.x * params.stride, (params.runs - 1u) * wanted + in_last, wanted);
workgroupBarrier();
let temperature = bitcast<f32>(step[settings + SAMPLING_TEMPERATURE]);
for (var i = thread; i < wanted; i += 64u) {
let key = found[i].x;
var rank = 0u;
var highest = 0u;
for (var j = 0u; j < wanted; j++) {
let other = found[j].x;
rank += select(0u, 1u, other > key || (other == key && j < i));
highest = max(highest, other);
}
let logit = key_float(key);
let top = key_float(highest);
ids[rank] = found[i].y;
logits[rank] = logit;
plain[rank] = weight(logit, top);
weights[rank] = weight(divide(logit, temperature), divide(top, temperature));
}
workgroupBarrier();
if (thread > 0u) { return; }
var kept = wanted;
let p = bitcast<f32>(step[settings + SAMPLING_TOP_P]);
if (p < 1.0) {
var total = 0.0;
for (var i = 0u; i < wanted; i++) { total += plain[i]; }

let needed = u32(max(p, 0.0) * 2147483648.0);
var reached = 0u;
kept = 0u;
loop {
reached += u32(divide(plain[kept], total) * 2147483648.0);
kept++;
if (kept == wanted || reached >= needed) { break; }
}
}
let lowest = logits[0] + bitcast<f32>(step[settings + SAMPLING_LOG_MIN_P]);
while (kept > 1u && logits[kept - 1u] < lowest) { kept--; }
let row = output_row(id.x);
var sum = 0.0;
for (var i = 0u; i < kept; i++) { sum += weights[i]; }
let seed = vec2(step[settings + SAMPLING_SEED_LOW], step[settings + SAMPLING_SEED_HIGH]);
let bound = token_chance(seed, row_position(row) + 1u) * sum;
var token = ids[0];
var running = 0.0;
for (var i = 0u; i < kept && running <= bound && weights[i] > 0.0; i++) {
token = ids[i];
running += weights[i];
}

let sequence = row_sequence(row);
var is_last = id.x + 1u >= row_count(1u);
if (!is_last) { is_last = row_sequence(output_row(id.x + 1u)) != sequence; }
if (is_last) { sampled[sequence] = token; }
sampled[params.results + result_of(id.x)] = token;
}
`,
  "samplePenalties": `// needs: lib/step, lib/divide




struct Params {
x_offset: u32,
x_stride: u32,
context: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> history: array<u32>;
@group(1) @binding(2) var<storage, read_write> logits: array<u32>;

var<workgroup> recent: array<u32, WINDOW>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
if (id.x >= row_count(1u)) { return; }
let settings = sampling_of(id.x);
let row = output_row(id.x);
let end = row_position(row) + 1u;
let window = min(step[settings + SAMPLING_LAST_N], min(end, WINDOW));
let first = row_sequence(row) * params.context + end - window;
for (var i = thread; i < window; i += 64u) { recent[i] = history[first + i]; }
workgroupBarrier();
let repeat = bitcast<f32>(step[settings + SAMPLING_REPEAT]);
let frequency = bitcast<f32>(step[settings + SAMPLING_FREQUENCY]);
let presence = bitcast<f32>(step[settings + SAMPLING_PRESENCE]);
for (var i = thread; i < window; i += 64u) {
let token = recent[i];

var known = false;
for (var j = 0u; j < i && !known; j++) { known = recent[j] == token; }
if (known) { continue; }
var count = 1.0;
for (var j = i + 1u; j < window; j++) { count += select(0.0, 1.0, recent[j] == token); }
let at = params.x_offset + id.x * params.x_stride + token;
let bits = logits[at];
if ((bits & 0x7f800000u) == 0x7f800000u) { continue; }
let logit = bitcast<f32>(bits);
var scaled = logit * repeat;
if (logit > 0.0) { scaled = divide(logit, repeat); }
logits[at] = bitcast<u32>(scaled - (count * frequency + presence));
}
}
`,
  "sampleRuns": `// needs: lib/step, lib/topk




struct Params {
width: u32,
x_offset: u32,
x_stride: u32,
out_stride: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> logits: array<u32>;
@group(1) @binding(2) var<storage, read_write> out: array<vec2<u32>>;

var<private> source: u32;
var<private> destination: u32;

fn key_at(i: u32) -> u32 { return order_key(logits[source + i]); }
fn keep(place: u32, i: u32) { out[destination + place] = vec2(key_at(i), i); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
if (id.y >= row_count(1u)) { return; }
let wanted = min(step[sampling_of(id.y) + SAMPLING_TOP_K], min(LIMIT, params.width));
let first = id.x * RUN;
let count = min(RUN, params.width - first);
source = params.x_offset + id.y * params.x_stride;
destination = id.y * params.out_stride + id.x * wanted;
keep_largest(thread, first, count, min(wanted, count));
}
`,
  "shift": `// needs: lib/runs, lib/inputs



struct Params {
width: u32,
out_offset: u32,
out_stride: u32,
state_offset: u32,
state_size: u32,
pad0: u32,
pad1: u32,
pad2: u32,
x: vec4<u32>,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;
@group(1) @binding(6) var<storage, read_write> state: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
let row = id.y;
if (row >= row_count(0u) || id.x >= params.width) { return; }
var y = 0.0;
if (row_run_first(row) == row) {
let at = params.state_offset + row_sequence(row) * params.state_size + id.x;
if (row_position(row) != 0u) { y = state[at]; }
state[at] = load(params.x, row_run_end(row) - 1u, id.x);
} else {
y = load(params.x, row - 1u, id.x);
}
out[params.out_offset + row * params.out_stride + id.x] = y;
}
`,
  "ssm": `// needs: lib/runs, lib/inputs, lib/activation







struct Params {
channels: u32,
head_width: u32,
heads_a_group: u32,
out_offset: u32,
out_stride: u32,
state_offset: u32,
state_size: u32,
pad0: u32,
x: vec4<u32>,
dt: vec4<u32>,
b: vec4<u32>,
c: vec4<u32>,
a: vec4<u32>,
d: vec4<u32>,
bias: vec4<u32>,
}

const PER = STATE / LANES;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;
@group(1) @binding(6) var<storage, read_write> state: array<f32>;

var<workgroup> partials: array<f32, 2u * WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
if (group.y >= run_count()) { return; }
let first = run_first(group.y);
let end = row_run_end(first);
let lane = thread % LANES;
let wanted = (group.x * WG + thread) / LANES;
let channel = min(wanted, params.channels - 1u);
let head = channel / params.head_width;
let run = (head / params.heads_a_group) * STATE;
let base = params.state_offset + row_sequence(first) * params.state_size + channel * STATE + lane;
let started = row_position(first) != 0u;
let bias = load_or(params.bias, 0u, head, 0.0);
let d = load_or(params.d, 0u, head, 0.0);

var s: array<f32, PER>;
var a: array<f32, PER>;
for (var n = 0u; n < PER; n++) {
s[n] = 0.0;
if (started) { s[n] = state[base + LANES * n]; }
if (PER_STATE) { a[n] = load(params.a, 0u, head * STATE + lane + LANES * n); }
else { a[n] = load(params.a, 0u, head); }
}
for (var row = first; row < end; row++) {
let dt = softplus(load(params.dt, row, head) + bias);
let value = load(params.x, row, channel);
var decay = exp(dt * a[0]);
var sum = 0.0;
for (var n = 0u; n < PER; n++) {
let i = run + lane + LANES * n;
if (PER_STATE) { decay = exp(dt * a[n]); }
s[n] = s[n] * decay + dt * value * load(params.b, row, i);
sum += s[n] * load(params.c, row, i);
}
if (LANES > 1u) {
let half = (row & 1u) * WG;
partials[half + thread] = sum;
workgroupBarrier();
sum = 0.0;
for (var l = 0u; l < LANES; l++) { sum += partials[half + thread - lane + l]; }
}
if (lane == 0u && wanted < params.channels) {
out[params.out_offset + row * params.out_stride + channel] = sum + d * value;
}
}
if (wanted < params.channels) {
for (var n = 0u; n < PER; n++) { state[base + LANES * n] = s[n]; }
}
}
`,
  "wkv7": `// needs: lib/runs, lib/inputs









struct Params {
channels: u32,
out_offset: u32,
out_stride: u32,
state_offset: u32,
state_size: u32,
pad0: u32,
pad1: u32,
pad2: u32,
r: vec4<u32>,
w: vec4<u32>,
k: vec4<u32>,
v: vec4<u32>,
a: vec4<u32>,
b: vec4<u32>,
}

const PER = WIDTH / LANES;

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(5) var<storage, read_write> out: array<f32>;
@group(1) @binding(6) var<storage, read_write> state: array<f32>;

var<workgroup> partials: array<vec4<f32>, 2u * WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
if (group.y >= run_count()) { return; }
let first = run_first(group.y);
let end = row_run_end(first);
let lane = thread % LANES;
let wanted = (group.x * WG + thread) / LANES;
let channel = min(wanted, params.channels - 1u);
let head = channel - channel % WIDTH + lane;
let base = params.state_offset + row_sequence(first) * params.state_size + channel * WIDTH + lane;
let started = row_position(first) != 0u;

var s: array<f32, PER>;
var b: array<f32, PER>;
var k: array<f32, PER>;
for (var n = 0u; n < PER; n++) {
s[n] = 0.0;
if (started) { s[n] = state[base + LANES * n]; }
}
for (var row = first; row < end; row++) {
let value = load(params.v, row, channel);
var sums = vec4(0.0);
for (var n = 0u; n < PER; n++) {
let i = head + LANES * n;
let r = load(params.r, row, i);
b[n] = load(params.b, row, i);
k[n] = load(params.k, row, i);
let a = s[n] * load(params.a, row, i);
s[n] = s[n] * load(params.w, row, i);
sums += vec4(a, s[n] * r, b[n] * r, k[n] * r);
}
if (LANES > 1u) {
let half = (row & 1u) * WG;
partials[half + thread] = sums;
workgroupBarrier();
sums = vec4(0.0);
for (var l = 0u; l < LANES; l++) { sums += partials[half + thread - lane + l]; }
}
for (var n = 0u; n < PER; n++) { s[n] += sums.x * b[n] + value * k[n]; }
if (lane == 0u && wanted < params.channels) {
out[params.out_offset + row * params.out_stride + channel] = sums.y + sums.x * sums.z + value * sums.w;
}
}
if (wanted < params.channels) {
for (var n = 0u; n < PER; n++) { state[base + LANES * n] = s[n]; }
}
}
`,
};
