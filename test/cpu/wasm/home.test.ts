/** A model's home in WebAssembly memory: what stands where, what a sequence finds there, and what a step leaves. */
import { describe, expect, it } from "vitest";
import { openCpu } from "../../../src/cpu/open.ts";
import { placeValues } from "../../../src/cpu/wasm/layout.ts";
import { inputsOf } from "../../../src/graph/ops.ts";
import { randomGraph, Sketch } from "../../plan/graphs.ts";

describe("places of values", () => {
  it("are nobody else's from a value's op to its last reader, in graphs of any form", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { graph } = randomGraph(seed, 8 + (seed % 25));
      const rows = 1 + (seed % 9);
      const [places, bytes] = placeValues(graph, rows);
      const last = graph.ops.map((_, i) => i);
      graph.ops.forEach((op, i) => {
        for (const ref of inputsOf(op)) last[ref] = i;
      });
      last[graph.output] = graph.ops.length;
      let most = 0;
      graph.widths.forEach((width, b) => {
        const end = places[b] + 4 * width * rows;
        most = Math.max(most, end);
        expect(places[b] % 64).toBe(0);
        for (let a = 0; a < b; a++) {
          if (last[a] < b) continue;
          const apart = places[a] + 4 * graph.widths[a] * rows <= places[b] || end <= places[a];
          expect(apart, `seed ${seed}: ${a} and ${b}`).toBe(true);
        }
      });
      expect(most).toBeLessThanOrEqual(bytes);
      // Less than all values beside each other, or nothing is ever used again.
      const all = graph.widths.reduce((sum, width) => sum + 4 * width * rows, 0);
      expect(bytes).toBeLessThan(all + 64 * graph.ops.length);
    }
  });
});

describe("a sequence", () => {
  it("begins with empty state where another one was, and does not touch its neighbours", async () => {
    const sketch = new Sketch(3);
    const x = sketch.embed(16);
    sketch.slots.push({ kind: "state", layer: 0, size: 16 });
    sketch.select(sketch.add({ op: "shift", x, slot: 0, slotOffset: 0 }, 16, false));
    const { graph, file } = sketch.model();
    const device = await openCpu();
    const executor = await device.create(graph, file, { contextLength: 64, maxSequences: 3 });
    const run = async (sequence: number, input: number[]): Promise<Float32Array> => {
      const [{ rows }] = await executor.step([{ sequence, input, outputs: "all", read: true }]);
      return rows;
    };
    const fresh = await run(1, [3, 4]);
    expect(fresh.subarray(0, 16)).toEqual(new Float32Array(16));
    const other = await run(2, [5]);
    expect(await run(1, [6])).not.toEqual(new Float32Array(16));
    executor.rewind(1, 0);
    expect(await run(1, [3, 4])).toEqual(fresh);
    expect(other).toEqual(new Float32Array(16));
    expect((await run(2, [7])).some((value) => value !== 0)).toBe(true);
    await executor.dispose();
  });
});

it("what was promised to be held is what is held", async () => {
  const { graph, file } = randomGraph(7, 14);
  const options = { contextLength: 64, maxSequences: 2 };
  const device = await openCpu();
  const promised = device.memory(graph, file, options);
  const executor = await device.create(graph, file, options);
  for (const sequence of [0, 1]) await executor.step([{ sequence, input: [1], outputs: "none" }]);
  expect(executor.memory).toEqual(promised);
  await executor.dispose();
});
