/** Moves of elements, and rows of tables. */
import type { CpuOps } from "../../ops/context.ts";
import type { Kernels } from "../kernels.ts";

export function layoutOps(k: Kernels): Partial<CpuOps> {
  /** Runs of `width` floats, which begin every `nextTo` and `nextFrom` floats. */
  const move = (
    to: number,
    from: number,
    width: number,
    runs: number,
    nextTo: number,
    nextFrom: number,
  ): void => k["move"](to, from, 4 * width, runs, 4 * nextTo, 4 * nextFrom);
  return {
    slice: (op, c) => {
      const x = c.value(op.x);
      const run = c.width(op.x) / op.groups;
      const runs = x.length / run;
      const y = c.make(runs * op.width);
      move(y.byteOffset, x.byteOffset + 4 * op.offset, op.width, runs, op.width, run);
      return y;
    },
    concat: (op, c) => {
      let all = 0;
      for (const part of op.parts) all += c.width(part);
      const rows = c.value(op.parts[0]).length / c.width(op.parts[0]);
      const y = c.make(all * rows);
      const runs = rows * op.groups;
      let at = y.byteOffset;
      for (const part of op.parts) {
        const x = c.value(part);
        const width = x.length / runs;
        move(at, x.byteOffset, width, runs, all / op.groups, width);
        at += 4 * width;
      }
      return y;
    },
    select: (op, c) => {
      const x = c.value(op.x);
      const width = c.width(op.x);
      const { outputs } = c.rows;
      const y = c.make(outputs.length * width);
      for (let i = 0; i < outputs.length; i++)
        move(y.byteOffset + 4 * i * width, x.byteOffset + 4 * outputs[i] * width, width, 1, 0, 0);
      return y;
    },
    embed: (op, c) => {
      const table = c.weights.matrix(op.table);
      const { tokens } = c.rows;
      const { width } = table;
      const y = c.make(tokens.length * width);
      for (let i = 0; i < tokens.length; i++) {
        const id = op.by === "token" ? tokens[i] : op.by === "first" ? 0 : c.first + i + op.offset;
        table.load(id, tokens.length === 1 ? y : y.subarray(i * width, (i + 1) * width));
      }
      return y;
    },
  };
}
