/** Ops that move elements without computing. */
import type { OpsOf } from "./context.ts";

/** Elements [offset, offset + width) of each run of `run` elements. */
export function slice(x: Float32Array, offset: number, width: number, run: number): Float32Array {
  const runs = x.length / run;
  const out = new Float32Array(runs * width);
  for (let i = 0; i < runs; i++)
    out.set(x.subarray(i * run + offset, i * run + offset + width), i * width);
  return out;
}

/** Run i of each part, one part after the other, for all `runs` runs (rows · groups). */
export function concat(parts: readonly Float32Array[], runs: number): Float32Array {
  const widths = parts.map((part) => part.length / runs);
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (let run = 0; run < runs; run++) {
    parts.forEach((part, p) => {
      out.set(part.subarray(run * widths[p], (run + 1) * widths[p]), at);
      at += widths[p];
    });
  }
  return out;
}

/** The rows with these numbers. */
export function select(x: Float32Array, rows: readonly number[], width: number): Float32Array {
  const out = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries())
    out.set(x.subarray(row * width, (row + 1) * width), i * width);
  return out;
}

export const layoutOps: OpsOf<"slice" | "concat" | "select"> = {
  slice: (op, c) => slice(c.value(op.x), op.offset, op.width, c.width(op.x) / op.groups),
  concat: (op, c) => {
    const parts = op.parts.map((part) => c.value(part));
    return concat(parts, (parts[0].length / c.width(op.parts[0])) * op.groups);
  },
  select: (op, c) => select(c.value(op.x), c.rows.outputs, c.width(op.x)),
};
