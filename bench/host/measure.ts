/**
 * The host's part of a decode step against the bare cost of the same calls to WebGPU, in any runtime.
 *
 * The model has the depth of an 8B llama and next to no width, so that the GPU's part is small. One
 * step is recorded from outside; the bare loop makes the very same calls from flat arrays, setting
 * the pipeline before every dispatch. Both are timed up to queue.submit, which is the driver's own
 * affair, and up to its return; reading the token back comes after that in both and is not timed.
 */
import { platform } from "#platform";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { buildGraph } from "../../src/models/index.ts";
import { createGpuExecutor } from "../../src/plan/create.ts";
import type { GpuExecutor } from "../../src/plan/executor.ts";
import { Buffers, BufferUsage, MapMode } from "../../src/platform/buffers.ts";
import type { Gpu } from "../../src/platform/types.ts";
import { type ModelShape, writeRandomModel } from "../models.ts";

const shape: ModelShape = {
  architecture: "llama",
  layers: 32,
  width: 64,
  heads: 2,
  kvHeads: 1,
  headWidth: 32,
  feedForward: 64,
  vocabulary: 320,
  tied: false,
  context: 4096,
  ropeBase: 10000,
  epsilon: 1e-5,
};

const GREEDY = { temperature: 0, topK: 1, topP: 1, minP: 0, seed: 0 } as const;
const CONTEXT = 4096;

export interface HostReport {
  readonly runtime: string;
  readonly adapter: string;
  readonly dispatches: number;
  /** Up to the call of queue.submit. */
  readonly encode: Compared;
  /** Up to its return. */
  readonly submit: Compared;
}

/** Medians in microseconds, and their ratio. */
export interface Compared {
  readonly step: number;
  readonly bare: number;
  readonly ratio: number;
}

/** Milliseconds from the start of a step up to the call of queue.submit and up to its return. */
export interface Spent {
  readonly encode: number;
  readonly submit: number;
}

/** One call on a compute pass. */
interface Recorded {
  readonly pipeline: GPUComputePipeline;
  readonly groups: readonly { index: number; group: GPUBindGroup; offsets: number[] }[];
  readonly grid: readonly [number, number, number];
}

/** A step of the engine and the same calls made barely; each resolves when its token is back. */
export interface Pair {
  readonly dispatches: number;
  step(): Promise<Spent>;
  bare(): Promise<Spent>;
  dispose(): Promise<void>;
}

export async function openPair(gpu: Gpu, layers: number = shape.layers): Promise<Pair> {
  const bytes = await writeRandomModel({ shape, type: "q8_0", layers });
  const file = await readGguf(bufferSource(bytes, "8b.gguf"));
  const executor = await createGpuExecutor(
    buildGraph(file, { contextLength: CONTEXT }),
    file,
    gpu,
    {
      contextLength: CONTEXT,
      maxSequences: 1,
      cacheTypeK: "f16",
      cacheTypeV: "f16",
      chunk: 8,
      stepsInFlight: 1,
      // As on a GPU: attention in splits with its reduction.
      tuning: { splits: 16, fuseNorm: true },
    },
  );
  const calls = await record(gpu, executor);
  const bare = bareStep(gpu, calls);
  const { queue } = gpu.device;
  const submit = queue.submit.bind(queue);
  let submitted = 0;
  const noting = (buffers: Iterable<GPUCommandBuffer>): undefined => {
    submitted = performance.now();
    return submit(buffers);
  };
  Object.defineProperty(queue, "submit", { value: noting, configurable: true });
  const timed = async (run: () => Promise<unknown>): Promise<Spent> => {
    const start = performance.now();
    const running = run();
    const end = performance.now();
    await running;
    return { encode: submitted - start, submit: end - start };
  };
  return {
    dispatches: calls.length,
    step: () => {
      if (executor.length(0) + 1 >= CONTEXT) executor.rewind(0, 0);
      return timed(() =>
        executor.step([{ sequence: 0, tokens: "sampled", outputs: "last", sample: GREEDY }]),
      );
    },
    bare: () => timed(bare.run),
    async dispose() {
      bare.dispose();
      await executor.dispose();
      Reflect.deleteProperty(queue, "submit");
    },
  };
}

/** What a decode step asks of its compute pass. */
async function record(gpu: Gpu, executor: GpuExecutor): Promise<Recorded[]> {
  const { device } = gpu;
  const calls: Recorded[] = [];
  const original = device.createCommandEncoder;
  const listening = (): GPUCommandEncoder => {
    const encoder = original.call(device);
    const begin = encoder.beginComputePass;
    const passWithEars = (): GPUComputePassEncoder => {
      const pass = begin.call(encoder);
      let pipeline: GPUComputePipeline;
      let groups: Recorded["groups"][number][] = [];
      const { setPipeline, setBindGroup, dispatchWorkgroups } = pass;
      const on = (name: string, value: unknown): void =>
        void Object.defineProperty(pass, name, { value });
      on("setPipeline", (given: GPUComputePipeline) => {
        pipeline = given;
        setPipeline.call(pass, given);
      });
      on("setBindGroup", (index: number, group: GPUBindGroup, offsets: number[] = []) => {
        groups.push({ index, group, offsets });
        Reflect.apply(setBindGroup, pass, [index, group, offsets]);
      });
      on("dispatchWorkgroups", (x: number, y = 1, z = 1) => {
        calls.push({ pipeline, groups, grid: [x, y, z] });
        groups = [];
        dispatchWorkgroups.call(pass, x, y, z);
      });
      return pass;
    };
    Object.defineProperty(encoder, "beginComputePass", { value: passWithEars });
    return encoder;
  };
  Object.defineProperty(device, "createCommandEncoder", { value: listening, configurable: true });
  try {
    await executor.step([{ sequence: 0, tokens: [1], outputs: "last", sample: GREEDY }]);
  } finally {
    Reflect.deleteProperty(device, "createCommandEncoder");
  }
  return calls;
}

function bareStep(gpu: Gpu, calls: readonly Recorded[]): { run(): Promise<void>; dispose(): void } {
  const { device } = gpu;
  const { storage, copySource, copyTarget, mapRead } = BufferUsage;
  const buffers = new Buffers(gpu);
  const step = buffers.allocate("step", 256, storage | copyTarget);
  const token = buffers.allocate("token", 4, storage | copySource);
  const staging = buffers.allocate("staging", 4, mapRead | copyTarget);
  const words = new Uint32Array(64);
  const pipelines = calls.map((one) => one.pipeline);
  const groups = calls.map((one) => one.groups.find(({ index }) => index === 1)!.group);
  const [x, y, z] = [0, 1, 2].map((axis) => calls.map((one) => one.grid[axis]));
  const once = calls[0].groups.filter(({ index }) => index !== 1);
  return {
    async run() {
      device.queue.writeBuffer(step, 0, words, 0, 64);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const { index, group, offsets } of once) pass.setBindGroup(index, group, offsets);
      for (let i = 0; i < pipelines.length; i++) {
        pass.setPipeline(pipelines[i]);
        pass.setBindGroup(1, groups[i]);
        pass.dispatchWorkgroups(x[i], y[i], z[i]);
      }
      pass.end();
      encoder.copyBufferToBuffer(token, 0, staging, 0, 4);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(MapMode.read, 0, 4);
      new Int32Array(staging.getMappedRange(0, 4).slice(0));
      staging.unmap();
    },
    dispose: () => buffers.disposeAll(),
  };
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1];

/** Rounds, and seconds after which fewer must do; the first third does not count. */
const ROUNDS = 1000;
const SECONDS = 90;
/** Rounds of a model of one layer in front, after which all of the code has been compiled. */
const WARM_ROUNDS = 2000;
const WARM_SECONDS = 60;

/** Software adapters are so slow that a measurement would end before a JavaScript engine had optimized the code. */
async function warm(gpu: Gpu): Promise<void> {
  const pair = await openPair(gpu, 1);
  const started = performance.now();
  for (let i = 0; i < WARM_ROUNDS && performance.now() - started < 1000 * WARM_SECONDS; i++) {
    await pair.step();
    await pair.bare();
  }
  await pair.dispose();
}

/** One after the other, so that what else the machine does strikes both. */
export async function measureHost(gpu: Gpu): Promise<HostReport> {
  await warm(gpu);
  const pair = await openPair(gpu);
  try {
    const steps: Spent[] = [];
    const bares: Spent[] = [];
    const started = performance.now();
    while (steps.length < ROUNDS && performance.now() - started < 1000 * SECONDS) {
      const step = await pair.step();
      await gpu.device.queue.onSubmittedWorkDone();
      const bare = await pair.bare();
      await gpu.device.queue.onSubmittedWorkDone();
      steps.push(step);
      bares.push(bare);
    }
    gpu.check();
    const compare = (what: keyof Spent): Compared => {
      const [step, bare] = [steps, bares].map((all) => {
        const settled = all.slice(Math.floor(all.length / 3));
        return 1000 * median(settled.map((one) => one[what]));
      });
      return { step, bare, ratio: step / bare };
    };
    return {
      runtime: platform.runtime,
      adapter: gpu.capabilities.name,
      dispatches: pair.dispatches,
      encode: compare("encode"),
      submit: compare("submit"),
    };
  } finally {
    await pair.dispose();
  }
}
