/** Threads: the same bits for any number of them, and what they leave behind. */
import { describe, expect, it } from "vitest";
import { platform } from "#platform";
import { type ModelShape, writeRandomModel } from "../../../bench/models.ts";
import { bufferSource } from "../../../src/bytes/buffer.ts";
import { CpuExecutor } from "../../../src/cpu/executor.ts";
import { Pace } from "../../../src/cpu/pace.ts";
import { GraphRun } from "../../../src/cpu/run.ts";
import { wasmHome } from "../../../src/cpu/wasm/store.ts";
import { mostThreads } from "../../../src/cpu/wasm/threads/start.ts";
import { loadCpuWeights, planCpuWeights } from "../../../src/cpu/weights.ts";
import type { ModelFile } from "../../../src/file/types.ts";
import { readGguf } from "../../../src/gguf/read.ts";
import { buildGraph } from "../../../src/models/index.ts";

const shape: ModelShape = {
  architecture: "llama",
  layers: 1,
  width: 256,
  heads: 8,
  kvHeads: 2,
  headWidth: 64,
  feedForward: 1025 * 32,
  vocabulary: 4099,
  tied: true,
  context: 128,
  ropeBase: 10000,
  epsilon: 1e-5,
};

/** Logits of a prompt and of tokens one at a time, on helpers whatever they are worth. */
async function logits(
  file: ModelFile,
  threads: number,
  memoryBytes?: number,
): Promise<{ threads: number; all: Float32Array[] }> {
  const options = { contextLength: 128, threads } as const;
  const graph = buildGraph(file, options);
  const plan = planCpuWeights(graph, file);
  const home = await wasmHome(graph, plan, options, memoryBytes, 0);
  const weights = await loadCpuWeights(file, plan, home.store);
  const { threads: kept, trouble } = await home.settle();
  expect(trouble).toBe(undefined);
  const run = new GraphRun(graph, weights, home.ops, new Pace(), home.room);
  const executor = new CpuExecutor("", graph, run, options, {}, home.end);
  const all: Float32Array[] = [];
  const prompt = Array.from({ length: 70 }, (_, i) => (i * 37 + 11) % 290);
  for (const input of [prompt, [5], [6, 7], [8], [9]])
    all.push((await executor.step([{ sequence: 0, input, outputs: "last", read: true }]))[0].rows);
  await executor.dispose();
  return { threads: kept, all };
}

describe("threads", () => {
  it.each(["q8_0", "q4_k_m", "f16"])(
    "are as many as asked for, and compute the same bits: %s",
    async (type) => {
      const file = await readGguf(bufferSource(await writeRandomModel({ shape, type })));
      const one = await logits(file, 1);
      expect(one.threads).toBe(1);
      for (const threads of [2, 3, 4]) {
        const more = await logits(file, threads, threads === 3 ? 4 * 2 ** 20 : undefined);
        expect(more.threads).toBe(Math.min(threads, mostThreads()));
        expect(more.all, `${threads} threads`).toEqual(one.all);
      }
    },
  );

  it("can be had outside of pages", () => {
    expect(mostThreads() > 1).toBe(platform.runtime !== "browser");
  });
});
