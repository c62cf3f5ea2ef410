import { describe, expect, it } from "vitest";
import { writeRandomModel } from "../../bench/models.ts";
import { type BenchmarkReport, benchmark } from "../../src/tools/mod.ts";
import { gpuAvailable } from "../gpu.ts";

const shape = {
  architecture: "llama",
  layers: 2,
  width: 64,
  heads: 2,
  kvHeads: 1,
  headWidth: 32,
  feedForward: 96,
  vocabulary: 512,
  tied: true,
  context: 256,
  ropeBase: 10000,
  epsilon: 1e-5,
} as const;

const model = await writeRandomModel({ shape, type: "q8_0" });

const measure = (device: string): Promise<BenchmarkReport> =>
  benchmark(model, {
    device,
    promptTokens: [9],
    generateTokens: [8],
    depths: [0, 40],
    repetitions: 2,
    stepsInFlight: 4,
    profile: true,
  });

describe("benchmark", () => {
  it("runs every test at every depth on the CPU path", async () => {
    const report = await measure("cpu");
    expect(report.device.kind).toBe("cpu");
    expect(report.tests.map((one) => one.name)).toEqual(["pp9", "tg8", "pp9 @ d40", "tg8 @ d40"]);
    for (const test of report.tests) {
      expect(test.seconds.values.length).toBe(2);
      expect(test.seconds.median).toBeGreaterThan(0);
    }
    expect(report.model).toMatchObject({ architecture: "llama", digestOf: "file" });
    expect(report.settings.contextLength).toBe(50);
  });

  it("refuses what it cannot measure", async () => {
    const run = benchmark(model, { device: "cpu", promptTokens: [0], generateTokens: [] });
    await expect(run).rejects.toMatchObject({ code: "input/invalid" });
    const wrong = benchmark(model, { device: "cpu", depths: [-1] });
    await expect(wrong).rejects.toMatchObject({ code: "input/invalid" });
  });
});

describe.skipIf(!gpuAvailable)("benchmark on a GPU", () => {
  it("counts, weighs and times what a token costs", async () => {
    const report = await measure("gpu");
    expect(report.device.kind).toBe("gpu");
    expect(report.copyBytesPerSecond).toBeGreaterThan(0);
    const [shallow, deep] = report.tests.filter((one) => one.kind === "generate");
    for (const test of [shallow, deep]) {
      expect(test.perToken).toMatchObject({ createBuffer: 0, createBindGroup: 0, bytesRead: 4 });
      expect(test.perToken!.dispatches).toBeLessThanOrEqual(8 * shape.layers + 6);
      expect(test.perToken!.submits).toBeLessThanOrEqual(1 / 4);
      expect(test.perToken!.writeBuffer).toBeLessThanOrEqual(1);
      expect(test.traffic!.ratio).toBeLessThanOrEqual(1.03);
      expect(test.hostMicrosecondsPerToken).toBeGreaterThan(0);
    }
    expect(deep.traffic!.weights).toBe(shallow.traffic!.weights);
    // Keys and values of a head of 32 in halves, for 40 more positions in two layers.
    expect(deep.traffic!.cache - shallow.traffic!.cache).toBe(40 * 2 * 2 * 32 * 2);
    if (report.device.capabilities!.timestamps) {
      expect(deep.profile!.length).toBe(deep.perToken!.dispatches);
      expect(deep.profile!.every((one) => one.microseconds >= 0)).toBe(true);
    }
  });
});
