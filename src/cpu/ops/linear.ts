import type { OpOf } from "../../graph/ops.ts";
import { dot, type Matrix } from "../matrix.ts";
import type { OpContext, OpsOf } from "./context.ts";

/** Sums of a · b over runs of `group` elements. */
export function rowDot(a: Float32Array, b: Float32Array, group: number): Float32Array {
  return Float32Array.from({ length: a.length / group }, (_, run) =>
    dot(a, run * group, b, run * group, group),
  );
}

/**
 * Run h of each row of x through matrix h of the weight, whose rows stand one matrix after another.
 */
export function headLinear(
  x: Float32Array,
  weight: Matrix,
  heads: number,
  out: number,
): Float32Array {
  const { width } = weight;
  const rows = x.length / (heads * width);
  const y = new Float32Array(rows * heads * out);
  // A head's runs side by side, so that each row of its matrix is decoded once for all of them.
  const runs = new Float32Array(rows * width);
  const made = new Float32Array(rows * out);
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < rows; row++) {
      const at = (row * heads + head) * width;
      runs.set(x.subarray(at, at + width), row * width);
    }
    weight.multiply(runs, rows, { first: head * out, out, from: 0, to: out }, made);
    for (let row = 0; row < rows; row++)
      y.set(made.subarray(row * out, (row + 1) * out), (row * heads + head) * out);
  }
  return y;
}

/** x · Wᵀ · scale + bias in slices of outputs, between which others get a turn. */
async function pacedLinear(op: OpOf<"linear">, c: OpContext): Promise<Float32Array> {
  const x = c.value(op.x);
  const weight = c.weights.matrix(op.weight);
  const bias = c.weights.optional(op.bias);
  const scaleBy = c.weights.optional(op.scale)?.[0];
  const { first, out } = op;
  const rows = x.length / weight.width;
  const y = new Float32Array(rows * out);
  const columns = Math.max(1, Math.floor((c.products * weight.haste) / (rows * weight.width)));
  for (let from = 0; from < out; from += columns) {
    const to = Math.min(out, from + columns);
    weight.multiply(x, rows, { first, out, from, to, bias, scale: scaleBy }, y);
    await c.rest();
  }
  return y;
}

export const linearOps: OpsOf<"linear" | "headLinear" | "dot"> = {
  linear: pacedLinear,
  headLinear: (op, c) => headLinear(c.value(op.x), c.weights.matrix(op.weight), op.heads, op.out),
  dot: (op, c) => rowDot(c.value(op.a), c.value(op.b), op.group),
};
