/** Logits 2,000 to 4,000 tokens into a text: full attention, a sliding window, YaRN. */
import { beforeAll, describe, expect, it } from "vitest";
import { plainCpu } from "../../src/cpu/open.ts";
import type { Executor } from "../../src/graph/executor.ts";
import { nmse } from "../conformance/archs.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { LONG_CONTEXT, longModel, type Special } from "../plan/long-models.ts";
import { joined, openExecutor, type TestModel } from "../plan/models.ts";

/** Tokens of each step: chunks, a few rows and single ones; every step's last row is compared. */
const steps = [2000, 1, 7, 120, 1, 383, 488, 1, 5, 300, 1, 257, 429, 1, 6];

/** The last logits of each step, [steps][vocabulary]. */
async function logitsFar(executor: Executor, tokens: readonly number[]): Promise<Float32Array> {
  const rows: Float32Array[] = [];
  let at = 0;
  for (const count of steps) {
    const part = tokens.slice(at, at + count);
    const [result] = await executor.step([
      { sequence: 0, input: part, outputs: "last", read: true },
    ]);
    rows.push(result.rows);
    at += count;
  }
  await executor.dispose();
  return joined(rows);
}

async function onCpu({ graph, file, tokens }: TestModel): Promise<Float32Array> {
  const options = { contextLength: LONG_CONTEXT, cacheTypeK: "f32", cacheTypeV: "f32" } as const;
  return logitsFar(await plainCpu.create(graph, file, options), tokens);
}

async function onGpu(model: TestModel, type: "f32" | "f16"): Promise<Float32Array> {
  const options = { contextLength: LONG_CONTEXT, cacheTypeK: type, cacheTypeV: type, chunk: 64 };
  return logitsFar(await openExecutor(await openTestGpu(), model, options), model.tokens);
}

const yarn: Special = {
  "rope.scaling.type": "yarn",
  "rope.scaling.factor": 8,
  "rope.scaling.original_context_length": 512,
};
/** A sliding layer and a full one. */
const turns: Special = { "attention.sliding_window_pattern": 2, "attention.sliding_window": 600 };

describe.skipIf(!gpuAvailable).each<[string, "llama" | "gemma3", number, Special]>([
  ["full attention", "llama", 1, {}],
  ["yarn", "llama", 1, yarn],
  ["a sliding window", "gemma3", 2, turns],
])("%s", (_, architecture, layers, special) => {
  let model: TestModel;
  let expected: Float32Array;

  beforeAll(async () => {
    model = await longModel(architecture, layers, special);
    expected = await onCpu(model);
  });

  it("matters at these positions", async () => {
    if (Object.keys(special).length === 0) return;
    const plain = await onCpu(await longModel(architecture, layers, {}));
    expect(nmse(plain, expected)).toBeGreaterThan(1e-2);
  });

  it("gives the CPU path's logits with an f32 cache", async () => {
    expect(nmse(await onGpu(model, "f32"), expected)).toBeLessThanOrEqual(1e-6);
  });

  it("gives the CPU path's logits with an f16 cache", async () => {
    expect(nmse(await onGpu(model, "f16"), expected)).toBeLessThanOrEqual(1e-4);
  });
});
