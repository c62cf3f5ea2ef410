/** Each variant is compiled once for a device, and again only after it failed. */
import { describe, expect, it } from "vitest";
import { Pipelines } from "../../src/gpu/pipelines.ts";
import { callOf, fakeDevice } from "./fake-device.ts";

describe("pipelines", () => {
  it("compiles each variant once, for all models of a device", async () => {
    const { device, compiled } = fakeDevice();
    const counts: [number, number][] = [];
    const wanted = [callOf("F32"), callOf("F16"), callOf("F32")];
    await Pipelines.of(device).compile(wanted, (done, total) => counts.push([done, total]));
    expect(counts).toEqual([
      [1, 2],
      [2, 2],
    ]);
    await Pipelines.of(device).compile(wanted);
    expect(compiled()).toBe(2);
    expect(Pipelines.of(device).get(wanted[0])).toBe(Pipelines.of(device).get(wanted[2]));
    expect(Pipelines.of(device).get(wanted[0])).not.toBe(Pipelines.of(device).get(wanted[1]));
  });

  it("shares a compile that has begun", async () => {
    const { device, compiled } = fakeDevice();
    const pipelines = Pipelines.of(device);
    await Promise.all([pipelines.compile([callOf("F32")]), pipelines.compile([callOf("F32")])]);
    expect(compiled()).toBe(1);
  });

  it("says which kernel failed, and tries it again for the next model", async () => {
    let fails = true;
    const { device } = fakeDevice(async () => {
      if (fails) throw new Error("\nout of registers");
      return {};
    });
    const pipelines = Pipelines.of(device);
    await expect(pipelines.compile([callOf("F32")])).rejects.toMatchObject({
      code: "device/validation",
      message: expect.stringMatching(/embed F32.*out of registers/),
    });
    fails = false;
    await pipelines.compile([callOf("F32")]);
    expect(pipelines.get(callOf("F32"))).toBeDefined();
  });
});
