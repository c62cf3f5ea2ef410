import { describe, expect, it } from "vitest";
import { platform } from "#platform";
import { loadModel } from "../../mod.ts";
import { WebggufError } from "../../src/base/errors.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { buildGraph } from "../../src/models/index.ts";
import type { Platform } from "../../src/platform/types.ts";
import { backends } from "../../src/session/backends.ts";
import { secondsPerToken } from "../../src/session/probe.ts";
import { fixture } from "../fixture.ts";
import { gpuAvailable } from "../gpu.ts";
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
  Promise.reject(new WebggufError("device/no-adapter", "no GPU: there is none; install one"));

describe("the choice of a device", () => {
  it("is the CPU path with one line when there is no adapter", () =>
    withGpu(none, async () => {
      const notices: string[] = [];
      const onNotice = (text: string): void => void notices.push(text);
      const model = await loadModel(await fixture(BUNDLED), { onNotice });
      expect(model.device).toEqual({ kind: "cpu", name: "CPU (TypeScript)", software: false });
      expect(notices).toEqual(["Computing on the CPU: no GPU: there is none; install one"]);
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
