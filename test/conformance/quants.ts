/**
 * Tensor types: an embedding of every row gives the dequantised values, a linear the products with
 * one and with several rows. The executor under test computes both as it does for a model.
 */
import { bufferSource } from "../../src/bytes/buffer.ts";
import { Metadata } from "../../src/file/metadata.ts";
import { type QuantType, quantById, quantByName } from "../../src/file/quants.ts";
import type { ModelFile, TensorInfo } from "../../src/file/types.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Op } from "../../src/graph/ops.ts";
import { nmse } from "./archs.ts";
import {
  atMost,
  type Case,
  ifThere,
  type MakeExecutor,
  type Outcome,
  type Reader,
  readFloats,
  readJson,
  type Setup,
} from "./case.ts";

interface Entry {
  readonly name: string;
  readonly ggml_type: number;
  readonly rows: number;
  readonly cols: number;
  readonly x_rows: number;
  readonly rand_finite: boolean;
  readonly files: Readonly<
    Record<"blocks" | "dequantized" | "matmul" | "rand_blocks" | "rand_dequantized", string>
  >;
}

export async function quantCases(reader: Reader): Promise<Case[]> {
  const index = await ifThere(readJson<{ types: Entry[]; x: string }>(reader, "quants/index.json"));
  const read: Reader = (path) => reader(`quants/${path}`);
  return (index?.types ?? []).map((entry) => ({
    name: `quants/${entry.name}`,
    computes: true,
    run: (setup) => runQuant(read, entry, index?.x ?? "x.f32", setup),
  }));
}

async function runQuant(
  read: Reader,
  entry: Entry,
  xFile: string,
  { make, precision, products = precision === "int8" ? 1e-4 : 1e-10 }: Setup,
): Promise<Outcome[]> {
  const { files, rows, cols, x_rows: count } = entry;
  const type = quantById(entry.ggml_type);
  if (!type) throw new Error(`unsupported type ${entry.name}`);
  const blocks = await read(files.blocks);
  const expected = await readFloats(read, files.dequantized);
  const outcomes: Outcome[] = [
    atMost(
      "values that differ",
      differing(await decode(make, type, blocks, rows, cols), expected),
      0,
    ),
  ];
  const random = await ifThere(read(files.rand_blocks));
  if (random && entry.rand_finite) {
    const wanted = await readFloats(read, files.rand_dequantized);
    const n = wanted.length / cols;
    outcomes.push(
      atMost(
        "random values that differ",
        differing(await decode(make, type, random, n, cols), wanted),
        0,
      ),
    );
  }
  const x = await readFloats(read, xFile);
  const y = await readFloats(read, files.matmul);
  // One row, a few, and enough that the executor takes its way for prompts.
  const many = repeated(x.subarray(0, count * cols), 16);
  const [one, few, all] = await multiply(make, type, blocks, rows, cols, many, [
    1,
    count,
    16 * count,
  ]);
  // The cache has no part in this.
  const bound = products;
  outcomes.push(atMost("mat-vec nmse", nmse(one, y.subarray(0, rows)), bound));
  outcomes.push(atMost("mat-mul nmse", nmse(few, y), bound));
  outcomes.push(atMost("mat-mul of a prompt nmse", nmse(all, repeated(y, 16)), bound));
  return outcomes;
}

function repeated(values: Float32Array, times: number): Float32Array {
  const out = new Float32Array(times * values.length);
  for (let i = 0; i < times; i++) out.set(values, i * values.length);
  return out;
}

/** Values whose bits differ, not counting the sign of zero. */
function differing(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let count = 0;
  for (let i = 0; i < expected.length; i++)
    if (!(actual[i] === expected[i] || (Number.isNaN(actual[i]) && Number.isNaN(expected[i]))))
      count++;
  return count;
}

/** The table's rows, one after the other. */
async function decode(
  make: MakeExecutor,
  type: QuantType,
  blocks: Uint8Array,
  rows: number,
  cols: number,
): Promise<Float32Array> {
  const table = { name: "table", type, shape: [cols, rows], bytes: blocks };
  return (await compute(make, [table], [], cols, [rows]))[0];
}

/** x · Wᵀ for the first rows of x [n][cols], as many as each of `counts` says. */
function multiply(
  make: MakeExecutor,
  type: QuantType,
  blocks: Uint8Array,
  rows: number,
  cols: number,
  x: Float32Array,
  counts: readonly number[],
): Promise<Float32Array[]> {
  const table = {
    name: "table",
    type: quantByName("F32") as QuantType,
    shape: [cols, x.length / cols],
    bytes: new Uint8Array(x.slice().buffer),
  };
  const weight = { name: "weight", type, shape: [cols, rows], bytes: blocks };
  const linear: Op = {
    op: "linear",
    x: 1,
    weight: "weight",
    first: 0,
    out: rows,
    layer: -1,
    name: "linear",
  };
  return compute(make, [table, weight], [linear], rows, counts);
}

/** A tensor of a {@link fileOf}. */
export interface Made {
  readonly name: string;
  readonly type: QuantType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** For each of `counts`: embeds tokens 0 … count − 1 from `table`, applies `more`, gives [count][width]. */
async function compute(
  make: MakeExecutor,
  tensors: readonly Made[],
  more: readonly Op[],
  width: number,
  counts: readonly number[],
): Promise<Float32Array[]> {
  const cols = tensors[0].shape[0];
  const ops: Op[] = [
    { op: "embed", table: "table", by: "token", offset: 0, layer: -1, name: "embed" },
    { op: "select", x: 0, layer: -1, name: "select" },
    ...more,
  ];
  const most = Math.max(...counts);
  const contextLength = Math.max(64, most);
  const graph: Graph = {
    architecture: "conformance",
    ops,
    widths: [cols, cols, ...more.map(() => width)],
    selected: ops.map((_, i) => i > 0),
    slots: [],
    output: ops.length - 1,
    // Nothing is sampled from them.
    outputKind: "embeddings",
    layers: 0,
    vocabulary: Math.max(most, width),
    width: cols,
    trainedContext: contextLength,
    causal: true,
    groups: [],
  };
  const executor = await make(graph, fileOf(tensors), { contextLength, maxSequences: 1 });
  try {
    const results: Float32Array[] = [];
    for (const count of counts) {
      const tokens = Array.from({ length: count }, (_, i) => i);
      const [result] = await executor.step([
        { sequence: 0, input: tokens, outputs: "all", read: true },
      ]);
      results.push(result.rows.slice());
      executor.rewind(0, 0);
    }
    return results;
  } finally {
    await executor.dispose();
  }
}

/** A file of just these tensors, in memory. */
export function fileOf(made: readonly Made[]): ModelFile {
  const tensors = new Map<string, TensorInfo>();
  let end = 0;
  for (const { name, type, shape, bytes } of made) {
    const elements = shape.reduce((product, length) => product * length, 1);
    tensors.set(name, { name, type, shape, elements, offset: end, bytes: bytes.length, part: 0 });
    end += Math.ceil(bytes.length / 32) * 32;
  }
  const all = new Uint8Array(end);
  for (const { name, bytes } of made) all.set(bytes, tensors.get(name)?.offset);
  return {
    name: "conformance",
    version: 3,
    alignment: 32,
    metadata: new Metadata("conformance", new Map()),
    tensors,
    dataOffsets: [0],
    sources: [bufferSource(all)],
  };
}
