import type { Matrix } from "../weights.ts";

/** Rows of a table. */
export function embed(table: Matrix, ids: ArrayLike<number>): Float32Array {
  const { width, values } = table;
  const out = new Float32Array(ids.length * width);
  for (let i = 0; i < ids.length; i++) {
    const at = table.load(ids[i]);
    out.set(values.subarray(at, at + width), i * width);
  }
  return out;
}
