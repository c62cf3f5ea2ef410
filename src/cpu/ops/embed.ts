import type { Matrix } from "../matrix.ts";
import type { OpsOf } from "./context.ts";

/** Rows of a table. */
export function embed(table: Matrix, ids: ArrayLike<number>): Float32Array {
  const { width } = table;
  const out = new Float32Array(ids.length * width);
  for (let i = 0; i < ids.length; i++) table.load(ids[i], out.subarray(i * width, (i + 1) * width));
  return out;
}

export const embedOps: OpsOf<"embed"> = {
  embed: (op, c) => {
    const { tokens } = c.rows;
    const ids = {
      token: () => tokens,
      first: () => new Uint8Array(tokens.length),
      position: () => c.positions().map((position) => position + op.offset),
    };
    return embed(c.weights.matrix(op.table), ids[op.by]());
  },
};
