/** The CPU as a device: products in WebAssembly, or plain TypeScript throughout, the oracle of all kernels. */
import type { ModelFile } from "../file/types.ts";
import type { Executor } from "../graph/executor.ts";
import type { Graph } from "../graph/graph.ts";
import type { ComputeOptions } from "../graph/settings.ts";
import { CpuExecutor, type CpuExecutorHooks } from "./executor.ts";
import type { CpuOps } from "./ops/context.ts";
import { plainOps } from "./ops/index.ts";
import { Pace } from "./pace.ts";
import { GraphRun } from "./run.ts";
import { fullBytes } from "./sequence.ts";
import type { WasmHome } from "./wasm/store.ts";
import {
  floatBytes,
  loadCpuWeights,
  type MatrixStore,
  plainStore,
  planCpuWeights,
  type WeightPlan,
} from "./weights.ts";

export interface CpuDevice {
  /** "CPU (WebAssembly SIMD)", "CPU (TypeScript)"; an executor's says how many threads it has. */
  readonly name: string;
  /** Threads that a model can have here, unless it asks for others. */
  readonly threads: number;
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

/** How a model is kept and computed. */
interface Way {
  needs(graph: Graph, plan: WeightPlan, options: ComputeOptions): Executor["memory"];
  make(
    graph: Graph,
    plan: WeightPlan,
    options: ComputeOptions,
  ): ({ store: MatrixStore; ops: CpuOps } & Partial<WasmHome>) | Promise<WasmHome>;
}

function device(name: string, threads: number, way: Way): CpuDevice {
  return {
    name,
    threads,
    memory: (graph, file, options) => way.needs(graph, planCpuWeights(graph, file), options),
    async create(graph, file, options, hooks = {}) {
      const plan = planCpuWeights(graph, file);
      const { signal, onProgress } = hooks;
      const { store, ops, room, settle, end } = await way.make(graph, plan, options);
      try {
        const weights = await loadCpuWeights(file, plan, store, signal, onProgress);
        const { threads = 1, trouble } = (await settle?.()) ?? {};
        if (trouble) hooks.onNotice?.(`Computing with one thread: no others here (${trouble})`);
        const run = new GraphRun(graph, weights, ops, new Pace(), room);
        const full = threads > 1 ? name.replace(")", `, ${threads} threads)`) : name;
        return new CpuExecutor(full, graph, run, options, hooks, end);
      } catch (error) {
        end?.();
        throw error;
      }
    },
  };
}

/** All in plain TypeScript, products in double precision. */
export const plainCpu: CpuDevice = device("CPU (TypeScript)", 1, {
  needs(graph, plan, { contextLength, maxSequences = 1 }) {
    const { bytes, scratch } = plainStore(plan);
    return {
      weights: bytes + floatBytes(plan.vectors),
      cache: fullBytes(graph, contextLength, maxSequences),
      arena: scratch,
    };
  },
  make: (_, plan) => ({ store: plainStore(plan), ops: plainOps }),
});

/** A module of one function with two instructions of SIMD. */
const simd = Uint8Array.from(
  [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0].concat([
    10, 10, 1, 8, 0, 0x41, 0, 0xfd, 15, 0xfd, 98, 0x0b,
  ]),
);

/** Whether there is WebAssembly with SIMD, and the page's policy allows it. */
async function hasKernels(): Promise<boolean> {
  try {
    await WebAssembly.compile(simd);
    return true;
  } catch {
    return false;
  }
}

/** The faster of the two that there is here. */
export async function openCpu(): Promise<CpuDevice> {
  if (await hasKernels()) {
    const { neededFor, threadsFor, wasmHome } = await import("./wasm/store.ts");
    return device("CPU (WebAssembly SIMD)", threadsFor(), {
      needs: neededFor,
      make: (graph, plan, options) => wasmHome(graph, plan, options),
    });
  }
  const notice =
    "Computing without WebAssembly SIMD, which is missing or forbidden here: answers are much slower";
  return { ...plainCpu, notice };
}
