/** Gemma 3 multiplies the embeddings of tokens and not given rows, which stand behind that factor. */
import { describe, expect, it } from "vitest";
import { plainCpu } from "../../src/cpu/open.ts";
import type { Executor } from "../../src/graph/executor.ts";
import { nmse } from "../conformance/archs.ts";
import { embeddingsOf } from "../executor/embeddings.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { openExecutor, openModel, optionsOf } from "../plan/models.ts";

const TEXT = [5, 2, 9, 3, 11, 7, 4];
const model = await openModel("gemma3");
const factor = Math.sqrt(model.graph.width);
const looked = await embeddingsOf(model.file)(TEXT.slice(3, 5));

/** The logits behind TEXT, of which tokens 3 and 4 are `rows`. */
async function logitsWith(executor: Executor, rows: Float32Array): Promise<Float32Array> {
  executor.rewind(0, 0);
  const results = await executor.step([
    { sequence: 0, input: TEXT.slice(0, 3), outputs: "none" },
    { sequence: 0, input: { rows }, outputs: "none" },
    { sequence: 0, input: TEXT.slice(5), outputs: "last", read: true },
  ]);
  return results[2].rows!;
}

async function check(executor: Executor, tolerance: number): Promise<void> {
  const ask = { sequence: 0, input: TEXT, outputs: "last", read: true } as const;
  const [{ rows: tokens }] = await executor.step([ask]);
  const scaled = looked.map((x) => x * factor);
  expect(nmse(await logitsWith(executor, scaled), tokens)).toBeLessThanOrEqual(tolerance);
  expect(nmse(await logitsWith(executor, looked), tokens)).toBeGreaterThan(1e-4);
  await executor.dispose();
}

describe("given rows are not scaled", () => {
  it("by the CPU executor", async () =>
    check(await plainCpu.create(model.graph, model.file, optionsOf()), 0));

  it.skipIf(!gpuAvailable)("by the GPU executor", async () =>
    check(await openExecutor(await openTestGpu(), model, { chunk: 8 }), 1e-11),
  );
});
