/** What a plan costs: dispatches, pipelines, memory, and what decoding asks of WebGPU, counted from outside. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../../mod.ts";
import type { StepResult } from "../../src/graph/executor.ts";
import type { GpuExecutor } from "../../src/plan/executor.ts";
import { dispatchesByLayer } from "../../src/plan/explain.ts";
import { countCalls } from "../counters.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { openExecutor, openModel } from "./models.ts";

const GREEDY = { temperature: 0, topK: 1, topP: 1, minP: 0, seed: 0 };
const K = 4;

describe.skipIf(!gpuAvailable).each(["llama", "qwen3"])("%s", (name) => {
  let executor: GpuExecutor;
  let tokens: readonly number[];

  beforeAll(async () => {
    const model = await openModel(name);
    tokens = model.tokens;
    // The layout of a real GPU: dispatches are counted as users of one would see them.
    const tuning = { splits: 16, fuseNorm: true };
    executor = await openExecutor(await openTestGpu(), model, { stepsInFlight: K, tuning });
  });
  afterAll(() => executor.dispose());

  /** Starts `count` greedy steps without waiting for any, as session/step.ts does. */
  const burst = (count: number): Promise<StepResult[][]> =>
    Promise.all(
      Array.from({ length: count }, () => {
        executor.reserve(0, 1);
        return executor.step([{ sequence: 0, tokens: "sampled", outputs: "last", sample: GREEDY }]);
      }),
    );

  it("decodes with at most 8 dispatches a layer and 6 besides", () => {
    const { layers, outside } = dispatchesByLayer(executor.model.plans[0]);
    expect(Math.max(...layers)).toBeLessThanOrEqual(8);
    expect(outside).toBeLessThanOrEqual(6);
  });

  it("asks nothing of WebGPU for a greedy token but its share of a submit, a write and a read", async () => {
    const gpu = await openTestGpu();
    await executor.step([
      { sequence: 0, tokens: tokens.slice(0, 12), outputs: "last", sample: GREEDY },
    ]);
    await burst(K);
    const counter = countCalls(gpu.device);
    const groups = 5;
    for (let group = 0; group < groups; group++) await burst(K);
    const counts = counter.counts();
    counter.stop();
    const { layers, outside } = dispatchesByLayer(executor.model.plans[0]);
    const dispatches = layers.reduce((sum, n) => sum + n, outside);
    expect(counts).toEqual({
      dispatches: groups * K * dispatches,
      submits: groups,
      createBuffer: 0,
      createBindGroup: 0,
      createPipeline: 0,
      writeBuffer: expect.any(Number),
      bytesRead: expect.any(Number),
    });
    expect(counts.writeBuffer).toBeLessThanOrEqual(groups * K);
    expect(counts.bytesRead).toBeLessThanOrEqual(16 * groups * K);
  });

  it("has at most 40 pipelines", () => {
    expect(executor.pipelineCount).toBeLessThanOrEqual(40);
    expect(executor.pipelineCount).toBeGreaterThan(5);
  });

  it("holds what its plan says, to the byte", () => {
    const labels = executor.buffers.byLabel();
    const staging = labels.get("staging") ?? 0;
    const tables = labels.get("tables") ?? 0;
    const { weights, cache, arena } = executor.memory;
    expect(labels.get("weights")).toBe(weights);
    expect(weights + cache + arena).toBe(executor.buffers.bytes - staging - tables);
  });
});

describe.skipIf(!gpuAvailable)("a session", () => {
  it("decodes greedily within the same bounds", async () => {
    const bytes = await fixture("../../models/webgguf-tale-q8_0.gguf");
    const model = await loadModel(bytes, { device: "gpu", contextLength: 256, stepsInFlight: K });
    const gpu = await openTestGpu();
    const session = model.session();
    const counter = countCalls(gpu.device);
    try {
      const generate = async (count: number): Promise<void> => {
        for await (const piece of session.generate("Once upon a time", {
          temperature: 0,
          maxTokens: count,
        }))
          expect(piece.token).toBeGreaterThanOrEqual(0);
      };
      await generate(9);
      counter.reset();
      await generate(9);
      const short = counter.counts();
      counter.reset();
      await generate(41);
      const long = counter.counts();
      // 32 tokens more, after the first ones.
      expect(long.createBuffer).toBe(short.createBuffer);
      expect(long.createBindGroup).toBe(short.createBindGroup);
      expect(long.createPipeline).toBe(0);
      expect(long.writeBuffer - short.writeBuffer).toBeLessThanOrEqual(32);
      expect(long.bytesRead - short.bytesRead).toBeLessThanOrEqual(16 * 32);
      expect(long.submits - short.submits).toBeLessThanOrEqual(32 / K);
    } finally {
      counter.stop();
      await session.dispose();
      await model.dispose();
    }
  });
});
