// needs: lib/step, lib/store-run
// varies: quant/*
// embed.wgsl: embedding gather, out[row][c] = table[index(row) + offset][c] for c < width, where the index is the
// row's token, its position, or 0. The table has rows of `width` weights of any quant type. A binding may hold only
// a range of its rows (a table split over several buffers): output rows whose index lies outside are left untouched,
// so that one dispatch for each piece fills them all.
// Where the index is a token, it is written to the history, at the row's position in its sequence; for a given row,
// SAMPLED, which is no token.
//
// weights  blocks as src/kernels/layouts.ts has them                             binding 1
// out      [rows][out_stride] f32                                                binding 2
// sampled  the token that each sequence sampled last                             binding 3
// history  [sequence][context] tokens                                            binding 4
//          (lookup tables of a type are group 2)
// grid: (ceil(width / 1024), rows, 1), 64 threads; a thread takes 16 columns

struct Params {
  width: u32,
  base: u32, // word of the first row that the binding holds
  first_row: u32, // its number
  row_count: u32, // how many it holds
  out_stride: u32,
  by: u32, // 0 token, 1 position, 2 always row 0
  offset: u32, // added to the index
  out_offset: u32,
  context: u32,
}

@group(1) @binding(0) var<uniform> params: Params;
@group(1) @binding(1) var<storage, read> weights: array<Word>;
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
  if (index >= params.row_count) {
    return;
  }
  if (params.by == 0u && column == 0u) {
    history[row_sequence(row) * params.context + row_position(row)] = select(found, SAMPLED, row_given(row));
  }
  let values = decode(params.base, index * params.width + column);
  store_run(params.out_offset + row * params.out_stride + column, values, params.width - column);
}
