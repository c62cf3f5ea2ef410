// needs: lib/step, lib/store-run
// varies: quant/*
// embed.wgsl: embedding gather, out[row][c] = table[index(row) + offset][c] for c < width, where the index is
// the row's token, its position, or 0. The table has rows of `width` weights of any quant type.
// The binding may hold a range of the table's rows only (a table split over several buffers): output rows
// whose index lies outside are left untouched, so that one dispatch a piece fills them all.
//
// Where the index is a token, it is written down as the one of its place in the sequence.
//
// group(1): 0 params, 1 weights, 2 out (rows of out_stride floats), 3 sampled (a token a sequence),
//   4 history (context tokens a sequence);
//   group(2): lookup tables, for the types that have any.
// One thread for 16 columns, 64 threads a workgroup: grid (ceil(width / 1024), rows).

struct Params {
  width: u32,
  // Word of `weights` where the held rows start.
  base: u32,
  // Table rows held by the binding.
  first_row: u32,
  held_rows: u32,
  out_stride: u32,
  // 0: by token, 1: by position, 2: always row 0.
  by: u32,
  // Added to the index.
  offset: u32,
  out_offset: u32,
  context: u32,
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
  // Below first_row the difference wraps to a number that is too large as well.
  let found = table_row(row);
  let index = found + params.offset - params.first_row;
  if (index >= params.held_rows) {
    return;
  }
  if (params.by == 0u && column == 0u) {
    history[row_sequence(row) * params.context + row_position(row)] = found;
  }
  let values = decode(params.base, index * params.width + column);
  store_run(params.out_offset + row * params.out_stride + column, values, params.width - column);
}
