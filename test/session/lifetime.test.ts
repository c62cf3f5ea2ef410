import { describe, expect, it } from "vitest";
import { platform } from "#platform";
import { loadModel, type Model, memoryNeeded, openSource, readGguf } from "../../mod.ts";
import type { Gpu, Platform } from "../../src/platform/types.ts";
import { fixture, fixtureJson } from "../fixture.ts";
import { gpuAvailable } from "../gpu.ts";
import { BUNDLED } from "./suite.ts";

/** A device whose live buffers are counted and that a test can lose. */
interface Watched {
  gpu: Gpu | undefined;
  /** Buffers made and not destroyed, over all devices opened meanwhile. */
  readonly live: Set<GPUBuffer>;
  stop(): void;
}

/** Watches every device that is opened until `stop`. */
function watch(): Watched {
  const open = platform.openGpu;
  const live = new Set<GPUBuffer>();
  const watched: Watched = {
    gpu: undefined,
    live,
    stop: () => {
      (platform as { openGpu: Platform["openGpu"] }).openGpu = open;
    },
  };
  (platform as { openGpu: Platform["openGpu"] }).openGpu = async (options) => {
    const gpu = await open(options);
    watched.gpu = gpu;
    const { device } = gpu;
    const create = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      live.add(buffer);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        live.delete(buffer);
        return destroy();
      };
      return buffer;
    };
    return gpu;
  };
  return watched;
}

const watching = async (work: (watched: Watched) => Promise<void>): Promise<void> => {
  const watched = watch();
  try {
    await work(watched);
  } finally {
    watched.stop();
  }
};

const options = { device: "gpu", contextLength: 128 } as const;
const load = async (signal?: AbortSignal): Promise<Model> =>
  loadModel(await fixture(BUNDLED), { ...options, signal });

interface Greedy {
  readonly prompt: string;
  readonly ids: readonly number[];
}
const firstGreedy = async (): Promise<Greedy> =>
  (await fixtureJson<{ files: Record<string, Greedy[]> }>("tiny-model/greedy.json")).files[
    "webgguf-tale-q8_0.gguf"
  ][0];

describe.skipIf(!gpuAvailable)("what a model holds on the GPU", () => {
  it("is gone after dispose, also in the middle of an answer", () =>
    watching(async ({ live }) => {
      const model = await load();
      expect(live.size).toBeGreaterThan(0);
      const pieces = model.session().generate("Once upon a time", { temperature: 0 });
      await pieces.next();
      await model.dispose();
      await pieces.return?.();
      expect(live.size).toBe(0);
    }));

  it("is what memoryNeeded told before", () =>
    watching(async ({ live }) => {
      const source = await openSource(await fixture(BUNDLED));
      const told = await memoryNeeded(await readGguf(source), options);
      const model = await load();
      let held = 0;
      for (const buffer of live) held += buffer.size;
      await model.dispose();
      expect(model.memory).toEqual(told.owners);
      expect(Math.abs(held / told.total - 1)).toBeLessThan(0.05);
    }));

  it("is gone after an abort while loading", () =>
    watching(async ({ live }) => {
      const stop = new AbortController();
      const reason = new Error("no more");
      let seen = 0;
      const loading = loadModel(await fixture(BUNDLED), {
        ...options,
        signal: stop.signal,
        onProgress: () => {
          if (++seen === 2) stop.abort(reason);
        },
      });
      expect(await loading.catch((error: unknown) => error)).toBe(reason);
      expect(live.size).toBe(0);
    }));

  it("is gone after an abort of a prompt and of an answer", () =>
    watching(async ({ live }) => {
      const model = await load();
      const { prompt } = await firstGreedy();
      for (const after of [0, 3]) {
        const stop = new AbortController();
        const session = model.session();
        let count = 0;
        const run = async (): Promise<void> => {
          const pieces = session.generate(prompt, { temperature: 0, signal: stop.signal });
          if (after === 0) queueMicrotask(() => stop.abort());
          for await (const _ of pieces) if (++count === after) stop.abort();
        };
        expect(await run().catch((error: unknown) => error)).toBe(stop.signal.reason);
      }
      await model.dispose();
      expect(live.size).toBe(0);
    }));

  it("can be lost: the session goes on identically after restore()", () =>
    watching(async (watched) => {
      const model = await load();
      const session = model.session();
      const { prompt, ids } = await firstGreedy();
      const got: number[] = [];
      let lost: unknown;
      try {
        for await (const piece of session.generate(prompt, { temperature: 0, maxTokens: 20 })) {
          got.push(piece.token!);
          if (got.length === 5) watched.gpu?.device.destroy();
        }
      } catch (error) {
        lost = error;
      }
      expect(lost).toMatchObject({ name: "WebggufError", code: "device/lost" });
      expect(got).toEqual(ids.slice(0, got.length));
      expect(session.tokens.slice(-got.length)).toEqual(got);
      await model.restore();
      const left = 20 - got.length;
      for await (const piece of session.generate([], { temperature: 0, maxTokens: left }))
        got.push(piece.token!);
      expect(got).toEqual(ids.slice(0, 20));
      await model.dispose();
      expect(watched.live.size).toBe(0);
    }));
});
