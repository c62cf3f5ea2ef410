/** What a benchmark does and how it counts, on an executor and a device that are made up. */
import { describe, expect, it } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import type { DeviceInstruments, Instruments, TimedCall } from "../../src/graph/instruments.ts";
import { rowsOf } from "../../src/graph/requests.ts";
import { BenchRun } from "../../src/tools/bench-run.ts";
import type { BenchmarkOptions } from "../../src/tools/bench-types.ts";
import { FAKE_VOCABULARY, FakeExecutor } from "../session/fake-executor.ts";

const graph = (outputKind: Graph["outputKind"] = "logits"): Graph =>
  ({ vocabulary: FAKE_VOCABULARY, outputKind }) as Graph;

/** Notes the depths that are filled in, and profiles two kernels. */
class Measured extends FakeExecutor {
  readonly filled: number[] = [];
  readonly profiled: number[] = [];
  readonly instruments: Instruments = {
    fill: async (_, count) => void this.filled.push(count),
    memory: () => ({}),
    plan: {
      pipelines: 2,
      traffic: (positions) => ({ planned: 100 * positions, weights: 40, cache: 10 }),
      profile: async (_, steps): Promise<TimedCall[]> => {
        this.profiled.push(steps);
        const call = { layer: 0, op: "q", kernel: "matvec", variant: "f32", bytes: 8 };
        return [
          { ...call, step: 0, nanoseconds: 1500 },
          { ...call, step: 1, nanoseconds: 500 },
        ];
      },
    },
  };
}

const device: DeviceInstruments = {
  capabilities: { name: "fake", timestamps: true } as DeviceInstruments["capabilities"],
  copyBandwidth: async () => 1,
  async countCalls(work) {
    await work();
    return {
      dispatches: 40,
      submits: 2,
      createBuffer: 0,
      createBindGroup: 4,
      writeBuffer: 8,
      bytesRead: 16,
    };
  },
  async timeSubmits(work) {
    await work();
    return [0.1, 0.3, 0.2];
  },
};

const runOf = (executor: FakeExecutor, options: BenchmarkOptions = {}): BenchRun =>
  new BenchRun(executor, graph(), device, { repetitions: 3, ...options });
const answer = { name: "tg4", kind: "generate", tokens: 4, depth: 7 } as const;
const prompt = { name: "pp3", kind: "prompt", tokens: 3, depth: 0 } as const;

describe("the runs of a benchmark", () => {
  it("take turns, and the first of each test does not count", async () => {
    const executor = new Measured({ stepsInFlight: 2 });
    const names: string[] = [];
    const onTest = (name: string, done: number, total: number): void =>
      void names.push(`${name} ${done}/${total}`);
    const times = await runOf(executor, { onTest }).times([prompt, answer]);
    expect(times.map((one) => one.length)).toEqual([3, 3]);
    expect(names).toEqual(
      Array.from({ length: 8 }, (_, i) => `${i % 2 === 0 ? "pp3" : "tg4"} ${i}/8`),
    );
    // Each answer starts at its depth; each prompt at nothing.
    expect(executor.filled).toEqual([7, 7, 7, 7]);
    const rows = executor.steps.map(([request]) => rowsOf(request, 0));
    expect(rows).toEqual(Array.from({ length: 4 }, () => [3, 1, 1, 1, 1]).flat());
    expect(executor.length(0)).toBe(4);
  });

  it("prompt with tokens of the vocabulary, and sample one at the end", async () => {
    const executor = new Measured();
    await runOf(executor).times([{ ...prompt, tokens: 50 }]);
    for (const [request] of executor.steps) {
      const tokens = Array.from(request.input as ArrayLike<number>);
      expect(tokens.every((token) => token >= 0 && token < FAKE_VOCABULARY)).toBe(true);
      expect(request.outputs).toBe("last");
      expect(request.sample).toMatchObject({ temperature: 0 });
    }
  });

  it("read every row of an embedding model, which generates nothing", async () => {
    const executor = new Measured();
    const run = new BenchRun(executor, graph("embeddings"), device, { repetitions: 1 });
    await run.times([prompt]);
    for (const [request] of executor.steps)
      expect(request).toMatchObject({ outputs: "all", read: true });
    await expect(run.times([prompt, answer])).rejects.toMatchObject({ code: "input/invalid" });
  });

  it("add the time of loading to the first token, once", async () => {
    const { promptTokens, coldSeconds, warmSeconds } = await runOf(
      new Measured({ delay: 1 }),
    ).firstToken(3, 100);
    expect(promptTokens).toBe(3);
    expect(coldSeconds).toBeGreaterThan(100);
    expect(coldSeconds).toBeLessThan(110);
    expect(warmSeconds).toBeLessThan(10);
  });
});

describe("the figures of a benchmark", () => {
  it("are the median, mean and sample deviation of the runs", () => {
    const { seconds, msPerToken, promptTokensPerSecond } = runOf(new Measured()).prompt(
      { ...prompt, tokens: 10 },
      [1, 2, 6],
    );
    expect(seconds).toMatchObject({ values: [1, 2, 6], median: 2, mean: 3 });
    expect(seconds.deviation).toBeCloseTo(Math.sqrt(7), 12);
    expect(msPerToken).toBe(200);
    expect(promptTokensPerSecond.values).toEqual([10, 5, 10 / 6]);
    expect(runOf(new Measured()).prompt(prompt, [1]).seconds.deviation).toBe(0);
  });

  it("are counted for each token", async () => {
    const executor = new Measured();
    const test = await runOf(executor, { profile: true }).generate(answer, [2, 1, 4], 1000);
    expect(test.msPerToken).toBe(500);
    expect(test.perToken).toEqual({
      dispatches: 10,
      submits: 0.5,
      createBuffer: 0,
      createBindGroup: 1,
      writeBuffer: 2,
      bytesRead: 4,
    });
    // The median of three submits of four tokens, in microseconds.
    expect(test.hostMicrosecondsPerToken).toBeCloseTo((1000 * 0.2 * 3) / 4, 9);
    // In the middle of the answer: 7 + 2 rows; two tokens a second.
    expect(test.traffic).toEqual({
      planned: 900,
      weights: 40,
      cache: 10,
      ratio: 18,
      bytesPerSecond: 1800,
      shareOfCopy: 1.8,
    });
    expect(test.profile!.map((one) => one.microseconds)).toEqual([1.5, 0.5]);
    expect(executor.filled).toEqual([7, 7, 7]);
  });

  it("leave out what the device does not have", async () => {
    const notices: string[] = [];
    const blind = { ...device, capabilities: { ...device.capabilities, timestamps: false } };
    const options = { profile: true, onNotice: (text: string) => void notices.push(text) };
    const executor = new Measured({ contextLength: 14 });
    const without = await new BenchRun(executor, graph(), blind, options).generate(answer, [1], 1);
    expect(without.profile).toBe(null);
    expect(notices).toEqual(["fake has no time stamps: kernels are not timed"]);
    const cpu = new BenchRun(new FakeExecutor(), graph(), undefined, { profile: true });
    expect(await cpu.generate({ ...answer, depth: 0 }, [1], null)).toMatchObject({
      hostMicrosecondsPerToken: null,
      perToken: null,
      traffic: null,
      profile: null,
    });
    // A profile takes no more steps than the context has room for, one before them included.
    await new BenchRun(executor, graph(), device, options).generate(answer, [1], 1);
    expect(executor.profiled).toEqual([6]);
  });
});
