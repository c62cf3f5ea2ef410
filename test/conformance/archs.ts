/**
 * One architecture against llama.cpp's logits: in one chunk, in chunks of 7, token by token, with a
 * rewind in the middle and with two sequences in the same steps.
 */
import { bufferSource } from "../../src/bytes/buffer.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { Executor } from "../../src/graph/executor.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { SequenceId } from "../../src/graph/requests.ts";
import { buildGraph } from "../../src/models/index.ts";

/** Reads a file below the reference folder. */
export type Reader = (path: string) => Promise<Uint8Array<ArrayBuffer>>;

export type MakeExecutor = (
  graph: Graph,
  file: ModelFile,
  options: { contextLength: number; maxSequences: number },
) => Promise<Executor>;

export interface ArchRow {
  readonly name: string;
  readonly metric: string;
  readonly value: number;
  readonly bound: number;
  readonly pass: boolean;
}

/** How exact a run must be. */
export interface ArchBounds {
  /** Cache and arithmetic that the executor uses. @default "f32" */
  readonly precision?: "f32" | "f16" | "int8";
  /** Tighter than the contract, for executors that can do better. */
  readonly bound?: number;
}

/** What index.json says of a model; figures that are absent or null count as 0. */
export interface ArchEntry {
  readonly name: string;
  readonly arch: string;
  readonly file: string;
  readonly output_file: string;
  readonly tokens_file?: string;
  readonly noise_floor_nmse?: number | string | null;
  readonly nmse_f16_file_run?: number | string | null;
  readonly nmse_flash_attn?: number | string | null;
  readonly nmse_prebuilt_baseline_x64?: number | string | null;
  readonly nmse_llamacpp_quantized_path?: number | string | null;
}

const text = new TextDecoder();

/** Σ(a − b)² / Σb². */
export function nmse(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  let [error, power] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i] - expected[i]) ** 2;
    power += expected[i] ** 2;
  }
  return error / power;
}

/** A figure of the index; what was not measured counts as 0. */
const figure = (value: unknown): number => (typeof value === "number" ? value : 0);

/** How far logits may lie from the reference, by the noise that the reference itself has. */
export function boundOf(entry: ArchEntry, precision: "f32" | "f16" | "int8"): number {
  // The stock build that measures the noise is wrong for these two.
  const wrong = entry.arch === "rwkv7" || entry.arch === "arwkv7";
  const noise = figure(wrong ? entry.nmse_prebuilt_baseline_x64 : entry.noise_floor_nmse);
  if (precision === "f32") return Math.max(1e-6, 4 * noise);
  if (precision === "int8") return Math.max(1e-3, 4 * figure(entry.nmse_llamacpp_quantized_path));
  const storage = Math.max(noise, figure(entry.nmse_f16_file_run), figure(entry.nmse_flash_attn));
  return Math.max(1e-4, 4 * storage);
}

/** The entries of `archs` and `archs/quantized`, by conformance name. */
export async function readArchIndex(reader: Reader): Promise<Map<string, ArchEntry>> {
  const entries = new Map<string, ArchEntry>();
  for (const folder of ["archs", "archs/quantized"]) {
    const bytes = await reader(`${folder}/index.json`).catch(() => undefined);
    if (!bytes) continue;
    const index = JSON.parse(text.decode(bytes)) as { models: ArchEntry[] };
    for (const entry of index.models) entries.set(`${folder}/${entry.name}`, entry);
  }
  return entries;
}

/** Feeds tokens in chunks and returns the logits of all of them, [tokens][width]. */
export async function feed(
  executor: Executor,
  sequence: SequenceId,
  tokens: readonly number[],
  chunk: number,
): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for (let from = 0; from < tokens.length; from += chunk) {
    const [result] = await executor.step([all(sequence, tokens.slice(from, from + chunk))]);
    parts.push(result.rows);
  }
  return join(parts);
}

const all = (sequence: SequenceId, tokens: readonly number[]) =>
  ({
    sequence,
    input: tokens,
    outputs: "all",
    read: true,
  }) as const;

function join(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The first half, five more rows taken back, and the rest; logits of all tokens. */
async function withRewind(executor: Executor, tokens: readonly number[]): Promise<Float32Array> {
  const half = Math.floor(tokens.length / 2);
  const before = await feed(executor, 0, tokens.slice(0, half), half);
  const reached = executor.rewind(0, half - 5);
  const width = before.length / half;
  const after = await feed(executor, 0, tokens.slice(reached), 7);
  return join([before.subarray(0, reached * width), after]);
}

/** Two sequences that start at different times and grow by different chunks in shared steps. */
async function interleaved(
  executor: Executor,
  tokens: readonly number[],
  other: readonly number[],
): Promise<[Float32Array, Float32Array]> {
  const parts: [Float32Array[], Float32Array[]] = [[], []];
  let [a, b] = [0, 0];
  for (let step = 0; a < tokens.length || b < other.length; step++) {
    const requests: ReturnType<typeof all>[] = [];
    const into: Float32Array[][] = [];
    const nextA = Math.min(tokens.length, a + (step % 2 === 0 ? 5 : 1));
    if (a < nextA) {
      requests.push(all(0, tokens.slice(a, nextA)));
      into.push(parts[0]);
    }
    const nextB = Math.min(other.length, b + (step === 0 ? 0 : 3));
    if (b < nextB) {
      requests.push(all(1, other.slice(b, nextB)));
      into.push(parts[1]);
    }
    [a, b] = [nextA, nextB];
    const results = await executor.step(requests);
    for (const [i, result] of results.entries()) into[i].push(result.rows);
  }
  return [join(parts[0]), join(parts[1])];
}

/**
 * Runs one model of the reference: `name` is a key of {@link readArchIndex}. Every result is a row;
 * errors are thrown as they are.
 */
export async function runArch(
  reader: Reader,
  name: string,
  makeExecutor: MakeExecutor,
  bounds: ArchBounds = {},
): Promise<ArchRow[]> {
  const entry = (await readArchIndex(reader)).get(name);
  if (!entry) throw new Error(`no model ${name} in the reference`);
  const folder = name.slice(0, name.lastIndexOf("/"));
  const read = (file: string): Promise<Uint8Array<ArrayBuffer>> => reader(`${folder}/${file}`);
  const tokensFile = entry.tokens_file ?? `${entry.name}.tokens.json`;
  const { tokens } = JSON.parse(text.decode(await read(tokensFile))) as { tokens: number[] };
  const expected = new Float32Array((await read(entry.output_file)).slice().buffer);
  const file = await readGguf(bufferSource(await read(entry.file), entry.file));
  const contextLength = Math.max(file.metadata.integer(`${entry.arch}.context_length`, 256), 64);
  const graph = buildGraph(file, { contextLength });
  const executor = await makeExecutor(graph, file, { contextLength, maxSequences: 2 });
  const { precision = "f32" } = bounds;
  const rows: ArchRow[] = [];
  const row = (metric: string, value: number, bound: number): void => {
    rows.push({ name, metric, value, bound, pass: value <= bound });
  };
  try {
    const whole = await feed(executor, 0, tokens, tokens.length);
    row("nmse", nmse(whole, expected), bounds.bound ?? boundOf(entry, precision));
    const again = async (metric: string, run: () => Promise<Float32Array>): Promise<void> => {
      executor.rewind(0, 0);
      row(metric, nmse(await run(), whole), precision === "f32" ? 1e-8 : boundOf(entry, precision));
    };
    if (graph.causal) {
      await again("chunks of 7", () => feed(executor, 0, tokens, 7));
      await again("token by token", () => feed(executor, 0, tokens, 1));
      await again("rewind", () => withRewind(executor, tokens));
      const other = tokens.slice(0, 20).reverse();
      const alone = await feed(executor, 1, other, other.length);
      executor.rewind(1, 0);
      let second: Float32Array = alone;
      await again("two sequences", async () => {
        const [first, side] = await interleaved(executor, tokens, other);
        second = side;
        return first;
      });
      row("second sequence", nmse(second, alone), precision === "f32" ? 1e-8 : 1e-4);
    }
  } finally {
    await executor.dispose();
  }
  return rows;
}
