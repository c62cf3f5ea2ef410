// needs: lib/step, lib/topk
// sampleRuns.wgsl: the K largest logits of each run of RUN logits of a row, equal ones by id; the first step of
// sampling. K is the row's own.
// logits [rows][stride] f32; out [row] K × (key, id) for each run, the last of which may have fewer
// grid: (runs, output rows, 1), 64 threads
struct Params {
  width: u32,
  x_offset: u32,
  x_stride: u32,
  out_stride: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> logits: array<u32>; // as bits: no driver may change a NaN
@group(1) @binding(2) var<storage, read_write> out: array<vec2<u32>>;

var<private> source: u32;
var<private> destination: u32;

fn key_at(i: u32) -> u32 { return order_key(logits[source + i]); }
fn put(place: u32, i: u32) { out[destination + place] = vec2(key_at(i), i); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  if (id.y >= row_count(1u)) { return; }
  let wanted = min(step[sampling_of(id.y) + SAMPLING_TOP_K], min(LIMIT, params.width));
  let first = id.x * RUN;
  let count = min(RUN, params.width - first);
  source = params.x_offset + id.y * params.x_stride;
  destination = id.y * params.out_stride + id.x * wanted;
  find_largest(thread, first, count, min(wanted, count));
}
