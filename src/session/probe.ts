/**
 * Which is faster here, a software adapter or the CPU path? Both compute the same two small
 * made-up models through their ordinary executors: one of a single wide matrix, in the type that
 * most of the real model's bytes have, and one of many tiny ones, for what each operation costs.
 */
import { bufferSource } from "../bytes/buffer.ts";
import { Metadata } from "../file/metadata.ts";
import type { QuantType } from "../file/quants.ts";
import type { ModelFile, TensorInfo } from "../file/types.ts";
import type { Executor } from "../graph/executor.ts";
import type { Graph } from "../graph/graph.ts";
import type { Op } from "../graph/ops.ts";
import type { Device } from "./backends.ts";

export const PROBE_OPTIONS = {
  contextLength: 64,
  maxSequences: 1,
  cacheTypeK: "f32",
  cacheTypeV: "f32",
  // Without a plan for prompts, whose kernels would be compiled for nothing.
  chunk: 1,
} as const;
/** Milliseconds that a measurement goes on for; the first step is not counted. */
const MEASURE_MS = 60;

/**
 * Seconds that a token of the model is expected to take on each of the devices. Measures for a few hundred
 * milliseconds at most; the model's weights are not read.
 */
export async function secondsPerToken(
  devices: readonly Device[],
  graph: Graph,
  file: ModelFile,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const type = mostCommonType(file);
  const wide = matrixChain(type, Math.max(512, type.elements), 8192, 1);
  const many = matrixChain(type, type.elements, type.elements, 16);
  const heavy = graph.ops.filter((op) => op.op === "linear" || op.op === "moeLinear").length;
  const bytes = bytesPerToken(graph, file);
  const seconds: number[] = [];
  for (const device of devices) {
    const make = ({ graph, file }: ProbeModel): Promise<Executor> =>
      device.load(graph, file, PROBE_OPTIONS, { signal });
    const perByte = (await secondsPerStep(make, wide, signal)) / wide.bytes;
    const perOp = (await secondsPerStep(make, many, signal)) / 16;
    seconds.push(Math.max(bytes * perByte, heavy * perOp));
  }
  return seconds;
}

/** Seconds of a step of `rows` tokens, where `burst` such steps are started together. */
export async function secondsPerStep(
  make: (model: ProbeModel) => Promise<Executor>,
  model: ProbeModel,
  signal: AbortSignal | undefined,
  rows = 1,
  burst = 1,
): Promise<number> {
  const executor = await make(model);
  const tokens = new Int32Array(rows);
  const one = (): Promise<unknown> =>
    executor.step([{ sequence: 0, input: tokens, outputs: "last", read: true }], signal);
  const step = (): Promise<unknown> => {
    executor.rewind(0, 0);
    return Promise.all(Array.from({ length: burst }, one));
  };
  try {
    await step();
    const started = performance.now();
    let steps = 0;
    while (performance.now() - started < MEASURE_MS) {
      await step();
      steps++;
    }
    return (performance.now() - started) / 1000 / steps / burst;
  } finally {
    await executor.dispose();
  }
}

/** A made-up model: its weights are zero. */
export interface ProbeModel {
  readonly graph: Graph;
  readonly file: ModelFile;
  readonly bytes: number;
}

/** `count` matrices of one type one after the other; their bytes are zero, which every type can decode. */
export function matrixChain(
  type: QuantType,
  width: number,
  out: number,
  count: number,
): ProbeModel {
  const ops: Op[] = [
    { op: "embed", table: "embed", by: "first", offset: 0, layer: -1, name: "embed" },
    { op: "select", x: 0, layer: -1, name: "select" },
  ];
  const widths = [width, width];
  const tensors = new Map<string, TensorInfo>();
  let offset = 0;
  const add = (name: string, shape: readonly number[]): void => {
    const elements = shape[0] * shape[1];
    const bytes = (elements / type.elements) * type.bytes;
    tensors.set(name, { name, type, shape, elements, offset, bytes, part: 0 });
    offset += Math.ceil(bytes / 32) * 32;
  };
  add("embed", [width, 1]);
  for (let i = 0; i < count; i++) {
    add(`w${i}`, [width, out]);
    ops.push({ op: "linear", x: i + 1, weight: `w${i}`, first: 0, out, layer: -1, name: `w${i}` });
    widths.push(out);
  }
  const source = bufferSource(new Uint8Array(offset), "probe");
  return {
    bytes: offset,
    file: {
      name: "probe",
      version: 3,
      alignment: 32,
      metadata: new Metadata("probe", new Map()),
      tensors,
      dataOffsets: [0],
      sources: [source],
    },
    graph: {
      architecture: "probe",
      ops,
      widths,
      selected: ops.map((_, i) => i > 0),
      slots: [],
      output: ops.length - 1,
      outputKind: "logits",
      layers: 0,
      vocabulary: out,
      width,
      trainedContext: PROBE_OPTIONS.contextLength,
      causal: true,
      groups: [],
    },
  };
}

/** The type of most of the weights' bytes. */
export function mostCommonType(file: ModelFile): QuantType {
  const bytes = new Map<QuantType, number>();
  for (const tensor of file.tensors.values())
    if (!tensor.type.data) bytes.set(tensor.type, (bytes.get(tensor.type) ?? 0) + tensor.bytes);
  const [most] = [...bytes].sort((a, b) => b[1] - a[1]);
  return most[0];
}

/** Weights that one token reads: all matrices that are multiplied, of experts only those in use. */
export function bytesPerToken(graph: Graph, file: ModelFile): number {
  let sum = 0;
  for (const op of graph.ops) {
    if (op.op !== "linear" && op.op !== "moeLinear") continue;
    const tensor = file.tensors.get(op.weight) as TensorInfo;
    const share = op.op === "moeLinear" ? op.used / (tensor.shape[2] ?? 1) : 1;
    sum += tensor.bytes * share * (op.out / (tensor.shape[1] ?? op.out));
  }
  return sum;
}
