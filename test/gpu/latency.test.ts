/** How many steps fly is measured; a device that is lost meanwhile is a typed error. */
import { describe, expect, it } from "vitest";
import { chooseStepsInFlight } from "../../src/gpu/latency.ts";
import { MOST_STEPS_IN_FLIGHT } from "../../src/plan/settings.ts";
import { Buffers } from "../../src/platform/buffers.ts";
import { stuckGpu } from "./fake-device.ts";

/** A device whose results come back as `mapAsync` says. */
function answering(mapAsync: () => Promise<void>) {
  const { gpu, live } = stuckGpu(undefined);
  const { device } = gpu;
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => Object.assign(create(descriptor), { mapAsync });
  return { device, buffers: new Buffers(gpu), live };
}

describe("steps in flight", () => {
  it("are as many as fit where results take long, and at least two", async () => {
    const slow = answering(() => new Promise((resolve) => setTimeout(resolve, 30)));
    expect(await chooseStepsInFlight(slow.device, slow.buffers)).toBe(MOST_STEPS_IN_FLIGHT);
    const quick = answering(async () => {});
    expect(await chooseStepsInFlight(quick.device, quick.buffers)).toBeGreaterThanOrEqual(2);
    expect(slow.live.size + quick.live.size).toBe(0);
  });

  it("cannot be known of a device that was lost", async () => {
    const cause = new Error("the buffer was destroyed");
    const { device, buffers, live } = answering(() => Promise.reject(cause));
    await expect(chooseStepsInFlight(device, buffers)).rejects.toMatchObject({
      ...{ name: "WebggufError", code: "device/lost", cause },
    });
    expect(live.size).toBe(0);
  });
});
