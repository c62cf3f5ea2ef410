// lib/attention_range.wgsl: the positions [x, y) that a row attends to.
//   WINDOW 0 sliding: the last `window` positions    1 chunked: its own chunk of `window`
//          2 symmetric: window / 2 to each side
fn attention_range(row: u32, window: u32) -> vec2<u32> {
  let position = row_position(row);
  let end = row_end(row);
  if (window == 0u) { return vec2(0u, end); }
  if (WINDOW == 0u) { return vec2(select(0u, position + 1u - window, position + 1u > window), end); }
  if (WINDOW == 1u) { return vec2((position / max(window, 1u)) * window, end); }
  let side = window / 2u;
  return vec2(select(0u, position - side, position > side), min(end, position + side + 1u));
}
