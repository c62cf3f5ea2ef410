/**
 * Time of each dispatch on the GPU, by time stamps around compute passes. A pass can be stamped only
 * at its ends, so every dispatch gets a pass of its own while a profile is taken. The executor is not
 * involved: the device's command encoders are replaced from outside.
 */
import { WebggufError } from "../base/errors.ts";
import type { TimedCall } from "../graph/instruments.ts";
import { GREEDY } from "../graph/requests.ts";
import { explainPlan } from "../plan/explain.ts";
import { Buffers, BufferUsage, MapMode } from "../platform/buffers.ts";
import type { Gpu } from "../platform/types.ts";
import type { GpuExecutor } from "./executor.ts";

/** Passes that one query set stamps; WebGPU allows sets of 4,096 queries. */
const PASSES_PER_SET = 2048;

/**
 * Nanoseconds of each dispatch that `work` submits, in the order of encoding. Runtimes may round
 * time stamps (to 100 µs in browsers): repeat short work and take means.
 * `device/limit` where the device has no time stamps.
 */
export async function timeDispatches(
  gpu: Gpu,
  work: () => Promise<unknown>,
): Promise<Float64Array> {
  if (!gpu.capabilities.timestamps)
    throw new WebggufError(
      "device/limit",
      `Cannot time kernels: ${gpu.capabilities.name} has no timestamp-query`,
      { expected: "timestamp-query" },
    );
  const { device } = gpu;
  const sets: GPUQuerySet[] = [];
  let passes = 0;
  const stamps = (): GPUComputePassTimestampWrites => {
    const index = passes++ % PASSES_PER_SET;
    if (index === 0)
      sets.push(device.createQuerySet({ type: "timestamp", count: 2 * PASSES_PER_SET }));
    return {
      querySet: sets.at(-1)!,
      beginningOfPassWriteIndex: 2 * index,
      endOfPassWriteIndex: 2 * index + 1,
    };
  };
  const original = device.createCommandEncoder;
  const standIn = (descriptor?: GPUCommandEncoderDescriptor): GPUCommandEncoder => {
    const encoder = original.call(device, descriptor);
    const begin = encoder.beginComputePass.bind(encoder);
    const pass = (): GPUComputePassEncoder =>
      new SplitPass(() => begin({ timestampWrites: stamps() })) as unknown as GPUComputePassEncoder;
    Object.defineProperty(encoder, "beginComputePass", { value: pass });
    return encoder;
  };
  Object.defineProperty(device, "createCommandEncoder", { value: standIn, configurable: true });
  try {
    await work();
  } finally {
    Reflect.deleteProperty(device, "createCommandEncoder");
  }
  try {
    return await readStamps(gpu, sets, passes);
  } finally {
    for (const set of sets) set.destroy();
  }
}

/** Stands in for a pass: makes a pass of its own for every dispatch, with the state set so far. */
class SplitPass {
  readonly #begin: () => GPUComputePassEncoder;
  readonly #groups: { group: GPUBindGroup; offsets: readonly number[] }[] = [];
  #pipeline: GPUComputePipeline | undefined;

  constructor(begin: () => GPUComputePassEncoder) {
    this.#begin = begin;
  }

  setPipeline(pipeline: GPUComputePipeline): void {
    this.#pipeline = pipeline;
  }

  setBindGroup(index: number, group: GPUBindGroup, offsets: readonly number[] = []): void {
    this.#groups[index] = { group, offsets };
  }

  dispatchWorkgroups(x: number, y?: number, z?: number): void {
    const pass = this.#begin();
    pass.setPipeline(this.#pipeline!);
    this.#groups.forEach(({ group, offsets }, i) => pass.setBindGroup(i, group, offsets));
    pass.dispatchWorkgroups(x, y, z);
    pass.end();
  }

  end(): void {}
}

async function readStamps(
  gpu: Gpu,
  sets: readonly GPUQuerySet[],
  passes: number,
): Promise<Float64Array> {
  const { device } = gpu;
  const bytes = 16 * PASSES_PER_SET;
  const buffers = new Buffers(gpu);
  try {
    const { queryResolve, copySource, copyTarget, mapRead } = BufferUsage;
    const resolved = buffers.allocate("time stamps", bytes, queryResolve | copySource);
    const staging = buffers.allocate("time stamps", bytes, mapRead | copyTarget);
    const times = new Float64Array(passes);
    for (let s = 0; s < sets.length; s++) {
      const first = s * PASSES_PER_SET;
      const count = Math.min(PASSES_PER_SET, passes - first);
      const encoder = device.createCommandEncoder();
      encoder.resolveQuerySet(sets[s], 0, 2 * count, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16 * count);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(MapMode.read, 0, 16 * count);
      const values = new BigInt64Array(staging.getMappedRange(0, 16 * count));
      for (let i = 0; i < count; i++) times[first + i] = Number(values[2 * i + 1] - values[2 * i]);
      staging.unmap();
    }
    gpu.check();
    return times;
  } finally {
    buffers.disposeAll();
  }
}

/**
 * Profiles decode steps of a sequence, which grows by `steps` + 1 rows (the first step is not
 * counted). The sequence must have room for them.
 */
export async function profileDecode(
  gpu: Gpu,
  executor: GpuExecutor,
  sequence: number,
  steps: number,
): Promise<TimedCall[]> {
  const rows = explainPlan(executor.model.plans[0]);
  const sums = new Float64Array(rows.length);
  for (let i = 0; i <= steps; i++) {
    const times = await timeDispatches(gpu, () =>
      executor.step([{ sequence, input: [0], outputs: "last", sample: GREEDY }]),
    );
    if (times.length !== rows.length)
      throw new Error(`profile: ${times.length} dispatches where the plan has ${rows.length}`);
    if (i > 0) times.forEach((time, r) => (sums[r] += time));
  }
  return rows.map((row, r) => ({ ...row, nanoseconds: sums[r] / steps }));
}
