import { describe, expect, it } from "vitest";
import { argmax, type CpuExecutorHooks } from "../../src/cpu/executor.ts";
import { openCpu } from "../../src/cpu/open.ts";
import { Sequence } from "../../src/cpu/sequence.ts";
import type { Executor } from "../../src/graph/executor.ts";
import type { DeviceSampling } from "../../src/graph/requests.ts";
import { buildGraph } from "../../src/models/index.ts";
import { feed, nmse } from "../conformance/archs.ts";
import { archFile } from "../models/altered.ts";

const greedy: DeviceSampling = { temperature: 0, topK: 1, topP: 1, minP: 0, seed: 0 };

async function open(name: string, hooks: CpuExecutorHooks = {}): Promise<Executor> {
  const file = await archFile(name);
  const options = {
    contextLength: 256,
    maxSequences: 2,
    // Does not divide the rows between snapshots, at which chunks of recurrent models end all the same.
    chunk: 24,
    cacheTypeK: "f32",
    cacheTypeV: "f32",
  } as const;
  return (await openCpu()).create(buildGraph(file, options), file, options, hooks);
}

const tokens = Array.from({ length: 70 }, (_, i) => (i * 37) % 96);

describe("the CPU executor", () => {
  it("advances lengths at the call and refuses what does not fit", async () => {
    const executor = await open("llama");
    const step = executor.step([{ sequence: 0, input: [1, 2, 3], outputs: "none" }]);
    expect(executor.length(0)).toBe(3);
    expect(await step).toEqual([{ logits: undefined, tokens: undefined }]);
    for (const wrong of [96, -1, 0.5])
      await expect(
        executor.step([{ sequence: 1, input: [wrong], outputs: "last" }]),
      ).rejects.toMatchObject({ code: "input/invalid" });
    expect(executor.length(1)).toBe(0);
    await executor.dispose();
    await expect(
      executor.step([{ sequence: 0, input: [1], outputs: "none" }]),
    ).rejects.toMatchObject({ code: "session/disposed" });
  });

  it("feeds the tokens that it sampled", async () => {
    const executor = await open("qwen3");
    const drawn: number[] = [];
    const chosen: number[] = [];
    let [next] = await executor.step([
      { sequence: 0, input: [5, 6, 7], outputs: "last", sample: greedy, read: true },
    ]);
    for (let i = 0; i < 5; i++) {
      drawn.push(next.tokens[0]);
      chosen.push(argmax(next.rows));
      [next] = await executor.step([
        { sequence: 0, input: "sampled", outputs: "last", sample: greedy, read: true },
      ]);
    }
    expect(drawn).toEqual(chosen);
    const again = await feed(executor, 1, [5, 6, 7, ...drawn], 8);
    expect(argmax(again.subarray(6 * 96, 7 * 96))).toBe(drawn[4]);
    await executor.dispose();
  });

  it("leaves drawing by chance to its host, by position", async () => {
    const seen: number[] = [];
    const executor = await open("llama", {
      sampleRow: (logits, sampling, position, text) => {
        expect(logits.length).toBe(96);
        expect(sampling.temperature).toBe(1);
        expect(text.slice(0, position)).toEqual(tokens.slice(0, position));
        return seen.push(position);
      },
    });
    const sample = { ...greedy, temperature: 1 };
    const [result] = await executor.step([{ sequence: 1, input: tokens, outputs: "all", sample }]);
    expect(seen).toEqual(tokens.map((_, i) => i + 1));
    expect([...result.tokens]).toEqual(seen);
    await executor.dispose();
  });

  it.each(["llama", "lfm2", "mamba2"])(
    "goes back to where %s really is after an abort",
    async (name) => {
      const executor = await open(name);
      const whole = await feed(executor, 1, tokens, 70);
      await feed(executor, 0, tokens.slice(0, 40), 40);
      const controller = new AbortController();
      const reason = new Error("enough");
      const doomed = executor.step(
        [{ sequence: 0, input: [1, 2], outputs: "last" }],
        controller.signal,
      );
      controller.abort(reason);
      const behind = executor.step([{ sequence: 0, input: [3], outputs: "last" }]);
      behind.catch(() => {});
      await expect(doomed).rejects.toBe(reason);
      await expect(behind).rejects.toMatchObject({ code: "input/invalid" });
      const reached = executor.length(0);
      expect(reached).toBe(40);
      const rest = await feed(executor, 0, tokens.slice(reached), 9);
      expect(nmse(rest, whole.subarray(reached * 96))).toBeLessThan(1e-12);
      await executor.dispose();
    },
  );

  it("brings half-moved state back as it was copied", async () => {
    const graph = buildGraph(await archFile("lfm2"), { contextLength: 256 });
    const slot = graph.slots.findIndex(({ kind }) => kind === "state");
    const sequence = new Sequence(graph, "f32", "f32", 4096);
    const state = sequence.state(slot, 0, 2);
    sequence.begin();
    state[0] = 32;
    sequence.advance(32);
    const copy = sequence.saveState();
    expect(sequence.moving).toBe(false);
    sequence.begin();
    state[0] = 99;
    expect(sequence.moving).toBe(true);
    sequence.loadState(copy);
    sequence.recovered(32);
    expect([sequence.moving, sequence.computed, state[0]]).toEqual([false, 32, 32]);
    sequence.loadState(undefined);
    expect(state[0]).toBe(0);
  });

  it("rewinds recurrent state to a snapshot", async () => {
    const executor = await open("qwen35");
    const whole = await feed(executor, 0, tokens, 70);
    expect(executor.rewind(0, 69)).toBe(64);
    expect(executor.rewind(0, 40)).toBe(32);
    const rest = await feed(executor, 0, tokens.slice(32), 5);
    expect(nmse(rest, whole.subarray(32 * 96))).toBeLessThan(1e-12);
    expect(executor.rewind(0, 0)).toBe(0);
    expect(executor.memory.cache).toBe(0);
    await executor.dispose();
  });

  it("takes a model that attends both ways in one step only", async () => {
    const executor = await open("bert");
    await executor.step([{ sequence: 0, input: [1, 2, 3], outputs: "all", read: true }]);
    await expect(
      executor.step([{ sequence: 0, input: [4], outputs: "all" }]),
    ).rejects.toMatchObject({ code: "input/invalid" });
    await executor.dispose();
  });
});
