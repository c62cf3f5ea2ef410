/**
 * Tensor types: an embedding of every row gives the dequantised values, a linear the products with
 * one and with several rows. The executor under test computes both as it does for a model.
 */
import { bufferSource } from "../../src/bytes/buffer.ts";
import { Metadata } from "../../src/gguf/metadata.ts";
import { type QuantType, quantById, quantByName } from "../../src/gguf/quants.ts";
import type { GgufFile, TensorInfo } from "../../src/gguf/types.ts";
import type { Graph, Op } from "../../src/graph/ops.ts";
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
    run: ({ make }) => runQuant(read, entry, index?.x ?? "x.f32", make),
  }));
}

async function runQuant(
  read: Reader,
  entry: Entry,
  xFile: string,
  make: MakeExecutor,
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
  const one = await multiply(make, type, blocks, rows, cols, x.subarray(0, cols));
  outcomes.push(atMost("mat-vec nmse", nmse(one, y.subarray(0, rows)), 1e-10));
  const all = await multiply(make, type, blocks, rows, cols, x.subarray(0, count * cols));
  outcomes.push(atMost("mat-mul nmse", nmse(all, y), 1e-10));
  // Enough rows that the executor takes its way for prompts.
  const many = new Float32Array(16 * x.length);
  for (let i = 0; i < 16; i++) many.set(x, i * x.length);
  const product = await multiply(make, type, blocks, rows, cols, many);
  const wanted = new Float32Array(16 * y.length);
  for (let i = 0; i < 16; i++) wanted.set(y, i * y.length);
  outcomes.push(atMost("mat-mul of a prompt nmse", nmse(product, wanted), 1e-10));
  return outcomes;
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
function decode(
  make: MakeExecutor,
  type: QuantType,
  blocks: Uint8Array,
  rows: number,
  cols: number,
): Promise<Float32Array> {
  const table = { name: "table", type, shape: [cols, rows], bytes: blocks };
  return compute(make, [table], [], cols, rows);
}

/** x · Wᵀ for rows x [n][cols]. */
function multiply(
  make: MakeExecutor,
  type: QuantType,
  blocks: Uint8Array,
  rows: number,
  cols: number,
  x: Float32Array,
): Promise<Float32Array> {
  const count = x.length / cols;
  const bytes = new Uint8Array(x.slice().buffer);
  const table = {
    name: "table",
    type: quantByName("F32") as QuantType,
    shape: [cols, count],
    bytes,
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
  return compute(make, [table, weight], [linear], rows, count);
}

interface Made {
  readonly name: string;
  readonly type: QuantType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Embeds tokens 0 … count − 1 from `table`, applies `more`, returns [count][width]. */
async function compute(
  make: MakeExecutor,
  tensors: readonly Made[],
  more: readonly Op[],
  width: number,
  count: number,
): Promise<Float32Array> {
  const cols = tensors[0].shape[0];
  const ops: Op[] = [
    { op: "embed", table: "table", by: "token", offset: 0, layer: -1, name: "embed" },
    { op: "select", x: 0, layer: -1, name: "select" },
    ...more,
  ];
  const contextLength = Math.max(64, count);
  const graph: Graph = {
    architecture: "conformance",
    ops,
    widths: [cols, cols, ...more.map(() => width)],
    selected: ops.map((_, i) => i > 0),
    slots: [],
    output: ops.length - 1,
    outputKind: "logits",
    layers: 0,
    vocabulary: Math.max(count, width),
    width: cols,
    trainedContext: contextLength,
    causal: true,
    groups: [],
  };
  const executor = await make(graph, fileOf(tensors), { contextLength, maxSequences: 1 });
  try {
    const tokens = Array.from({ length: count }, (_, i) => i);
    const [result] = await executor.step([{ sequence: 0, tokens, outputs: "all", read: true }]);
    return (result.logits as Float32Array).slice();
  } finally {
    await executor.dispose();
  }
}

/** A file of just these tensors, in memory. */
function fileOf(made: readonly Made[]): GgufFile {
  const tensors = new Map<string, TensorInfo>();
  let end = 0;
  for (const { name, type, shape, bytes } of made) {
    const elements = shape[0] * shape[1];
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
