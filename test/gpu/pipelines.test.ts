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

  it("keeps as few at a slow compiler as end soon, and begins none when its signal has fired", async () => {
    const ending: (() => void)[] = [];
    const slow = (): Promise<object> =>
      new Promise((resolve) => void ending.push(() => resolve({})));
    const turn = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    const stop = new AbortController();
    const ends = Promise.allSettled(
      Array.from({ length: 100 }, () => {
        const { device } = fakeDevice(slow);
        return Pipelines.of(device).compile([callOf("F32")], undefined, stop.signal);
      }),
    );
    await turn(120);
    for (const end of ending.splice(0)) end();
    await turn();
    expect(ending.length).toBeGreaterThan(0);
    expect(ending.length).toBeLessThanOrEqual(2);
    stop.abort("enough");
    for (const end of ending.splice(0)) end();
    expect((await ends).at(-1)).toEqual({ status: "rejected", reason: "enough" });
    expect(ending).toEqual([]);
    // Others have their turn.
    await Pipelines.of(fakeDevice().device).compile([callOf("F32")]);
  });
});
