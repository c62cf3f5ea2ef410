/** Whatever ends the work of an executor, no buffer is left; a lost device says so. */
import { describe, expect, it } from "vitest";
import { platform } from "#platform";
import type { ByteSource } from "../../src/base/source.ts";
import { createGpuExecutor, type ExecutorHooks } from "../../src/gpu/open.ts";
import type { StepResult } from "../../src/graph/requests.ts";
import { GREEDY } from "../../src/graph/requests.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";
import {
  joined,
  logitsOf,
  openExecutor,
  openModel,
  optionsOf,
  type TestModel,
} from "../plan/models.ts";
import { watchBuffers } from "./watch.ts";

interface Left {
  readonly error: unknown;
  readonly live: string[];
  readonly made: number;
}

/** Runs `work` and gives what it threw, how many buffers it made, and the labels of those that it left. */
async function left(work: () => Promise<unknown>): Promise<Left> {
  const { device } = await openTestGpu();
  const watch = watchBuffers(device);
  try {
    const error = await work().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return { error, live: watch.live().map(({ label }) => label), made: watch.made() };
  } finally {
    watch.stop();
  }
}

const load = async (model: TestModel, hooks: ExecutorHooks): Promise<void> => {
  const { graph, file } = model;
  await createGpuExecutor(graph, file, await openTestGpu(), optionsOf(), hooks);
};

const code = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;

describe.skipIf(!gpuAvailable)("loading", () => {
  const stop = new Error("enough");
  it.each(["upload", "compile"] as const)("that is aborted while %s goes on", async (stage) => {
    const model = await openModel("llama");
    const controller = new AbortController();
    const { error, live, made } = await left(() =>
      load(model, {
        signal: controller.signal,
        onProgress: (at) => at === stage && controller.abort(stop),
      }),
    );
    expect(made).toBeGreaterThan(0);
    expect(live).toEqual([]);
    expect(error).toBe(stop);
  });
  it("that is aborted from the start", async () => {
    const model = await openModel("llama");
    const { error, made } = await left(() => load(model, { signal: AbortSignal.abort(stop) }));
    expect(made).toBe(0);
    expect(error).toBe(stop);
  });
  it("of a file that breaks off", async () => {
    const model = await openModel("llama");
    let reads = 0;
    const broken = (source: ByteSource): ByteSource => ({
      name: source.name,
      size: source.size,
      read: (offset, length, signal) => {
        if (++reads > 5) throw stop;
        return source.read(offset, length, signal);
      },
      stream: (offset, length, signal) => {
        if (++reads > 5) throw stop;
        return source.stream(offset, length, signal);
      },
      close: () => source.close(),
    });
    const file = { ...model.file, sources: model.file.sources.map(broken) };
    const { error, live, made } = await left(() => load({ ...model, file }, {}));
    expect(made).toBeGreaterThan(0);
    expect(live).toEqual([]);
    expect(error).toBe(stop);
  });
});

describe.skipIf(!gpuAvailable)("an executor", () => {
  it("stops between the chunks of a prompt, goes on when asked, and leaves nothing", async () => {
    const model = await openModel("llama");
    const { error, live, made } = await left(async () => {
      const executor = await openExecutor(await openTestGpu(), model, { chunk: 8 });
      const expected = joined(await logitsOf(executor, model.tokens, [8, 8, 8]));
      executor.rewind(0, 0);
      const controller = new AbortController();
      const request = { sequence: 0, input: model.tokens, outputs: "none" } as const;
      const running = executor.step([request], controller.signal);
      controller.abort(new Error("no prompt"));
      await expect(running).rejects.toThrow("no prompt");
      executor.rewind(0, 0);
      expect(joined(await logitsOf(executor, model.tokens, [8, 8, 8]))).toEqual(expected);
      await executor.dispose();
      await executor.dispose();
    });
    expect(error).toBeUndefined();
    expect(made).toBeGreaterThan(0);
    expect(live).toEqual([]);
  });
  it("takes no step under a signal that has fired, and rejects those in flight when disposed of", async () => {
    const model = await openModel("llama");
    const { error, live, made } = await left(async () => {
      const executor = await openExecutor(await openTestGpu(), model);
      const tokens = model.tokens.slice(0, 5);
      const request = { sequence: 0, input: tokens, outputs: "last", sample: GREEDY } as const;
      const stop = new Error("no token");
      await expect(executor.step([request], AbortSignal.abort(stop))).rejects.toBe(stop);
      expect(executor.length(0)).toBe(0);
      await executor.step([request]);
      const flying = Array.from({ length: 6 }, () =>
        executor.step([{ sequence: 0, input: "sampled", outputs: "last", sample: GREEDY }]),
      );
      const outcomes = Promise.allSettled(flying);
      await executor.dispose();
      for (const outcome of await outcomes)
        if (outcome.status === "rejected")
          expect(["session/disposed", "device/lost"]).toContain(code(outcome.reason));
      await expect(executor.step([request])).rejects.toMatchObject({ code: "session/disposed" });
    });
    expect(error).toBeUndefined();
    expect(made).toBeGreaterThan(0);
    expect(live).toEqual([]);
  });
  it("says that the device is lost, in the middle of decoding, and can be made again", async () => {
    const model = await openModel("llama");
    const reference = await openExecutor(await openTestGpu(), model);
    const expected = joined(await logitsOf(reference, model.tokens, [9]));
    await reference.dispose();
    const gpu = await platform.openGpu();
    const watch = watchBuffers(gpu.device);
    const executor = await openExecutor(gpu, model);
    const first = { sequence: 0, input: model.tokens.slice(0, 9), outputs: "last" } as const;
    await executor.step([{ ...first, sample: GREEDY }]);
    const step = (): Promise<StepResult[]> =>
      executor.step([{ sequence: 0, input: "sampled", outputs: "last", sample: GREEDY }]);
    const flying = Promise.allSettled([step(), step(), step()]);
    gpu.device.destroy();
    for (const outcome of await flying)
      if (outcome.status === "rejected") expect(code(outcome.reason)).toBe("device/lost");
    expect(typeof (await gpu.lost)).toBe("string");
    await expect(step()).rejects.toMatchObject({ code: "device/lost" });
    await executor.dispose();
    expect(watch.live().map(({ label }) => label)).toEqual([]);
    watch.stop();
    gpu.dispose();
    const again = await openExecutor(await openTestGpu(), model);
    expect(joined(await logitsOf(again, model.tokens, [9]))).toEqual(expected);
    await again.dispose();
  });
  it("fails with a typed error when the device goes away while it loads", async () => {
    const model = await openModel("llama");
    const gpu = await platform.openGpu();
    const watch = watchBuffers(gpu.device);
    const { graph, file } = model;
    let destroyed = false;
    const loading = createGpuExecutor(graph, file, gpu, optionsOf(), {
      onProgress: (stage) => {
        if (stage !== "upload" || destroyed) return;
        destroyed = true;
        gpu.device.destroy();
      },
    });
    await expect(loading).rejects.toMatchObject({ code: expect.stringMatching(/^device\//) });
    expect(watch.live().map(({ label }) => label)).toEqual([]);
    watch.stop();
    gpu.dispose();
  });
});
