/** Attention that turns its queries and stores its key and value gives the bits of the two dispatches that do it apart. */
import { describe, expect, it } from "vitest";
import { type ModelShape, writeRandomModel } from "../../bench/models.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { CacheType } from "../../src/graph/settings.ts";
import { buildGraph } from "../../src/models/index.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import {
  CONTEXT,
  joined,
  logitsOf,
  openExecutor,
  openModel,
  type TestModel,
} from "../plan/models.ts";

const types: readonly (readonly [CacheType, CacheType])[] = [
  ["f32", "f32"],
  ["f16", "f16"],
  ["q8_0", "q4_0"],
];

/** As many heads to a key head, of the width, that large models have. */
async function openWide(): Promise<TestModel> {
  const shape: ModelShape = {
    ...{ architecture: "llama", layers: 1, width: 64, feedForward: 64, vocabulary: 320 },
    ...{ heads: 8, kvHeads: 1, headWidth: 128, tied: true },
    ...{ context: CONTEXT, ropeBase: 10000, epsilon: 1e-5 },
  };
  const bytes = await writeRandomModel({ shape, type: "q8_0" });
  const file = await readGguf(bufferSource(bytes, "wide.gguf"));
  const tokens = Array.from({ length: 48 }, (_, i) => (37 * i + 11) % shape.vocabulary);
  return { graph: buildGraph(file, { contextLength: CONTEXT }), file, tokens };
}

describe.skipIf(!gpuAvailable)("attention with its store", () => {
  // Norm and half turns; pairs turned; windows with norms; biases; all the workgroup memory there is.
  it.each(["qwen3", "llama", "gemma3", "llama-all-bias", "8 heads of width 128"])(
    "gives the same bits: %s",
    async (name) => {
      const wide = name.startsWith("8");
      const model = wide ? await openWide() : await openModel(name);
      for (const [cacheTypeK, cacheTypeV] of types)
        for (const splits of [1, 4]) {
          const runs: Float32Array[] = [];
          for (const fuseStore of [true, false]) {
            const executor = await openExecutor(await openTestGpu(), model, {
              cacheTypeK,
              cacheTypeV,
              // One position a thread as on GPUs leaves room for more heads.
              tuning: { splits, fuseStore, ...(wide && { positions: 1 }) },
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
