// lib/attention_range.wgsl: the positions [x, y) that a row attends to.
// The record's word 4 is the end: position + 1, or the sequence's length where rows attend both ways.
//   WINDOW 0 sliding: the last `window` positions    1 chunked: its own chunk of `window`
//          2 symmetric: window / 2 to each side
fn attention_range(row: u32, window: u32) -> vec2<u32> {
  let position = row_position(row);
  let end = step[20u + 8u * row];
  if (window == 0u) { return vec2(0u, end); }
  if (WINDOW == 0u) { return vec2(select(0u, position + 1u - window, position + 1u > window), end); }
  if (WINDOW == 1u) { return vec2((position / max(window, 1u)) * window, end); }
  let side = window / 2u;
  return vec2(select(0u, position - side, position > side), min(end, position + side + 1u));
}
