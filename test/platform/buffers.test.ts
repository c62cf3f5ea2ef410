import { describe, expect, it } from "vitest";
import { Buffers } from "../../src/platform/buffers.ts";

describe("buffers", () => {
  it("are a typed error where the runtime throws, and nothing counts", async () => {
    let scopes = 0;
    const device = {
      limits: { maxBufferSize: 1 << 30 },
      pushErrorScope: () => void scopes++,
      popErrorScope: async () => {
        scopes--;
        return null;
      },
      createBuffer: () => {
        throw new RangeError("Array buffer allocation failed");
      },
    } as unknown as GPUDevice;
    const buffers = new Buffers({ device, capabilities: { name: "fake", limits: {} } });
    expect(() => buffers.allocate("weights", 100, 0)).toThrow(
      expect.objectContaining({
        name: "WebggufError",
        code: "device/out-of-memory",
        expected: 100,
      }),
    );
    await buffers.settled();
    expect([buffers.live, buffers.bytes, scopes]).toEqual([0, 0, 0]);
  });
});
