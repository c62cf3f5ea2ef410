/** A prompt's chunk is cut into submits so that none holds the device for long, and nothing else changes. */
import { describe, expect, it } from "vitest";
import { Slices } from "../../src/gpu/slices.ts";
import { countCalls } from "../counters.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import { openExecutor, openModel } from "../plan/models.ts";

describe("slices", () => {
  /** Counts of chunks one after the other, each `seconds` of work. */
  const counts = (seconds: readonly number[]): number[] => {
    const slices = new Slices();
    let now = 0;
    return seconds.map((time) => {
      const { count } = slices;
      const started = now;
      now += 1000 * time;
      slices.done(count, started, now);
      return count;
    });
  };

  it("become fewer step by step on a fast device, and as many as needed at once on a slow one", () => {
    expect(counts([0.01, 0.01, 0.01, 0.01, 0.01])).toEqual([8, 4, 2, 1, 1]);
    expect(counts([3, 3, 1.5, 1.5, 0.05, 0.05])).toEqual([8, 30, 30, 15, 15, 7]);
  });
  it("keep a submit below 200 ms once the device is known", () => {
    for (const seconds of [0.05, 0.3, 2, 20]) {
      const last = counts(new Array(8).fill(seconds)).at(-1)!;
      expect(seconds / last).toBeLessThan(0.2);
    }
  });
  it("do not count the time that a chunk waited for the one before", () => {
    const slices = new Slices();
    slices.done(8, 0, 1000);
    expect(slices.count).toBe(10);
    slices.done(10, 10, 1100); // handed over at 10 ms, begun when the first was done
    expect(slices.count).toBe(5);
  });
});

describe.skipIf(!gpuAvailable)("a prompt", () => {
  it("gives the same bits in 8 submits as in fewer", async () => {
    const gpu = await openTestGpu();
    const model = await openModel("llama");
    const executor = await openExecutor(gpu, model, {});
    const tokens = Array.from({ length: 60 }, (_, i) => model.tokens[i % model.tokens.length]);
    const submits: number[] = [];
    const outputs: Uint32Array[] = [];
    for (let run = 0; run < 4; run++) {
      executor.rewind(0, 0);
      const counter = countCalls(gpu.device);
      const [{ rows }] = await executor.step([
        { sequence: 0, input: tokens, outputs: "last", read: true },
      ]);
      submits.push(counter.counts().submits);
      counter.stop();
      outputs.push(new Uint32Array(rows.slice().buffer));
      await gpu.device.queue.onSubmittedWorkDone();
    }
    expect(submits[0]).toBeGreaterThan(4);
    for (const bits of outputs) expect(bits).toEqual(outputs[0]);
    await executor.dispose();
  });
});
