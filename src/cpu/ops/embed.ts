import type { Matrix } from "../weights.ts";

/** Rows of a table. */
export function embed(table: Matrix, ids: ArrayLike<number>): Float32Array {
  const out = new Float32Array(ids.length * table.width);
  for (let i = 0; i < ids.length; i++) out.set(table.row(ids[i]), i * table.width);
  return out;
}
