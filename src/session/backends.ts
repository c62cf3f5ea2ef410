/** The ways to compute a model, best first. A further way is one more entry of the list. */
import { platform } from "#platform";
import type { ModelFile } from "../file/types.ts";
import type { InstrumentMaker } from "../gpu/instruments.ts";
import { createGpuExecutor } from "../gpu/open.ts";
import type { Executor } from "../graph/executor.ts";
import type { Graph } from "../graph/graph.ts";
import type { DeviceInstruments } from "../graph/instruments.ts";
import { planFor } from "../plan/model-plan.ts";
import { createRowSampler } from "../sample/row.ts";
import type { LoadOptions, LoadProgress, Model } from "./types.ts";

/** Load options with the context decided. */
export interface ExecutorOptions extends LoadOptions {
  readonly contextLength: number;
}

/** While weights are loaded. */
export interface LoadHooks {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** A device that is there: models can be loaded on it. */
export interface Device {
  readonly kind: Model["device"]["kind"];
  /** "SwiftShader driver 5.0.0", "CPU (WebAssembly SIMD)". */
  readonly name: string;
  /** What a user of it should know. */
  readonly notice?: string;
  /** Whether it is a GPU in software emulation. */
  readonly software: boolean;
  /** Where it was opened with instruments. */
  readonly instruments?: DeviceInstruments;
  /** Bytes by owner that loading will take. */
  needs(graph: Graph, file: ModelFile, options: ExecutorOptions): Executor["memory"];
  load(
    graph: Graph,
    file: ModelFile,
    options: ExecutorOptions,
    hooks: LoadHooks,
  ): Promise<Executor>;
  dispose(): void;
}

export interface Backend {
  /** What `LoadOptions.device` calls it. */
  readonly name: Device["kind"];
  /**
   * Opens its device: the one whose name contains `name`, or its best. `device/no-adapter` where there is none.
   * Benchmarks pass `instruments`, which the device and what is loaded on it then have.
   */
  open(name?: string, instruments?: InstrumentMaker): Promise<Device>;
}

const gpu: Backend = {
  name: "gpu",
  async open(name, instruments) {
    const gpu = await platform.openGpu(name === undefined ? {} : { name });
    return {
      kind: "gpu",
      name: gpu.capabilities.name,
      software: gpu.capabilities.software,
      instruments: instruments?.device(gpu),
      needs: (graph, file, options) => planFor(graph, file, gpu, options).memory,
      load(graph, file, options, { signal, onProgress }) {
        return createGpuExecutor(graph, file, gpu, options, {
          signal,
          instruments,
          onProgress: (stage, loaded, total) => onProgress?.({ stage, loaded, total }),
        });
      },
      dispose: () => gpu.dispose(),
    };
  },
};

const cpu: Backend = {
  name: "cpu",
  async open() {
    // A chunk of its own in a page's bundle: with a GPU it is never fetched.
    const { openCpu } = await import("../cpu/open.ts");
    const { name, notice, memory, create } = await openCpu();
    return {
      kind: "cpu",
      name,
      notice,
      software: false,
      needs: memory,
      load(graph, file, options, { signal, onProgress }) {
        return create(graph, file, options, {
          signal,
          onProgress: (loaded, total) => onProgress?.({ stage: "read", loaded, total }),
          onNotice: options.onNotice,
          sampleRow: createRowSampler(graph.vocabulary),
        });
      },
      dispose() {},
    };
  },
};

export const backends: readonly Backend[] = [gpu, cpu];

/** The part of an adapter's name that `LoadOptions.device` asks for, if it asks for one. */
export function adapterName(device: string | undefined): string | undefined {
  return device === undefined || ["auto", "gpu", "cpu"].includes(device) ? undefined : device;
}
