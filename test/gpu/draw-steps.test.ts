/** Steps that draw: the same tokens whether the GPU draws in flight, one by one, or the host does. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { plainCpu } from "../../src/cpu/open.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { createGpuExecutor } from "../../src/gpu/open.ts";
import type { Executor } from "../../src/graph/executor.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { DeviceSampling } from "../../src/graph/requests.ts";
import { buildGraph } from "../../src/models/index.ts";
import { createRowSampler } from "../../src/sample/row.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";

const prompt = [1, 17, 3, 41, 8, 5, 29];
const sampling: DeviceSampling = { temperature: 3, topK: 40, topP: 0.99, minP: 0, seed: 3 };
const penalized: readonly DeviceSampling[] = [
  { ...sampling, penalties: { lastN: 64, repeat: 1.3, frequency: 0.1, presence: 0.2 } },
  {
    ...sampling,
    temperature: 0,
    topK: 0,
    penalties: { lastN: 5, repeat: 2, frequency: 1, presence: 1 },
  },
];
const options = { contextLength: 256, cacheTypeK: "f32", cacheTypeV: "f32" } as const;

describe.skipIf(!gpuAvailable)("steps that draw", () => {
  let file: ModelFile;
  let graph: Graph;
  let gpu: Executor;
  beforeAll(async () => {
    const path = "reference/archs/llama.gguf";
    file = await readGguf(bufferSource(await fixture(path), path));
    graph = buildGraph(file, options);
    const all = { ...options, maxSequences: 3 };
    gpu = await createGpuExecutor(graph, file, await openTestGpu(), all);
  });
  afterAll(() => gpu?.dispose());

  /** `count` tokens after the prompt, with all steps in flight. */
  async function draw(
    executor: Executor,
    sequence: number,
    count: number,
    sample: DeviceSampling = sampling,
  ): Promise<number[]> {
    executor.rewind(sequence, 0);
    const steps = Array.from({ length: count }, (_, i) => {
      const tokens = i === 0 ? prompt : ("sampled" as const);
      return executor.step([{ sequence, input: tokens, outputs: "last", sample }]);
    });
    return (await Promise.all(steps)).map(([result]) => result.tokens[0]);
  }

  it("give the host's tokens for the same logits", async () => {
    const host = createRowSampler(graph.vocabulary);
    gpu.rewind(0, 0);
    let tokens: readonly number[] | "sampled" = prompt;
    const drawn: number[] = [];
    const expected: number[] = [];
    for (let i = 0; i < 40; i++) {
      const request = {
        sequence: 0,
        input: tokens,
        outputs: "last",
        sample: sampling,
        read: true,
      } as const;
      const [result] = await gpu.step([request]);
      drawn.push(result.tokens[0]);
      expected.push(host(result.rows, sampling, prompt.length + i, []));
      tokens = "sampled";
    }
    expect(drawn).toEqual(expected);
    expect(new Set(drawn).size).toBeGreaterThan(10);
    expect(await draw(gpu, 2, 40)).toEqual(drawn);
    expect(await draw(gpu, 1, 40, { ...sampling, seed: 4 })).not.toEqual(drawn);
  });

  it("give the tokens of the CPU path", async () => {
    const sampleRow = createRowSampler(graph.vocabulary);
    const cpu = await plainCpu.create(graph, file, options, { sampleRow });
    expect(await draw(gpu, 0, 30)).toEqual(await draw(cpu, 0, 30));
    for (const how of penalized)
      expect(await draw(gpu, 1, 50, how)).toEqual(await draw(cpu, 0, 50, how));
    await cpu.dispose();
  });

  it("know their sequence's text, whoever gave it", async () => {
    const plain = await draw(gpu, 0, 40, { ...penalized[0], penalties: undefined });
    for (const how of penalized) {
      const drawn = await draw(gpu, 0, 40, how);
      expect(drawn).not.toEqual(plain);
      // One given at a time, after the text of another answer was taken back.
      gpu.rewind(0, prompt.length - 2);
      const given = [...prompt.slice(-2), ...drawn];
      const single: number[] = [];
      for (let i = 0; i < 20; i++) {
        const tokens = i === 0 ? given.slice(0, 2) : given.slice(i + 1, i + 2);
        const [result] = await gpu.step([
          { sequence: 0, input: tokens, outputs: "last", sample: how },
        ]);
        single.push(result.tokens[0]);
      }
      expect(single).toEqual(drawn.slice(0, 20));
      // All rows at once, as guesses are verified.
      gpu.rewind(0, prompt.length - 1);
      const tokens = [prompt.at(-1) as number, ...drawn.slice(0, 7)];
      const [verified] = await gpu.step([
        { sequence: 0, input: tokens, outputs: "all", sample: how },
      ]);
      expect([...verified.tokens]).toEqual(drawn.slice(0, 8));
    }
  });

  it("refuse to bring back logits that penalties changed", async () => {
    gpu.rewind(0, 0);
    const request = { sequence: 0, input: prompt, outputs: "last", read: true } as const;
    const step = gpu.step([{ ...request, sample: penalized[0] }]);
    await expect(step).rejects.toMatchObject({ code: "input/invalid" });
    expect(gpu.length(0)).toBe(0);
  });

  it("draw for sequences in one step as for each alone, greedy ones among them", async () => {
    const how = [sampling, { ...sampling, temperature: 0, topK: 0 }, { ...sampling, seed: 9 }];
    const alone: number[][] = [];
    for (const one of how) alone.push(await draw(gpu, 0, 20, one));
    for (const sequence of how.keys()) gpu.rewind(sequence, 0);
    const together: number[][] = how.map(() => []);
    for (let i = 0; i < 20; i++) {
      const tokens = i === 0 ? prompt : ("sampled" as const);
      const results = await gpu.step(
        how.map((sample, sequence) => ({ sequence, input: tokens, outputs: "last", sample })),
      );
      results.forEach((result, r) => together[r].push(result.tokens[0]));
    }
    expect(together).toEqual(alone);
  });

  it("refuse more candidates than the GPU draws among", async () => {
    gpu.rewind(0, 0);
    for (const topK of [0, 129]) {
      const step = gpu.step([
        { sequence: 0, input: prompt, outputs: "last", sample: { ...sampling, topK } },
      ]);
      await expect(step).rejects.toMatchObject({ code: "input/invalid" });
    }
    expect(gpu.length(0)).toBe(0);
  });
});
