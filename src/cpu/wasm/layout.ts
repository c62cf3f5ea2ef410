/** What a model needs of its memories besides the matrices: values, vectors, angles, and what sequences keep. */
import type { Graph } from "../../graph/graph.ts";
import type { RopeTable } from "../../graph/ops.ts";
import type { ComputeOptions } from "../../graph/settings.ts";
import { chunkOf } from "../executor.ts";
import { lastReaders } from "../run.ts";
import { slotBytes } from "../sequence.ts";
import type { WeightPlan } from "../weights.ts";
import { angleWidth } from "./ops/rope.ts";
import { aligned, type Places, placeMatrices } from "./place.ts";
import { threadsFor } from "./threads/start.ts";

export interface Layout {
  readonly places: Places;
  /** By op: where its value stands in the first area. */
  readonly values: readonly number[];
  /** Bytes of what sequences keep. */
  readonly cache: number;
  /** Behind the area of values are those of vectors, of tables of angles, of sequences' slots. */
  readonly tables: readonly RopeTable[];
}

/** Places of values that are held from their op to their last reader: [offsets, bytes]. */
export function placeValues(graph: Graph, rows: number): [number[], number] {
  const last = lastReaders(graph);
  const held: { at: number; end: number; last: number }[] = [];
  let bytes = 0;
  const places = graph.widths.map((width, i) => {
    const size = aligned(4 * width * rows + 16);
    const alive = held.filter((one) => one.last >= i).sort((a, b) => a.at - b.at);
    let at = 0;
    for (const one of alive) {
      if (at + size <= one.at) break;
      at = Math.max(at, one.end);
    }
    held.push({ at, end: at + size, last: last[i] });
    bytes = Math.max(bytes, at + size);
    return at;
  });
  return [places, bytes];
}

export function planLayout(
  graph: Graph,
  plan: WeightPlan,
  options: ComputeOptions,
  memoryBytes?: number,
): Layout {
  const { contextLength, maxSequences = 1 } = options;
  const rows = chunkOf(graph, options);
  const [values, valueBytes] = placeValues(graph, rows);
  const tables = [...new Set(graph.ops.flatMap((op) => (op.op === "rope" ? [op.table] : [])))];
  const slots = graph.slots.map((slot) => slotBytes(slot, contextLength));
  const anywhere = Array.from({ length: maxSequences }, () => slots).flat();
  const widest = graph.ops.map((op) => (op.op === "attention" ? graph.widths[op.q] : 0));
  const places = placeMatrices(plan.matrices, memoryBytes, {
    first: [
      valueBytes,
      ...plan.vectors.map(({ elements }) => 4 * elements + 16),
      ...tables.map((table) => 4 * rows * angleWidth(table)),
    ],
    anywhere,
    width: Math.max(1, ...widest),
    positions: contextLength,
    threads: threadsFor(options.threads),
  });
  const cache = anywhere.reduce((sum, bytes) => sum + bytes, 0);
  return { places, values, cache, tables };
}
