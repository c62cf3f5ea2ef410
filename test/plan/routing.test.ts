/** Routing of experts: what a layer costs with a real GPU's layout, and that the choice never leaves the GPU. */
import { describe, expect, it } from "vitest";
import { writeRandomModel } from "../../bench/models.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { StepRequest } from "../../src/graph/requests.ts";
import { buildGraph } from "../../src/models/index.ts";
import { countCalls } from "../counters.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { dispatchesByLayer } from "./dispatches.ts";
import { CONTEXT, openExecutor, openModel, type TestModel } from "./models.ts";

const greedy = { temperature: 0, topK: 1, topP: 1, minP: 0, seed: 0 };

/** Mixtral's layout: a Llama whose feed-forward is 8 experts, 2 of them used. */
async function llamaWithExperts(): Promise<TestModel> {
  const shape = {
    architecture: "llama",
    layers: 2,
    width: 64,
    heads: 4,
    kvHeads: 2,
    headWidth: 16,
    feedForward: 96,
    vocabulary: 320,
    tied: false,
    context: CONTEXT,
    ropeBase: 10000,
    epsilon: 1e-5,
    experts: { count: 8, used: 2 },
  } as const;
  const bytes = await writeRandomModel({ shape, type: "q8_0" });
  const file = await readGguf(bufferSource(bytes, "experts.gguf"));
  const tokens = Array.from({ length: 24 }, (_, i) => (7 * i) % 250);
  return { graph: buildGraph(file, { contextLength: CONTEXT }), file, tokens };
}

const models: [string, () => Promise<TestModel>][] = [
  ["llama with experts", llamaWithExperts],
  ["qwen3moe", () => openModel("qwen3moe")],
  ["gpt-oss", () => openModel("gpt-oss")],
];

describe.skipIf(!gpuAvailable).each(models)("%s", (_, open) => {
  it("takes at most 12 dispatches a layer to decode, 14 for a prompt, and reads nothing back for the choice", async () => {
    const gpu = await openTestGpu();
    const model = await open();
    const stepsInFlight = 4;
    const tuning = { splits: 16, fuseNorm: true };
    const executor = await openExecutor(gpu, model, { stepsInFlight, tuning });
    const [one, few, chunk] = executor.model.plans;
    for (const plan of [one, few])
      expect(Math.max(...dispatchesByLayer(plan).layers)).toBeLessThanOrEqual(12);
    expect(Math.max(...dispatchesByLayer(chunk).layers)).toBeLessThanOrEqual(14);

    const counter = countCalls(gpu.device);
    const prompt = { sequence: 0, input: model.tokens.slice(0, 20), outputs: "none" } as const;
    await executor.step([prompt]);
    expect(counter.counts().bytesRead).toBeLessThanOrEqual(16);
    counter.reset();
    const next: StepRequest = { sequence: 0, input: "sampled", outputs: "last", sample: greedy };
    await executor.step([{ ...next, input: [model.tokens[20]] }]);
    await Promise.all(Array.from({ length: stepsInFlight }, () => executor.step([next])));
    const { bytesRead } = counter.counts();
    counter.stop();
    expect(bytesRead).toBeLessThanOrEqual(16 * (stepsInFlight + 1));
    await executor.dispose();
  });
});
