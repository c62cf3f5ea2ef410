/** From a graph and its file to an executor on a device: plans, buffers, weights, pipelines. */
import { Follower, orAborted } from "../base/signals.ts";
import type { ModelFile } from "../file/types.ts";
import type { Graph } from "../graph/graph.ts";
import { tokenAngles } from "../graph/rope.ts";
import { type ModelPlan, planFor } from "../plan/model-plan.ts";
import type { PlanOptions } from "../plan/settings.ts";
import { Buffers, BufferUsage } from "../platform/buffers.ts";
import type { Gpu } from "../platform/types.ts";
import { GpuExecutor } from "./executor.ts";
import type { InstrumentMaker } from "./instruments.ts";
import { chooseStepsInFlight } from "./latency.ts";
import { lostMeanwhile, Pipelines } from "./pipelines.ts";
import { Replay } from "./replay.ts";
import { loadWeights } from "./upload.ts";

export interface ExecutorHooks {
  readonly signal?: AbortSignal;
  readonly onProgress?: (stage: "upload" | "compile", done: number, total: number) => void;
  /** For benchmarks: makes `Executor.instruments`. */
  readonly instruments?: InstrumentMaker;
}

/** The grids of the IQ types, where a plan reads them: a page fetches them for such models alone. */
async function tablesOf({ plans }: ModelPlan): Promise<Uint32Array<ArrayBuffer> | undefined> {
  if (!plans.some(({ calls }) => calls.some((call) => call.tables))) return undefined;
  const { quantTables } = await import("../file/grids.ts");
  return quantTables();
}

/** Loads a model; an abort and the loss of the device end it at once, whatever is waited for, and leave no buffer. */
export async function createGpuExecutor(
  graph: Graph,
  file: ModelFile,
  gpu: Gpu,
  options: PlanOptions,
  hooks: ExecutorHooks = {},
): Promise<GpuExecutor> {
  const buffers = new Buffers(gpu);
  const stop = new AbortController();
  const follower = new Follower(hooks.signal, stop.signal);
  const { signal } = follower;
  void gpu.lost.then(() => stop.abort(lostMeanwhile()));
  try {
    const loading = load(graph, file, gpu, buffers, options, { ...hooks, signal });
    return await orAborted(loading, signal);
  } catch (error) {
    stop.abort(error);
    buffers.disposeAll();
    throw error;
  } finally {
    follower.rest();
  }
}

/** What it waits for may take its time, or never come: after each, the signal says whether the buffers are still there. */
async function load(
  graph: Graph,
  file: ModelFile,
  gpu: Gpu,
  buffers: Buffers,
  options: PlanOptions,
  hooks: ExecutorHooks & { signal: AbortSignal },
): Promise<GpuExecutor> {
  const { signal } = hooks;
  const model = planFor(graph, file, gpu, options);
  const tables = await tablesOf(model);
  signal.throwIfAborted();
  const named = new Map<string, GPUBuffer>();
  const { storage, copyTarget, copySource } = BufferUsage;
  const usage = storage | copyTarget | copySource;
  for (const [name, bytes] of model.placement.buffers)
    named.set(name, buffers.allocate("weights", bytes, usage));
  for (const [name, bytes] of model.buffers) named.set(name, buffers.allocate(name, bytes, usage));
  if (tables) named.set("tables", buffers.allocate("tables", tables.byteLength, usage));
  await buffers.settled();
  signal.throwIfAborted();
  const { device } = gpu;
  const pipelines = Pipelines.of(device);
  const { slopes, tables: ropes } = model.constants;
  // Shaders compile while weights stream in.
  const [vectors] = await Promise.all([
    loadWeights(
      { device, staging: buffers, software: gpu.capabilities.software },
      named,
      model.placement,
      file,
      { names: ropes.flatMap(({ table }) => table.factors ?? []), extra: slopes.length },
      {
        signal,
        onProgress: (done, total) => hooks.onProgress?.("upload", done, total),
        settle: async () => {
          await device.queue.onSubmittedWorkDone();
          gpu.check();
        },
      },
    ),
    pipelines.compile(
      model.plans.flatMap((p) => [...p.calls, ...p.sampling]),
      (done, total) => hooks.onProgress?.("compile", done, total),
      signal,
    ),
  ]);
  signal.throwIfAborted();
  vectors.small.set(slopes, model.placement.smallLength);
  if (vectors.small.length > 0) device.queue.writeBuffer(named.get("small")!, 0, vectors.small);
  if (tables) device.queue.writeBuffer(named.get("tables")!, 0, tables);
  for (const { table, offset } of ropes) {
    const factors = table.factors === undefined ? undefined : vectors.named.get(table.factors);
    const angles = tokenAngles(table, options.contextLength, factors);
    device.queue.writeBuffer(named.get("angles")!, 8 * offset, angles);
  }
  const replays = model.plans.map((plan) => new Replay(plan, device, buffers, pipelines, named));
  const stepsInFlight =
    options.stepsInFlight ?? (await chooseStepsInFlight(device, buffers, signal));
  await buffers.settled();
  signal.throwIfAborted();
  gpu.check();
  const executor = new GpuExecutor({
    ...{ graph, gpu, buffers, named, pipelines, model, replays, stepsInFlight },
  });
  const parts = { gpu, graph, file, executor, named };
  executor.instruments = hooks.instruments?.executor(parts);
  return executor;
}
