// needs: lib/step
// lib/attention-range.wgsl: the positions [x, y) that a row attends to.
//   WINDOW is SLIDING: the last `window` positions; CHUNKED: the row's own chunk of `window`; or
//   SYMMETRIC: window / 2 to each side
const SLIDING = 0u;
const CHUNKED = 1u;
const SYMMETRIC = 2u;

fn attention_range(row: u32, window: u32) -> vec2<u32> {
  let position = row_position(row);
  let end = row_end(row);
  if (window == 0u) { return vec2(0u, end); }
  if (WINDOW == SLIDING) { return vec2(select(0u, position + 1u - window, position + 1u > window), end); }
  if (WINDOW == CHUNKED) { return vec2((position / max(window, 1u)) * window, end); }
  let side = window / 2u;
  return vec2(select(0u, position - side, position > side), min(end, position + side + 1u));
}
