/** What a plan costs: dispatches, pipelines, memory, and what decoding asks of WebGPU, counted from outside. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ModelShape, shapes, writeRandomModel } from "../../bench/models.ts";
import { loadModel } from "../../mod.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GpuExecutor } from "../../src/gpu/executor.ts";
import type { DeviceSampling, StepResult } from "../../src/graph/requests.ts";
import { GREEDY } from "../../src/graph/requests.ts";
import { buildGraph } from "../../src/models/index.ts";
import { decodeTraffic } from "../../src/plan/traffic.ts";
import { countCalls } from "../counters.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { dispatchesByLayer } from "../plan/dispatches.ts";
import { CONTEXT, openExecutor, openModel, type TestModel } from "../plan/models.ts";

const K = 4;

/** A mixture of experts in Q4_K_M, whose layers differ in the types of their matrices. */
async function mixture(): Promise<TestModel> {
  const shape: ModelShape = {
    ...(shapes["moe-small"] as ModelShape),
    ...{ layers: 8, width: 256, heads: 4, kvHeads: 2, headWidth: 64, feedForward: 256 },
    ...{ vocabulary: 320, experts: { count: 8, used: 2 } },
  };
  const bytes = await writeRandomModel({ shape, type: "q4_k_m" });
  const file = await readGguf(bufferSource(bytes, "mixture.gguf"));
  const tokens = Array.from({ length: 40 }, (_, i) => (7 * i) % 320);
  return { graph: buildGraph(file, { contextLength: CONTEXT }), file, tokens };
}

/** What a token may ask for once, whoever samples it. */
const PENALIZED: DeviceSampling = {
  ...{ temperature: 1, topK: 40, topP: 0.9, minP: 0.1, seed: 1 },
  penalties: { lastN: 64, repeat: 1.1, frequency: 0.1, presence: 0.1 },
};

describe.skipIf(!gpuAvailable).each([
  ["llama", 8, 6],
  ["qwen3", 8, 6],
  ["gemma3", 8, 6],
  // Layers whose matrices differ in type take one more.
  ["a mixture of experts in Q4_K_M", 12, 6],
])("%s", (name, most, mostOutside) => {
  let executor: GpuExecutor;
  let model: TestModel;
  let tokens: readonly number[];

  beforeAll(async () => {
    model = name.startsWith("a mixture") ? await mixture() : await openModel(name);
    tokens = model.tokens;
    // The layout of a real GPU: dispatches are counted as users of one would see them.
    const tuning = { splits: 16, fuseNorm: true };
    executor = await openExecutor(await openTestGpu(), model, { stepsInFlight: K, tuning });
  });
  afterAll(() => executor.dispose());

  /** Starts `count` steps without waiting for any, as session/step.ts does. */
  const burst = (count: number, sample: DeviceSampling): Promise<StepResult[][]> =>
    Promise.all(
      Array.from({ length: count }, () =>
        executor.step([{ sequence: 0, input: "sampled", outputs: "last", sample }]),
      ),
    );

  it(`decodes with at most ${most} dispatches a layer and ${mostOutside} besides`, () => {
    const { layers, outside } = dispatchesByLayer(executor.model.plans[0]);
    expect(Math.max(...layers)).toBeLessThanOrEqual(most);
    expect(outside).toBeLessThanOrEqual(mostOutside);
  });

  it("reads hardly more than its weights and its cache", () => {
    for (const positions of [1, CONTEXT]) {
      const { planned, weights, cache } = decodeTraffic(
        model.graph,
        model.file,
        executor.model,
        positions,
      );
      expect(planned / (weights + cache)).toBeLessThanOrEqual(1.03);
      expect(planned / (weights + cache)).toBeGreaterThan(0.99);
    }
  });

  it.each([
    ["greedy", GREEDY],
    ["penalized and drawn", PENALIZED],
  ])(
    "asks nothing of WebGPU for a %s token but its share of a submit, a write and a read",
    async (_, sample) => {
      const gpu = await openTestGpu();
      executor.rewind(0, 0);
      await executor.step([{ sequence: 0, input: tokens.slice(0, 12), outputs: "last", sample }]);
      await burst(K, sample);
      const counter = countCalls(gpu.device);
      const groups = 5;
      for (let group = 0; group < groups; group++) await burst(K, sample);
      const counts = counter.counts();
      counter.stop();
      const [plan] = executor.model.plans;
      const dispatches =
        sample === GREEDY ? plan.calls.length : plan.outputLength + plan.sampling.length;
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
    },
  );

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
