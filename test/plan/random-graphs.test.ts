/** Plans of random graphs: what is bound, and that the results are the CPU path's whatever the arena held. */
import { describe, expect, it } from "vitest";
import { plainCpu } from "../../src/cpu/open.ts";
import { createGpuExecutor } from "../../src/gpu/open.ts";
import { planFor } from "../../src/plan/model-plan.ts";
import { checkCalls, type Plan } from "../../src/plan/plan.ts";
import type { Gpu } from "../../src/platform/types.ts";
import { nmse } from "../conformance/archs.ts";
import { poisonArena, watchBuffers } from "../gpu/watch.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { randomGraph, VOCABULARY } from "./graphs.ts";
import { everyClass, joined, logitsOf, optionsOf } from "./models.ts";

const capabilities = {
  name: "test",
  ...{ vendor: "", architecture: "" },
  software: true,
  limits: { maxBufferSize: 1 << 28, maxStorageBufferBindingSize: 1 << 27 },
} as unknown as Gpu["capabilities"];

/** Arena buffers that a call reads although no call before it wrote them. */
function readTooEarly(plan: Plan): string[] {
  const written = new Set<string>();
  return plan.calls.flatMap((call) => {
    const early = call.bindings.filter(
      (b) => b.access === "read" && b.buffer.startsWith("arena:") && !written.has(b.buffer),
    );
    for (const b of call.bindings) if (b.access === "write") written.add(b.buffer);
    return early.map((b) => `${call.label} reads ${b.buffer}`);
  });
}

describe("plans of random graphs", () => {
  it("bind nothing twice where it is written, and read what was written", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const { graph, file } = randomGraph(seed, 10 + (seed % 15));
      const { plans } = planFor(graph, file, { capabilities }, optionsOf({ contextLength: 64 }));
      for (const plan of plans) {
        checkCalls(plan.calls);
        expect(readTooEarly(plan)).toEqual([]);
        expect(plan.arena.length).toBeLessThanOrEqual(6);
      }
    }
  });
});

describe.skipIf(!gpuAvailable)("results of random graphs", () => {
  // 127, 149 and 185 choose a value that is read again, or twice.
  it.each([1, 2, 3, 4, 127, 149, 185])("are the CPU path's, graph %i", async (seed) => {
    const { graph, file } = randomGraph(seed, 8 + (seed % 20));
    const gpu = await openTestGpu();
    const watch = watchBuffers(gpu.device);
    const options = optionsOf({ contextLength: 64 });
    const executor = await createGpuExecutor(graph, file, gpu, options);
    const oracle = await plainCpu.create(graph, file, {
      contextLength: 64,
      cacheTypeK: "f32",
      cacheTypeV: "f32",
    });
    try {
      const count = everyClass.reduce((a, b) => a + b, 0);
      const tokens = Array.from({ length: count }, (_, i) => (7 * i * i + seed) % VOCABULARY);
      const expected = await logitsOf(oracle, tokens, [count]);
      let at = 0;
      for (const size of everyClass) {
        poisonArena(gpu.device, watch);
        const part = await logitsOf(executor, tokens.slice(at, at + size), [size]);
        const wanted = expected[0].subarray(at * VOCABULARY, (at + size) * VOCABULARY);
        expect(nmse(joined(part), wanted)).toBeLessThan(1e-9);
        at += size;
      }
    } finally {
      watch.stop();
      await executor.dispose();
      await oracle.dispose();
    }
  });
});
