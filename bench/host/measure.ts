/**
 * The host's part of a decode step against the bare cost of the same calls to WebGPU, in any runtime.
 *
 * The model has the depth of an 8B llama and next to no width, so that the GPU's part is small. The
 * bare loop makes the very same calls from flat arrays, setting the pipeline before every dispatch.
 * Both are timed up to queue.submit, which is the driver's own affair, and up to its return; reading
 * the token back comes after that in both and is not timed.
 */
import { platform } from "#platform";
import { median } from "../../src/base/median.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { quantTables } from "../../src/file/grids.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GpuExecutor } from "../../src/gpu/executor.ts";
import { createGpuExecutor } from "../../src/gpu/open.ts";
import { Pipelines } from "../../src/gpu/pipelines.ts";
import { GREEDY } from "../../src/graph/requests.ts";
import { encodeParams } from "../../src/kernels/call.ts";
import { buildGraph } from "../../src/models/index.ts";
import { encodeStep, slotBytes } from "../../src/plan/steps.ts";
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

const CONTEXT = 4096;
const SLOT = slotBytes(1);

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

/** A step of the engine and the same calls made barely; each resolves when its token is back. */
export interface Pair {
  readonly dispatches: number;
  step(): Promise<Spent>;
  bare(): Promise<Spent>;
  dispose(): Promise<void>;
}

/** The calls of a step made barely. */
interface Bare {
  readonly dispatches: number;
  run(): Promise<void>;
  dispose(): void;
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
      tuning: [{ adapter: gpu.capabilities.name, splits: 16, fuseNorm: true }],
    },
  );
  const bare = bareStep(gpu, executor);
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
    dispatches: bare.dispatches,
    step: () => {
      if (executor.length(0) + 1 >= CONTEXT) executor.rewind(0, 0);
      const tokens = executor.length(0) === 0 ? [0] : "sampled";
      return timed(() =>
        executor.step([{ sequence: 0, input: tokens, outputs: "last", sample: GREEDY }]),
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

/**
 * The calls of the executor's decode step on buffers of their own, so that nothing of the engine runs, or is stood in
 * for, while they are made: a JavaScript engine would remember it where the step is compiled.
 */
function bareStep(gpu: Gpu, executor: GpuExecutor): Bare {
  const { device } = gpu;
  const { storage, copySource, copyTarget, mapRead, uniform } = BufferUsage;
  const buffers = new Buffers(gpu);
  const named = new Map<string, GPUBuffer>();
  for (const [name, bytes] of [...executor.model.placement.buffers, ...executor.model.buffers])
    named.set(name, buffers.allocate(name, bytes, storage | copySource | copyTarget));
  const tables = buffers.allocate("tables", quantTables().byteLength, storage);
  named.set("tables", tables);
  const words = new Uint32Array(SLOT / 4);
  encodeStep(words, 0, [{ sequence: 0, position: 0, token: 1, end: 1, output: true }], 0);
  const pipelines = Pipelines.of(device);
  const { calls } = executor.model.plans[0];
  const groups = calls.map((call) => {
    const params = encodeParams(call);
    const own = buffers.allocate("params", params.length, uniform | copyTarget);
    device.queue.writeBuffer(own, 0, params);
    return device.createBindGroup({
      layout: pipelines.groupLayout(call),
      entries: [
        { binding: 0, resource: { buffer: own } },
        ...call.bindings.map(({ buffer, offset, size }, i) => ({
          binding: i + 1,
          resource: { buffer: named.get(buffer)!, offset, size: size || undefined },
        })),
      ],
    });
  });
  const [step, pages] = ["step", "pages"].map((name) => named.get(name)!);
  const stepGroup = pipelines.stepGroup(step, SLOT, pages);
  const tableGroup = pipelines.tablesGroup(tables);
  const made = calls.map((call) => pipelines.get(call));
  const [x, y, z] = (["x", "y", "z"] as const).map((axis) =>
    calls.map(({ grid }) => (grid.rows === axis ? Math.ceil(1 / grid.tile) : grid[axis])),
  );
  const token = named.get("sampled")!;
  const staging = buffers.allocate("staging", 4, mapRead | copyTarget);
  return {
    dispatches: calls.length,
    async run() {
      device.queue.writeBuffer(step, 0, words);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setBindGroup(2, tableGroup);
      pass.setBindGroup(0, stepGroup, [0]);
      for (let i = 0; i < made.length; i++) {
        pass.setPipeline(made[i]);
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

/** In turns, each first as often as second, so that what else the machine does strikes both. */
export async function measureHost(gpu: Gpu): Promise<HostReport> {
  await warm(gpu);
  const pair = await openPair(gpu);
  try {
    const steps: Spent[] = [];
    const bares: Spent[] = [];
    const started = performance.now();
    while (steps.length < ROUNDS && performance.now() - started < 1000 * SECONDS) {
      const rounds: ["step" | "bare", Spent[]][] = [
        ["step", steps],
        ["bare", bares],
      ];
      if (steps.length % 2 === 1) rounds.reverse();
      for (const [which, spent] of rounds) {
        spent.push(await pair[which]());
        await gpu.device.queue.onSubmittedWorkDone();
      }
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
