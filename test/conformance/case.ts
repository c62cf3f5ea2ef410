/** What the areas of the conformance run have in common. Runtime-agnostic, like all files beside it but main.ts. */
import type { ModelFile } from "../../src/file/types.ts";
import type { Executor } from "../../src/graph/executor.ts";
import type { Graph } from "../../src/graph/graph.ts";

/** Reads a file below the reference folder; rejects when it is not there. */
export type Reader = (path: string) => Promise<Uint8Array<ArrayBuffer>>;

/** Makes the executor under test. */
export type MakeExecutor = (
  graph: Graph,
  file: ModelFile,
  options: { contextLength: number; maxSequences: number },
) => Promise<Executor>;

/** One figure of a case. */
export interface Outcome {
  readonly metric: string;
  readonly value: number;
  readonly bound: number;
  readonly pass: boolean;
  /** Why it differs, where a table of exceptions says so. */
  readonly known?: string;
}

/** How the executor under test computes. */
export interface Setup {
  readonly make: MakeExecutor;
  readonly device: "gpu" | "cpu";
  /** Of the activations, else of the cache: f32 only when keys and values both are. */
  readonly precision: "f32" | "f16" | "int8";
  /** Bound of products with quantised weights, where activations are rounded: 1e-7 for 15 bits. */
  readonly products?: number;
}

/** A named case; text cases need no executor. */
export interface Case {
  readonly name: string;
  readonly computes: boolean;
  run(setup: Setup): Promise<readonly Outcome[]>;
}

export const atMost = (metric: string, value: number, bound: number): Outcome => ({
  metric,
  value,
  bound,
  pass: value <= bound,
});

/**
 * Differences, of which there should be none unless a table knows the cause: then none is what fails,
 * as the table is out of date.
 */
export function differences(metric: string, count: number, known?: string): Outcome {
  const outcome = atMost(known === undefined ? metric : `${metric}, known: ${known}`, count, 0);
  if (known === undefined) return outcome;
  return count > 0 ? { ...outcome, known } : { ...outcome, pass: false };
}

const decoder = new TextDecoder();

export async function readJson<T>(reader: Reader, path: string): Promise<T> {
  return JSON.parse(decoder.decode(await reader(path))) as T;
}

/** Little-endian floats of a file. */
export async function readFloats(reader: Reader, path: string): Promise<Float32Array> {
  return new Float32Array((await reader(path)).slice().buffer);
}

/** Undefined where a part of the reference is not in the folder. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch {
    return undefined;
  }
}
