/** Where a model is computed: on the adapter asked for, or wherever a short measurement says. */
import { platform } from "#platform";
import { WebggufError } from "../base/errors.ts";
import { type CpuExecutorHooks, createCpuExecutor } from "../cpu/executor.ts";
import type { ModelFile } from "../file/types.ts";
import type { GpuExecutorOptions } from "../gpu/executor.ts";
import { createGpuExecutor, type ExecutorHooks } from "../gpu/open.ts";
import type { Executor } from "../graph/executor.ts";
import type { Graph } from "../graph/ops.ts";
import type { CacheTypeName } from "../kernels/slot.ts";
import type { Gpu } from "../platform/types.ts";
import { createRowSampler } from "../sample/row.ts";
import { batched } from "./batch.ts";
import { estimateSpeed } from "./probe.ts";
import type { LoadOptions, Model } from "./types.ts";

/** Load options with everything decided but the device's own choices. */
export interface ExecutorOptions extends LoadOptions {
  readonly contextLength: number;
}

/** An executor with the device under it. */
export interface Placed {
  readonly executor: Executor;
  readonly device: Model["device"];
  /** What `device` must say to come here again without another measurement. */
  readonly chosen: string;
  dispose(): Promise<void>;
}

/** Slower than this, a notice says so before the weights are loaded. */
const SLOW_SECONDS = 1;

/** Opens a device as `options.device` says and loads the graph's weights into it. */
export async function openExecutor(
  graph: Graph,
  file: ModelFile,
  options: ExecutorOptions,
): Promise<Placed> {
  const wanted = options.device ?? "auto";
  if (wanted === "cpu") return onCpu(graph, file, options);
  if (wanted === "auto") {
    const gpu = await findGpu(options);
    return gpu ? fasterOf(gpu, graph, file, options) : onCpu(graph, file, options);
  }
  const gpu = await platform.openGpu(wanted === "gpu" ? {} : { name: wanted });
  return onGpu(gpu, graph, file, options, wanted);
}

/** An adapter, or none with a calm line that says why. */
async function findGpu(options: ExecutorOptions): Promise<Gpu | undefined> {
  try {
    return await platform.openGpu();
  } catch (error) {
    if (!(error instanceof WebggufError) || error.code !== "device/no-adapter") throw error;
    options.onNotice?.(`Computing on the CPU: ${error.message}`);
    return undefined;
  }
}

/** A real GPU is taken as it is; software emulation only if it measures faster than the CPU path. */
async function fasterOf(
  gpu: Gpu,
  graph: Graph,
  file: ModelFile,
  options: ExecutorOptions,
): Promise<Placed> {
  if (!gpu.capabilities.software) return onGpu(gpu, graph, file, options, "gpu");
  try {
    const seconds = await estimateSpeed(gpu, graph, file, options.signal);
    const best = Math.min(seconds.gpu, seconds.cpu);
    if (best > SLOW_SECONDS)
      options.onNotice?.(
        `This machine has no GPU driver: expect about ${best.toPrecision(2)} seconds per token for this model`,
      );
    if (seconds.gpu <= seconds.cpu) return onGpu(gpu, graph, file, options, "gpu");
  } catch (error) {
    gpu.dispose();
    throw error;
  }
  gpu.dispose();
  return onCpu(graph, file, options);
}

async function onGpu(
  gpu: Gpu,
  graph: Graph,
  file: ModelFile,
  options: ExecutorOptions,
  chosen: string,
): Promise<Placed> {
  try {
    const hooks: ExecutorHooks = {
      signal: options.signal,
      onProgress: (stage, loaded, total) => options.onProgress?.({ stage, loaded, total }),
    };
    const settings = decided(options, gpu.capabilities.name);
    const executor = batched(await createGpuExecutor(graph, file, gpu, settings, hooks));
    return {
      executor,
      device: { kind: "gpu", name: executor.adapter, software: gpu.capabilities.software },
      chosen,
      async dispose() {
        await executor.dispose();
        gpu.dispose();
      },
    };
  } catch (error) {
    gpu.dispose();
    throw error;
  }
}

async function onCpu(graph: Graph, file: ModelFile, options: ExecutorOptions): Promise<Placed> {
  const { cacheTypeK, cacheTypeV, ...rest } = decided(options);
  const cache = { cacheTypeK: plainCache(cacheTypeK), cacheTypeV: plainCache(cacheTypeV) };
  const hooks: CpuExecutorHooks = {
    signal: options.signal,
    onProgress: (loaded, total) => options.onProgress?.({ stage: "read", loaded, total }),
    sampleRow: createRowSampler(graph.vocabulary),
  };
  const executor = batched(await createCpuExecutor(graph, file, { ...rest, ...cache }, hooks));
  return {
    executor,
    device: { kind: "cpu", name: executor.adapter, software: false },
    chosen: "cpu",
    dispose: () => executor.dispose(),
  };
}

/** The CPU path keeps no quantised cache; f16 is the nearest that it has. */
const plainCache = (type: CacheTypeName): "f32" | "f16" => (type === "f32" ? "f32" : "f16");

/** The options that executors take, with the defaults filled in. */
export const decided = (options: ExecutorOptions, adapter = ""): GpuExecutorOptions => ({
  contextLength: options.contextLength,
  maxSequences: options.maxSequences ?? 1,
  cacheTypeK: options.cacheTypeK ?? "f16",
  cacheTypeV: options.cacheTypeV ?? "f16",
  chunk: options.chunk,
  stepsInFlight: options.stepsInFlight,
  int8: options.int8,
  noFuse: options.noFuse,
  tuning: options.tuning?.find((one) => one.adapter === adapter),
});
