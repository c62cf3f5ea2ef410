/** What cache types and windows do to a model's logits on the GPU. */
import { describe, expect, it } from "vitest";
import type { CacheType } from "../../src/graph/settings.ts";
import type { SlotLayout } from "../../src/kernels/slot.ts";
import { nmse } from "../conformance/archs.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import {
  joined,
  logitsOf,
  openExecutor,
  openModel,
  type TestModel,
  type TestOptions,
} from "../plan/models.ts";

const sizes = (count: number, of: number): number[] => new Array<number>(count).fill(of);

async function run(
  model: TestModel,
  options: TestOptions,
  tokens: readonly number[],
  steps: readonly number[],
): Promise<{ logits: Float32Array; again: Float32Array; rings: number[]; bytes: number }> {
  const executor = await openExecutor(await openTestGpu(), model, options);
  try {
    const logits = joined(await logitsOf(executor, tokens, steps));
    // Takes the last 24 back and gives them again.
    const length = steps.reduce((a, b) => a + b, 0);
    expect(executor.rewind(0, length - 24)).toBe(length - 24);
    const again = joined(await logitsOf(executor, tokens.slice(length - 24), sizes(8, 3)));
    const kv = executor.model.slots.filter((slot): slot is SlotLayout => slot.kind === "kv");
    return { logits, again, rings: kv.map((s) => s.ring), bytes: executor.memory.cache };
  } finally {
    await executor.dispose();
  }
}

describe.skipIf(!gpuAvailable)("cache", () => {
  it("of few bits changes the logits a little", async () => {
    const model = await openModel("gpt-oss");
    const [tokens, steps] = [model.tokens, sizes(6, 8)];
    const exact = await run(model, { chunk: 8 }, tokens, steps);
    let bytes = exact.bytes;
    const bounds = { f16: 1e-6, q8_0: 1e-3, q4_0: 1e-1 };
    for (const [type, bound] of Object.entries(bounds) as [CacheType, number][]) {
      const options = { chunk: 8, cacheTypeK: type, cacheTypeV: type };
      const rounded = await run(model, options, tokens, steps);
      const error = nmse(rounded.logits, exact.logits);
      expect([type, error > 0, error <= bound, error]).toEqual([type, true, true, error]);
      expect(rounded.bytes).toBeLessThan(bytes);
      bytes = rounded.bytes;
    }
  });
  it("that keeps a window gives what a whole one gives", async () => {
    const contextLength = 256;
    const model = await openModel("gemma3", contextLength);
    const tokens = Array.from({ length: 208 }, (_, i) => model.tokens[(i * i) % 40]);
    const steps = sizes(26, 8);
    // A chunk as long as the context needs all rows of it.
    const whole = await run(model, { contextLength, chunk: 256 }, tokens, steps);
    const ring = await run(model, { contextLength, chunk: 8 }, tokens, steps);
    expect(Math.max(...whole.rings)).toBe(0);
    expect(Math.max(...ring.rings)).toBeGreaterThan(0);
    expect(Math.max(...ring.rings)).toBeLessThan(208);
    expect(ring.bytes).toBeLessThan(whole.bytes);
    expect(nmse(ring.logits, whole.logits)).toBeLessThanOrEqual(1e-12);
    expect(nmse(ring.again, whole.again)).toBeLessThanOrEqual(1e-12);
    const width = ring.logits.length / 208;
    expect(nmse(ring.again, ring.logits.subarray(184 * width))).toBeLessThanOrEqual(1e-10);
  });
});
