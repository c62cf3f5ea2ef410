import type { Matrix } from "../matrix.ts";

/** Rows of a table. */
export function embed(table: Matrix, ids: ArrayLike<number>): Float32Array {
  const { width } = table;
  const out = new Float32Array(ids.length * width);
  for (let i = 0; i < ids.length; i++) table.load(ids[i], out.subarray(i * width, (i + 1) * width));
  return out;
}
