/** What cannot fit is refused before its bytes are read, and told before by memoryNeeded. */
import { describe, expect, it } from "vitest";
import { platform } from "#platform";
import { loadModel, memoryNeeded, readGguf } from "../../mod.ts";
import { WebggufError } from "../../src/base/errors.ts";
import type { ByteSource } from "../../src/base/source.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import type { Platform } from "../../src/platform/types.ts";
import { memoryOf } from "../../src/session/open.ts";
import { fixture } from "../fixture.ts";

const bytes = await fixture("reference/archs/llama.gguf");
const file = await readGguf(bufferSource(bytes));

/** Runs `work` on a machine with other facts. */
async function on<T>(facts: Partial<Platform>, work: () => Promise<T>): Promise<T> {
  const real = { ...platform };
  Object.assign(platform, facts);
  try {
    return await work();
  } finally {
    Object.assign(platform, real);
  }
}

const machine = (memory: number | undefined): Partial<Platform> => ({
  memory: async () => memory,
  openGpu: () => Promise.reject(new WebggufError("device/no-adapter", "there is none")),
});

/** The file as a source that counts what is streamed of it. */
function counted(): ByteSource & { streamed: number } {
  const inner = bufferSource(bytes, "tiny.gguf");
  const source = {
    ...inner,
    streamed: 0,
    stream(offset: number, length: number, signal?: AbortSignal) {
      source.streamed += length;
      return inner.stream(offset, length, signal);
    },
  };
  return source;
}

describe("memory of the CPU path", () => {
  it.each([
    ["by name", "cpu"],
    ["because there is no adapter", "auto"],
  ])("is told before, %s", (_, device) =>
    on(machine(2 ** 34), async () => {
      for (const contextLength of [32, 200]) {
        for (const maxSequences of [1, 3]) {
          const options = { device, contextLength, maxSequences };
          const told = await memoryNeeded(file, options);
          const model = await loadModel(bytes, options);
          // Caches grow as they are filled; sessions that nobody holds would give theirs back.
          const sessions = Array.from({ length: maxSequences }, () => model.session());
          for (const session of sessions) await session.logits(new Int32Array(contextLength));
          const { cache, ...rest } = model.memory;
          expect({ ...rest, cache: told.owners.cache }).toEqual(told.owners);
          expect(cache).toBeLessThanOrEqual(told.owners.cache);
          if (maxSequences === 1) expect(cache).toBe(told.owners.cache);
          for (const session of sessions) await session.dispose();
          expect(told).toMatchObject({ adapter: "CPU (WebAssembly SIMD)", fits: true });
          await model.dispose();
        }
      }
    }),
  );

  it("bounds the context that is told, and the verdict says so", () =>
    on(machine(2 ** 34), async () => {
      const { owners } = await memoryNeeded(file, { device: "cpu", contextLength: 64 });
      const memory = owners.weights + owners.cache + owners.arena;
      await on({ memory: async () => memory }, async () => {
        const exact = await memoryNeeded(file, { device: "cpu", contextLength: 64 });
        expect(exact).toMatchObject({ fits: true, largestContext: 64 });
        const more = await memoryNeeded(file, { device: "cpu", contextLength: 65 });
        expect(more).toMatchObject({ fits: false, largestContext: 64 });
        expect(more.verdict).toMatch(/does not fit .* by memory of .* GiB; .* is 64/);
      });
      const unknown = await on({ memory: async () => undefined }, () =>
        memoryNeeded(file, { device: "cpu" }),
      );
      expect(unknown).toMatchObject({ fits: true });
    }));
});

describe("a model that this machine cannot hold", () => {
  it("is refused before its bytes are read, with both figures and what to do", () =>
    on(machine(2 ** 34), async () => {
      const options = { device: "cpu", contextLength: 64 };
      const { total } = await memoryNeeded(file, options);
      for (const memory of [total - 1, 1000]) {
        const source = counted();
        const error = await on({ memory: async () => memory }, () =>
          loadModel(source, options).catch((error: unknown) => error),
        );
        expect(error).toMatchObject({
          code: "device/out-of-memory",
          file: "tiny.gguf",
          expected: memory,
          actual: total,
          message: expect.stringMatching(/needs .* GiB .* has .* GiB; use a smaller/),
        });
        expect(source.streamed).toBe(0);
      }
      const model = await on({ memory: async () => total }, () => loadModel(bytes, options));
      await model.dispose();
    }));

  it.each([
    ["a context", { contextLength: 2 ** 20 }],
    ["sequences", { contextLength: 4096, maxSequences: 32 }],
  ])("because of %s is refused too", (_, more) =>
    on(machine(2 ** 24), async () => {
      const source = counted();
      const loading = loadModel(source, { device: "cpu", ...more });
      await expect(loading).rejects.toMatchObject({ code: "device/out-of-memory" });
      expect(source.streamed).toBe(0);
    }),
  );
});

describe("the memory of a device", () => {
  it("is the machine's for the CPU path and software, and not known of a real GPU", () =>
    on({ memory: async () => 5 }, async () => {
      expect(await memoryOf({ kind: "cpu", software: false })).toBe(5);
      expect(await memoryOf({ kind: "gpu", software: true })).toBe(5);
      expect(await memoryOf({ kind: "gpu", software: false })).toBe(Number.POSITIVE_INFINITY);
    }));

  it.skipIf(platform.runtime === "browser")("is told by the runtime, in bytes", async () => {
    const memory = await platform.memory();
    expect(memory).toBeGreaterThan(2 ** 27);
    expect(memory).toBeLessThan(2 ** 46);
  });
});
