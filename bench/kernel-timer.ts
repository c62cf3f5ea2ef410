/** Seconds of GPU work: by timestamps where the device has them, else by the clock around a submit. */
import { type Buffers, BufferUsage, MapMode } from "../src/platform/buffers.ts";
import type { Gpu } from "../src/platform/types.ts";

/** Encodes `count` dispatches. */
export type Batch = (pass: GPUComputePassEncoder, count: number) => void;

export class Timer {
  readonly #gpu: Gpu;
  readonly #query: GPUQuerySet | undefined;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;

  constructor(gpu: Gpu, buffers: Buffers) {
    this.#gpu = gpu;
    const { queryResolve, copySource, copyTarget, mapRead } = BufferUsage;
    this.#resolved = buffers.allocate("times", 16, queryResolve | copySource);
    this.#staging = buffers.allocate("times", 16, mapRead | copyTarget);
    if (gpu.capabilities.timestamps)
      this.#query = gpu.device.createQuerySet({ type: "timestamp", count: 2 });
  }

  /** Runs a batch; seconds from its first to its last dispatch. */
  async seconds(batch: Batch, count: number): Promise<number> {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass(
      this.#query && {
        timestampWrites: {
          querySet: this.#query,
          beginningOfPassWriteIndex: 0,
          endOfPassWriteIndex: 1,
        },
      },
    );
    batch(pass, count);
    pass.end();
    if (this.#query) {
      encoder.resolveQuerySet(this.#query, 0, 2, this.#resolved, 0);
      encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 16);
    }
    const commands = encoder.finish();
    const start = performance.now();
    device.queue.submit([commands]);
    await device.queue.onSubmittedWorkDone();
    const wall = (performance.now() - start) / 1000;
    this.#gpu.check();
    if (!this.#query) return wall;
    await this.#staging.mapAsync(MapMode.read);
    const [begin, end] = new BigUint64Array(this.#staging.getMappedRange().slice(0));
    this.#staging.unmap();
    // A clock that was reset or that is too coarse says nothing.
    return end > begin ? Number(end - begin) / 1e9 : wall;
  }

  /** How many dispatches take about `target` seconds. */
  async calibrate(batch: Batch, target: number): Promise<number> {
    await this.seconds(batch, 1);
    let count = 1;
    for (;;) {
      const seconds = await this.seconds(batch, count);
      if (seconds >= target / 2 || count >= 4096) return count;
      count = Math.min(
        4096,
        16 * count,
        Math.max(2 * count, Math.ceil((count * target) / seconds)),
      );
    }
  }
}

const COPY = `
// One vec4 a thread, rows of groups folded over y.
@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> target_: array<vec4<u32>>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) thread: u32) {
  let at = (group.y * groups.x + group.x) * 256u + thread;
  if (at < arrayLength(&source)) { target_[at] = source[at]; }
}`;

/** A copy kernel over `bytes` bytes: what the device's memory gives at best. Reads and writes count. */
export function copyKernel(gpu: Gpu, buffers: Buffers, bytes: number): Batch {
  const { device } = gpu;
  const [source, target] = [0, 1].map(() => buffers.allocate("copy", bytes, BufferUsage.storage));
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module: device.createShaderModule({ label: "copy", code: COPY }) },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [source, target].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const groups = Math.ceil(bytes / 16 / 256);
  const y = Math.ceil(groups / 65535);
  return (pass, count) => {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < count; i++) pass.dispatchWorkgroups(Math.ceil(groups / y), y);
  };
}
