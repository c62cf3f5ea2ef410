import { describe, expect, it } from "vitest";
import { Buffers, BufferUsage, MapMode } from "../src/platform/buffers.ts";
import { countCalls } from "./counters.ts";
import { gpuAvailable, openTestGpu } from "./gpu.ts";

const shader = `
@group(0) @binding(0) var<storage, read_write> data: array<u32>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3u) { data[id.x] += 1u; }`;

describe.skipIf(!gpuAvailable)("counters", () => {
  it("see every call and nothing after they stopped", async () => {
    const gpu = await openTestGpu();
    const { device } = gpu;
    const buffers = new Buffers(gpu);
    const counter = countCalls(device);
    const { storage, copySource, copyTarget, mapRead } = BufferUsage;
    const data = buffers.allocate("data", 64, storage | copySource | copyTarget);
    const back = buffers.allocate("back", 64, mapRead | copyTarget);
    const module = device.createShaderModule({ code: shader });
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: data } }],
    });
    device.queue.writeBuffer(data, 0, new Uint32Array(16));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(16);
    pass.dispatchWorkgroups(4);
    pass.end();
    encoder.copyBufferToBuffer(data, 0, back, 0, 64);
    device.queue.submit([encoder.finish()]);
    await back.mapAsync(MapMode.read, 8, 16);
    expect([...new Uint32Array(back.getMappedRange(8, 16))]).toEqual([2, 2, 1, 1]);
    back.unmap();
    const counts = {
      dispatches: 2,
      submits: 1,
      createBuffer: 2,
      createBindGroup: 1,
      createPipeline: 1,
      writeBuffer: 1,
      bytesRead: 16,
    };
    expect(counter.counts()).toEqual(counts);
    counter.reset();
    await back.mapAsync(MapMode.read);
    back.unmap();
    expect(counter.counts()).toMatchObject({ submits: 0, bytesRead: 64 });
    counter.stop();
    device.queue.submit([]);
    expect(counter.counts().submits).toBe(0);
    buffers.disposeAll();
    gpu.check();
  });
});
