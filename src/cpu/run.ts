/** Runs a graph's ops over some rows of one sequence. */

import type { Graph } from "../graph/graph.ts";
import type { Op, RopeTable } from "../graph/ops.ts";
import { inputsOf } from "../graph/ops.ts";
import type { CpuOps, OpContext, Rows } from "./ops/context.ts";
import { RopeAngles } from "./ops/rope-angles.ts";
import type { Pace } from "./pace.ts";
import type { CpuWeights } from "./weights.ts";

/** What computes a CPU executor's rows. */
export interface Runner {
  /** Bytes of weights in memory, and what products take besides. */
  readonly held: { readonly weights: number; readonly scratch: number };
  /** The graph's output for the wanted rows, [outputs][width]; undefined when none are wanted. */
  rows(rows: Rows, signal?: AbortSignal): Promise<Float32Array | undefined>;
}

export class GraphRun implements Runner {
  readonly #graph: Graph;
  readonly #weights: CpuWeights;
  readonly #ops: CpuOps;
  readonly #pace: Pace;
  readonly #angles = new Map<RopeTable, RopeAngles>();
  /** The values that no op reads after each op. */
  readonly #done: readonly (readonly number[])[];
  /** How many ops stand before the first that works on selected rows alone. */
  readonly #beforeOutput: number;

  constructor(graph: Graph, weights: CpuWeights, ops: CpuOps, pace: Pace) {
    this.#graph = graph;
    this.#weights = weights;
    this.#ops = ops;
    this.#pace = pace;
    this.#done = valuesDone(graph);
    const first = graph.selected.indexOf(true);
    this.#beforeOutput = first < 0 ? graph.ops.length : first;
  }

  get held(): Runner["held"] {
    const { bytes, scratch } = this.#weights;
    return { weights: bytes, scratch };
  }

  async rows(rows: Rows, signal?: AbortSignal): Promise<Float32Array | undefined> {
    const { ops, output, given } = this.#graph;
    const wanted = rows.outputs.length > 0;
    const end = wanted ? ops.length : this.#beforeOutput;
    const values: (Float32Array | undefined)[] = [];
    const context = this.#context(values, rows, signal);
    for (let i = 0; i < end; i++) {
      const value = await compute(this.#ops, ops[i], context);
      if (i === given && rows.given) value.set(rows.given);
      values[i] = value;
      for (const ref of this.#done[i]) values[ref] = undefined;
      await this.#pace.rest(signal);
    }
    return wanted ? values[output] : undefined;
  }

  #context(
    values: readonly (Float32Array | undefined)[],
    rows: Rows,
    signal?: AbortSignal,
  ): OpContext {
    const { sequence, tokens } = rows;
    const first = sequence.computed;
    return {
      graph: this.#graph,
      weights: this.#weights,
      rows,
      first,
      value: (x) => values[x] as Float32Array,
      width: (x) => this.#graph.widths[x],
      positions: () => Array.from({ length: tokens.length }, (_, i) => first + i),
      kv: (slot) => sequence.kv(slot),
      state: (part, size) => sequence.state(part.slot, part.slotOffset, size),
      angles: (table) => this.#anglesOf(table),
      products: this.#pace.products,
      rest: () => this.#pace.rest(signal),
    };
  }

  #anglesOf(table: RopeTable): RopeAngles {
    let angles = this.#angles.get(table);
    if (!angles) {
      angles = new RopeAngles(table, this.#weights.optional(table.factors));
      this.#angles.set(table, angles);
    }
    return angles;
  }
}

/** An op by the table's entry of its kind. */
function compute(ops: CpuOps, op: Op, context: OpContext): Float32Array | Promise<Float32Array> {
  const entry = ops[op.op] as (op: Op, context: OpContext) => ReturnType<typeof compute>;
  return entry(op, context);
}

/** By op: the values that it is the last to read, and its own if nobody reads it; never the output. */
function valuesDone(graph: Graph): number[][] {
  const last = graph.ops.map((_, i) => i);
  graph.ops.forEach((op, i) => {
    for (const ref of inputsOf(op)) last[ref] = i;
  });
  const done: number[][] = graph.ops.map(() => []);
  for (const [ref, i] of last.entries()) if (ref !== graph.output) done[i].push(ref);
  return done;
}
