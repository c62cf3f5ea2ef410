/** Attention that turns its queries and stores its key and value gives the bits of the two dispatches that do it apart. */
import { describe, expect, it } from "vitest";
import type { CacheTypeName } from "../../src/kernels/slot.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { joined, logitsOf, openExecutor, openModel } from "./models.ts";

const types: readonly (readonly [CacheTypeName, CacheTypeName])[] = [
  ["f32", "f32"],
  ["f16", "f16"],
  ["q8_0", "q4_0"],
];

describe.skipIf(!gpuAvailable)("attention with its store", () => {
  // Norm and half turns; pairs turned; windows with norms; biases.
  it.each(["qwen3", "llama", "gemma3", "llama-all-bias"])(
    "gives the same bits: %s",
    async (name) => {
      const model = await openModel(name);
      for (const [cacheTypeK, cacheTypeV] of types)
        for (const splits of [1, 4]) {
          const runs: Float32Array[] = [];
          for (const fuseStore of [true, false]) {
            const executor = await openExecutor(await openTestGpu(), model, {
              cacheTypeK,
              cacheTypeV,
              tuning: { splits, fuseStore },
            });
            const [plan] = executor.model.plans;
            expect(plan.calls.some((call) => call.kernel === "ropeStore")).toBe(!fuseStore);
            // In steps of one row, across the borders of a page and of the splits; then rows that read what those stored.
            const sizes = [20, ...new Array<number>(16).fill(1), 4];
            runs.push(joined(await logitsOf(executor, model.tokens, sizes)));
            await executor.dispose();
          }
          const [fused, apart] = runs.map((logits) => new Uint32Array(logits.buffer));
          expect(fused.length).toBeGreaterThan(0);
          expect(fused.findIndex((bits, i) => bits !== apart[i])).toBe(-1);
        }
    },
  );
});
