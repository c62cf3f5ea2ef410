import { describe, expect, it } from "vitest";
import { platform } from "#platform";
import { loadModel } from "../../mod.ts";
import { WebggufError } from "../../src/base/errors.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { buildGraph } from "../../src/models/index.ts";
import type { Platform } from "../../src/platform/types.ts";
import { type Backend, backends } from "../../src/session/backends.ts";
import { openExecutor } from "../../src/session/open.ts";
import { secondsPerToken } from "../../src/session/probe.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable } from "../gpu.ts";
import { FakeExecutor } from "./fake-executor.ts";
import { withBackends } from "./fake-model.ts";
import { BUNDLED } from "./suite.ts";

/** Runs `work` on a platform whose `openGpu` is another. */
async function withGpu<T>(openGpu: Platform["openGpu"], work: () => Promise<T>): Promise<T> {
  const changeable = platform as { openGpu: Platform["openGpu"] };
  const original = platform.openGpu;
  changeable.openGpu = openGpu;
  try {
    return await work();
  } finally {
    changeable.openGpu = original;
  }
}

const none = (): Promise<never> =>
  Promise.reject(
    new WebggufError("device/no-adapter", "Cannot use a GPU: there is none; install one"),
  );

describe("the choice of a device", () => {
  it("is the CPU path with one line when there is no adapter", () =>
    withGpu(none, async () => {
      const notices: string[] = [];
      const onNotice = (text: string): void => void notices.push(text);
      const model = await loadModel(await fixture(BUNDLED), { onNotice });
      expect(model.device).toEqual({
        kind: "cpu",
        name: "CPU (WebAssembly SIMD)",
        software: false,
      });
      expect(notices).toEqual([
        "Computing on the CPU: Cannot use a GPU: there is none; install one",
      ]);
      await model.dispose();
    }));

  it("is an error when a GPU was insisted on", () =>
    withGpu(none, async () => {
      const loading = loadModel(await fixture(BUNDLED), { device: "gpu" });
      expect(await loading.catch((error: unknown) => error)).toMatchObject({
        code: "device/no-adapter",
      });
    }));

  it.skipIf(!gpuAvailable)("measures both paths, however fast they are", async () => {
    const file = await readGguf(bufferSource(await fixture(BUNDLED)));
    const graph = buildGraph(file, { contextLength: 64 });
    const devices = await Promise.all(backends.map((one) => one.open()));
    const speeds = await secondsPerToken(devices, graph, file, undefined);
    for (const device of devices) device.dispose();
    expect(speeds.length).toBe(backends.length);
    for (const seconds of speeds) {
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThan(30);
    }
  });

  it("says what cannot be switched off", async () => {
    const loading = loadModel(await fixture(BUNDLED), { device: "cpu", noFuse: ["nothing"] });
    expect(await loading.catch((error: unknown) => error)).toMatchObject({
      code: "input/invalid",
      message: expect.stringContaining("residual"),
    });
  });
});

/** A backend with one device that notes what happens to it. */
function fakeBackend(
  name: "gpu" | "cpu",
  how: { readonly software?: boolean; readonly delay?: number; readonly fails?: () => boolean },
) {
  const log = { opened: 0, loads: 0, disposed: 0, asked: "" as string | undefined };
  const backend: Backend = {
    name,
    async open(asked) {
      log.opened++;
      log.asked = asked;
      return {
        kind: name,
        name: `fake ${name}`,
        software: how.software ?? false,
        needs: () => ({ weights: 0, cache: 0, arena: 0 }),
        async load() {
          log.loads++;
          if (how.fails?.()) throw new Error("out of everything");
          return new FakeExecutor({ delay: how.delay });
        },
        dispose: () => void log.disposed++,
      };
    },
  };
  return { backend, log };
}

const file = await readGguf(bufferSource(await fixture(BUNDLED)));

describe("where a model is opened", () => {
  const graph = buildGraph(file, { contextLength: 64 });
  const open = (device?: string) => openExecutor(graph, file, { contextLength: 64, device });

  it("is a real GPU without a measurement", async () => {
    const [gpu, cpu] = [fakeBackend("gpu", {}), fakeBackend("cpu", {})];
    await withBackends([gpu.backend, cpu.backend], async () => {
      const placed = await open();
      expect(placed.device).toEqual({ kind: "gpu", name: "fake gpu", software: false });
      expect(placed.chosen).toBe("gpu");
      expect([gpu.log.loads, cpu.log.opened]).toEqual([1, 0]);
      await placed.dispose();
      expect(gpu.log.disposed).toBe(1);
    });
  });

  it.each([
    ["gpu", 0, 30],
    ["cpu", 30, 0],
  ] as const)(
    "is whichever measures faster if the GPU is software: the %s",
    async (kind, gpuDelay, cpuDelay) => {
      const gpu = fakeBackend("gpu", { software: true, delay: gpuDelay });
      const cpu = fakeBackend("cpu", { delay: cpuDelay });
      await withBackends([gpu.backend, cpu.backend], async () => {
        const placed = await open();
        expect(placed.device.kind).toBe(kind);
        const [taken, left] = kind === "gpu" ? [gpu, cpu] : [cpu, gpu];
        expect([taken.log.loads, left.log.loads]).toEqual([3, 2]);
        // The device that was not taken is given back.
        expect([taken.log.disposed, left.log.disposed]).toEqual([0, 1]);
        await placed.dispose();
        expect(taken.log.disposed).toBe(1);
      });
    },
  );

  it("is no device that stays behind when the measurement fails", async () => {
    for (const failing of ["gpu", "cpu"]) {
      const gpu = fakeBackend("gpu", { software: true, fails: () => failing === "gpu" });
      const cpu = fakeBackend("cpu", { fails: () => failing === "cpu" });
      await withBackends([gpu.backend, cpu.backend], async () => {
        await expect(open()).rejects.toThrow("out of everything");
        expect([gpu.log.disposed, cpu.log.disposed]).toEqual([1, 1]);
      });
    }
  });

  it("is no device that stays behind when loading fails", async () => {
    const gpu = fakeBackend("gpu", { fails: () => true });
    await withBackends([gpu.backend], async () => {
      await expect(open("gpu")).rejects.toThrow("out of everything");
      expect(gpu.log.disposed).toBe(1);
    });
  });

  it("can be named, and is found by that name again", async () => {
    const [gpu, cpu] = [fakeBackend("gpu", { software: true }), fakeBackend("cpu", {})];
    await withBackends([gpu.backend, cpu.backend], async () => {
      for (const [device, asked] of [
        ["gpu", undefined],
        ["Some Adapter", "Some Adapter"],
      ]) {
        const placed = await open(device);
        expect([placed.device.kind, placed.chosen, gpu.log.asked]).toEqual(["gpu", device, asked]);
        await placed.dispose();
      }
      const placed = await open("cpu");
      expect([placed.device.kind, placed.chosen]).toEqual(["cpu", "cpu"]);
      // Nothing was measured.
      expect([gpu.log.loads, cpu.log.loads]).toEqual([2, 1]);
    });
  });
});
