/** Models of the reference on the GPU executor, for the tests of plans. */
import { bufferSource } from "../../src/bytes/buffer.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GpuExecutor } from "../../src/gpu/executor.ts";
import { createGpuExecutor } from "../../src/gpu/open.ts";
import type { Executor } from "../../src/graph/executor.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { buildGraph } from "../../src/models/index.ts";
import type { PlanOptions } from "../../src/plan/settings.ts";
import type { Tuning } from "../../src/plan/tuning-types.ts";
import type { Gpu } from "../../src/platform/types.ts";
import { fixture, fixtureJson } from "../fixture.ts";

export interface TestModel {
  readonly graph: Graph;
  readonly file: ModelFile;
  readonly tokens: readonly number[];
}

export const CONTEXT = 128;

/** A model below test/fixtures/reference/archs. */
export async function openModel(name: string, contextLength: number = CONTEXT): Promise<TestModel> {
  const path = `reference/archs/${name}`;
  const file = await readGguf(bufferSource(await fixture(`${path}.gguf`), `${name}.gguf`));
  const { tokens } = await fixtureJson<{ tokens: number[] }>(`${path}.tokens.json`);
  return { graph: buildGraph(file, { contextLength }), file, tokens };
}

/** The defaults of these tests: one sequence, f32 cache, chunks of 32. */
export const optionsOf = (options: Partial<PlanOptions> = {}): PlanOptions => ({
  contextLength: CONTEXT,
  maxSequences: 1,
  cacheTypeK: "f32",
  cacheTypeV: "f32",
  chunk: 32,
  ...options,
});

/** Options with a tuning for whatever adapter the test has. */
export type TestOptions = Partial<Omit<PlanOptions, "tuning">> & {
  readonly tuning?: Partial<Tuning>;
};

export function openExecutor(
  gpu: Gpu,
  { graph, file }: TestModel,
  { tuning, ...options }: TestOptions = {},
): Promise<GpuExecutor> {
  const measured = tuning && [{ adapter: gpu.capabilities.name, ...tuning }];
  return createGpuExecutor(graph, file, gpu, { ...optionsOf(options), tuning: measured });
}

/** Logits of all of the tokens, given in steps of these sizes. */
export async function logitsOf(
  executor: Executor,
  tokens: readonly number[],
  sizes: readonly number[],
  sequence = 0,
): Promise<Float32Array[]> {
  const parts: Float32Array[] = [];
  let at = 0;
  for (const size of sizes) {
    const request = {
      sequence,
      input: tokens.slice(at, at + size),
      outputs: "all",
      read: true,
    } as const;
    const [result] = await executor.step([request]);
    parts.push(result.rows);
    at += size;
  }
  return parts;
}

export function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A step of each class of rows: a chunk, a few rows, single ones. */
export const everyClass: readonly number[] = [17, 3, 8, 1, 1];
