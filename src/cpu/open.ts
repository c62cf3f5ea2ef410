/** The CPU as a device: products in WebAssembly, or plain TypeScript throughout, the oracle of all kernels. */
import type { ModelFile } from "../file/types.ts";
import type { Executor } from "../graph/executor.ts";
import type { Graph } from "../graph/graph.ts";
import type { ComputeOptions } from "../graph/settings.ts";
import { CpuExecutor, type CpuExecutorHooks } from "./executor.ts";
import { plainOps } from "./ops/index.ts";
import { Pace } from "./pace.ts";
import { GraphRun } from "./run.ts";
import { fullBytes } from "./sequence.ts";
import { placeMatrices } from "./wasm/place.ts";
import { hasKernels, heldBy, wasmStore } from "./wasm/store.ts";
import {
  floatBytes,
  loadCpuWeights,
  type MatrixStore,
  plainStore,
  planCpuWeights,
  type WeightPlan,
} from "./weights.ts";

export interface CpuDevice {
  /** "CPU (WebAssembly SIMD)", "CPU (TypeScript)". */
  readonly name: string;
  /** Where it is not as fast as it could be: why. */
  readonly notice?: string;
  /** What an executor will hold when all its sequences are full, told before anything is read. */
  memory(graph: Graph, file: ModelFile, options: ComputeOptions): Executor["memory"];
  /** Reads the weights that the graph names and makes an executor of them. */
  create(
    graph: Graph,
    file: ModelFile,
    options: ComputeOptions,
    hooks?: CpuExecutorHooks,
  ): Promise<CpuExecutor>;
}

/** How matrices are kept, and what that takes. */
interface Keeping {
  held(plan: WeightPlan): Pick<MatrixStore, "bytes" | "scratch">;
  store(plan: WeightPlan): MatrixStore | Promise<MatrixStore>;
}

function device(name: string, keeping: Keeping): CpuDevice {
  return {
    name,
    memory(graph, file, { contextLength, maxSequences = 1 }) {
      const plan = planCpuWeights(graph, file);
      const { bytes, scratch } = keeping.held(plan);
      const cache = maxSequences * fullBytes(graph, contextLength);
      return { weights: bytes + floatBytes(plan.vectors), cache, arena: scratch };
    },
    async create(graph, file, options, hooks = {}) {
      const plan = planCpuWeights(graph, file);
      const { signal, onProgress } = hooks;
      const store = await keeping.store(plan);
      const weights = await loadCpuWeights(file, plan, store, signal, onProgress);
      const run = new GraphRun(graph, weights, plainOps, new Pace());
      return new CpuExecutor(name, graph, run, options, hooks);
    },
  };
}

/** All in plain TypeScript, products in double precision. */
export const plainCpu: CpuDevice = device("CPU (TypeScript)", {
  held: plainStore,
  store: plainStore,
});

const wasmCpu: CpuDevice = device("CPU (WebAssembly SIMD)", {
  held: ({ matrices }) => heldBy(placeMatrices(matrices)),
  store: wasmStore,
});

/** The faster of the two that there is here. */
export async function openCpu(): Promise<CpuDevice> {
  if (await hasKernels()) return wasmCpu;
  const notice =
    "Computing without WebAssembly SIMD, which is missing or forbidden here: answers are much slower";
  return { ...plainCpu, notice };
}
