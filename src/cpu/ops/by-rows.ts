/** Work that gives others a turn between its parts. */
import type { OpContext } from "./context.ts";
import { concat } from "./layout.ts";

export const rowsOf = (x: Float32Array, width: number, from: number, to: number): Float32Array =>
  x.subarray(from * width, to * width);

/** An op that goes row by row, between some of which others get a turn. */
export async function byRows(
  c: OpContext,
  rows: number,
  productsPerRow: number,
  compute: (from: number, to: number) => Float32Array,
): Promise<Float32Array> {
  const step = Math.max(1, Math.floor(c.products / productsPerRow));
  if (step >= rows) return compute(0, rows);
  const parts: Float32Array[] = [];
  for (let from = 0; from < rows; from += step) {
    parts.push(compute(from, Math.min(rows, from + step)));
    await c.rest();
  }
  return concat(parts, 1);
}
