// needs: lib/step
// argmaxReduce.wgsl: the winner of a row's runs becomes the sequence's sampled token.
// runs    [row][runs] (value, index as bits)
// sampled [0 … sequences) the last token of each sequence, then [output row] the result that is read back
// grid: (output rows, 1, 1), one thread
struct Params {
  runs: u32,
  results: u32, // first result in `sampled`
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
  // Several rows of one sequence may be sampled (verification); its last one counts.
  let sequence = row_sequence(output_row(id.x));
  var is_last = id.x + 1u >= row_count(1u);
  if (!is_last) { is_last = row_sequence(output_row(id.x + 1u)) != sequence; }
  if (is_last) { sampled[sequence] = token; }
  sampled[params.results + result_of(id.x)] = token;
}
