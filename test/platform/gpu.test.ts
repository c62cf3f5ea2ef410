import { afterEach, describe, expect, it } from "vitest";
import { platform } from "#platform";
import { Buffers, BufferUsage, MapMode } from "../../src/platform/buffers.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";

describe.skipIf(!gpuAvailable)("an open device", () => {
  it("has the adapter's best limits, past the defaults", async () => {
    const { capabilities, device } = await openTestGpu();
    expect(capabilities.name).not.toBe("");
    expect(capabilities.limits["maxBufferSize"]).toBe(device.limits.maxBufferSize);
    expect(capabilities.limits["maxBufferSize"]).toBeGreaterThan(256 * 2 ** 20);
    expect(capabilities.subgroupMaxSize).toBeGreaterThanOrEqual(capabilities.subgroupMinSize);
    expect(capabilities.subgroups).toBe(capabilities.subgroupMinSize > 0);
  });

  it("reports an uncaptured error once, typed", async () => {
    const gpu = await openTestGpu();
    gpu.check();
    gpu.device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: 4, buffer: {} },
        { binding: 0, visibility: 4, buffer: {} },
      ],
    });
    await gpu.device.queue.onSubmittedWorkDone();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    expect(() => gpu.check()).toThrow(expect.objectContaining({ code: "device/validation" }));
    gpu.check();
  });

  it("says that it is gone after dispose", async () => {
    const gpu = await platform.openGpu();
    gpu.dispose();
    gpu.dispose();
    expect(await gpu.lost).toBe("disposed");
    expect(() => gpu.check()).toThrow(expect.objectContaining({ code: "device/lost" }));
  });

  it("says that it is gone when the device is lost", async () => {
    const gpu = await platform.openGpu();
    gpu.device.destroy();
    expect(typeof (await gpu.lost)).toBe("string");
    expect(() => gpu.check()).toThrow(expect.objectContaining({ code: "device/lost" }));
  });

  it("is found by a part of its name and not by another", async () => {
    const { capabilities } = await openTestGpu();
    const part = capabilities.name.slice(1, 6).toUpperCase();
    const gpu = await platform.openGpu({ name: part });
    expect(gpu.capabilities.name).toBe(capabilities.name);
    gpu.dispose();
    await expect(platform.openGpu({ name: "no such card" })).rejects.toMatchObject({
      code: "device/no-adapter",
    });
    expect(await platform.listAdapters()).toContain(capabilities.name);
  });
});

describe.skipIf(!gpuAvailable)("buffers", () => {
  const opened: Buffers[] = [];
  async function buffers(): Promise<Buffers> {
    const made = new Buffers(await openTestGpu());
    opened.push(made);
    return made;
  }
  afterEach(() => {
    for (const one of opened.splice(0)) one.disposeAll();
  });

  it("are counted by label and freed once", async () => {
    const made = await buffers();
    const a = made.allocate("weights", 10, BufferUsage.storage);
    made.allocate("weights", 4, BufferUsage.storage);
    made.allocate("cache", 256, BufferUsage.storage);
    await made.settled();
    expect(made.live).toBe(3);
    expect(made.bytes).toBe(12 + 4 + 256);
    expect(made.byLabel()).toEqual(
      new Map([
        ["weights", 16],
        ["cache", 256],
      ]),
    );
    made.free(a);
    made.free(a);
    expect(made.live).toBe(2);
    expect(made.bytes).toBe(260);
    made.disposeAll();
    expect([made.live, made.bytes]).toEqual([0, 0]);
  });

  it("hold what is written to them", async () => {
    const made = await buffers();
    const { device } = await openTestGpu();
    const buffer = made.allocate("copy", 16, BufferUsage.mapRead | BufferUsage.copyTarget);
    device.queue.writeBuffer(buffer, 0, new Uint32Array([1, 2, 3, 4]));
    // wgpu keeps written data back until something is submitted.
    device.queue.submit([]);
    await buffer.mapAsync(MapMode.read);
    expect([...new Uint32Array(buffer.getMappedRange())]).toEqual([1, 2, 3, 4]);
    buffer.unmap();
  });

  it("over the limit are refused before the device is asked", async () => {
    const made = await buffers();
    const limit = (await openTestGpu()).capabilities.limits["maxBufferSize"]!;
    expect(() => made.allocate("weights", limit + 1, BufferUsage.storage)).toThrow(
      expect.objectContaining({ code: "device/limit", expected: limit }),
    );
    expect(() => made.allocate("weights", Number.NaN, BufferUsage.storage)).toThrow(
      expect.objectContaining({ code: "device/limit" }),
    );
    expect(made.live).toBe(0);
  });

  it("for which there is no memory give a typed error", async () => {
    const gpu = await openTestGpu();
    // SwiftShader refuses its own limit; real cards promise memory that they may not have.
    if (!gpu.capabilities.name.toLowerCase().includes("swiftshader")) return;
    const made = await buffers();
    made.allocate("too much", gpu.capabilities.limits["maxBufferSize"]!, BufferUsage.storage);
    await expect(made.settled()).rejects.toMatchObject({ code: "device/out-of-memory" });
    await made.settled();
    gpu.check();
  });
});
