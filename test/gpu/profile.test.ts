import { describe, expect, it } from "vitest";
import { writeRandomModel } from "../../bench/models.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { plainCpu } from "../../src/cpu/open.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { copyBandwidth } from "../../src/gpu/bandwidth.ts";
import type { GpuExecutor } from "../../src/gpu/executor.ts";
import { gpuInstruments } from "../../src/gpu/instruments.ts";
import { createGpuExecutor } from "../../src/gpu/open.ts";
import { profileDecode, timeDispatches } from "../../src/gpu/profile.ts";
import { buildGraph } from "../../src/models/index.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";

const shape = {
  architecture: "qwen3",
  layers: 2,
  width: 64,
  heads: 2,
  kvHeads: 1,
  headWidth: 32,
  feedForward: 64,
  vocabulary: 300,
  tied: true,
  context: 256,
  ropeBase: 10000,
  epsilon: 1e-5,
} as const;

const file = await readGguf(bufferSource(await writeRandomModel({ shape, type: "q8_0" }), "m"));
const graph = buildGraph(file, { contextLength: 256 });
const options = { contextLength: 256, maxSequences: 2, chunk: 16 } as const;

describe("filling a cache", () => {
  it("gives a sequence a length and values that can be attended to", async () => {
    const executor = await plainCpu.create(graph, file, options);
    await executor.instruments.fill(0, 100);
    expect(executor.length(0)).toBe(100);
    const [{ rows: logits }] = await executor.step([
      { sequence: 0, input: [1], outputs: "last", read: true },
    ]);
    expect(logits.every(Number.isFinite)).toBe(true);
    expect(executor.length(0)).toBe(101);
    await expect(executor.instruments.fill(0, 200)).rejects.toMatchObject({
      code: "context/overflow",
    });
    await executor.dispose();
  });
});

describe.skipIf(!gpuAvailable)("on a GPU", () => {
  const open = async (cache: "f32" | "f16" | "q8_0" | "q4_0"): Promise<GpuExecutor> =>
    createGpuExecutor(
      graph,
      file,
      await openTestGpu(),
      { ...options, cacheTypeK: cache, cacheTypeV: cache },
      { instruments: gpuInstruments },
    );

  it.each(["f32", "f16", "q8_0", "q4_0"] as const)("fills a cache of %s", async (cache) => {
    const executor = await open(cache);
    const read = { input: [1], outputs: "last", read: true } as const;
    const alone = await executor.step([{ ...read, sequence: 0 }]);
    await expect(executor.instruments!.fill(1, 8)).rejects.toMatchObject({ code: "input/invalid" });
    executor.rewind(0, 0);
    await executor.instruments!.fill(0, 100);
    expect(executor.length(0)).toBe(100);
    const deep = await executor.step([{ ...read, sequence: 0 }]);
    expect(deep[0].rows.every(Number.isFinite)).toBe(true);
    expect(deep[0].rows).not.toEqual(alone[0].rows);
    await executor.dispose();
  });

  it("times every dispatch of a decode step and changes no result", async () => {
    const gpu = await openTestGpu();
    if (!gpu.capabilities.timestamps) return;
    const executor = await open("f16");
    const step = { sequence: 0, input: [5], outputs: "last", read: true } as const;
    const plain = await executor.step([step]);
    executor.rewind(0, 0);
    let timed = plain;
    const times = await timeDispatches(gpu, async () => {
      timed = await executor.step([step]);
    });
    expect(timed).toEqual(plain);
    expect(times.length).toBe(executor.model.plans[0].outputLength);
    const rows = await profileDecode(gpu, executor, 0, 2);
    expect(rows.map((row) => row.kernel)).toEqual(
      executor.model.plans[0].calls.map((call) => call.kernel),
    );
    expect(rows.some((row) => row.nanoseconds > 0)).toBe(true);
    expect(executor.length(0)).toBe(4);
    // The device is as it was.
    expect(Object.hasOwn(gpu.device, "createCommandEncoder")).toBe(false);
    gpu.check();
    await executor.dispose();
  });

  it("measures a copy kernel", async () => {
    expect(await copyBandwidth(await openTestGpu())).toBeGreaterThan(1e6);
  });
});
