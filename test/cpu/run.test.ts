/** The loop over a graph's ops, with ops that take notes instead of computing. */
import { describe, expect, it } from "vitest";
import type { CpuOps } from "../../src/cpu/ops/context.ts";
import { plainOps } from "../../src/cpu/ops/index.ts";
import { Pace } from "../../src/cpu/pace.ts";
import { GraphRun } from "../../src/cpu/run.ts";
import { Sequence } from "../../src/cpu/sequence.ts";
import { loadCpuWeights, plainStore, planCpuWeights } from "../../src/cpu/weights.ts";
import { randomGraph } from "../plan/graphs.ts";

async function run(
  seed: number,
  ops: CpuOps,
  outputs: number[],
): Promise<Float32Array | undefined> {
  const { graph, file } = randomGraph(seed, 14);
  const plan = planCpuWeights(graph, file);
  const weights = await loadCpuWeights(file, plan, plainStore(plan));
  const runner = new GraphRun(graph, weights, ops, new Pace());
  const sequence = new Sequence(graph, "f32", "f32", 4096);
  return runner.rows({ sequence, tokens: [3, 1, 4], outputs });
}

describe("a run of a graph", () => {
  it("asks the table for every op once, and works with another one", async () => {
    const { graph } = randomGraph(5, 14);
    const asked: string[] = [];
    const noting = Object.fromEntries(
      Object.entries(plainOps).map(([name, op]) => [
        name,
        (...rest: [never, never]) => {
          asked.push(name);
          return op(...rest);
        },
      ]),
    ) as unknown as CpuOps;
    const expected = await run(5, plainOps, [0, 2]);
    expect(await run(5, noting, [0, 2])).toEqual(expected);
    expect(asked).toEqual(graph.ops.map((op) => op.op));
    expect(expected?.length).toBe(2 * graph.widths[graph.output]);
  });

  it("stops in front of the ops of wanted rows where no output is wanted", async () => {
    const { graph } = randomGraph(5, 14);
    const first = graph.selected.indexOf(true);
    let count = 0;
    const counting = Object.fromEntries(
      Object.entries(plainOps).map(([name, op]) => [
        name,
        (...rest: [never, never]) => {
          count++;
          return op(...rest);
        },
      ]),
    ) as unknown as CpuOps;
    expect(await run(5, counting, [])).toBeUndefined();
    expect(count).toBe(first);
  });

  it("keeps every value until its last reader, in graphs of any form", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const output = await run(seed, plainOps, [1]);
      expect(output?.every(Number.isFinite), `seed ${seed}`).toBe(true);
    }
  });
});
