/** Runs a graph's ops over some rows of one sequence. */

import type { Graph } from "../graph/graph.ts";
import { inputsOf, type Op, type Ref, type RopeTable } from "../graph/ops.ts";
import type { SequenceId } from "../graph/requests.ts";
import type { CpuOps, OpContext, Rows } from "./ops/context.ts";
import { RopeAngles } from "./ops/rope-angles.ts";
import type { Pace } from "./pace.ts";
import type { KvCache, SlotRoom } from "./sequence.ts";
import type { CpuWeights } from "./weights.ts";

/** Where the values of a run stand. */
export interface ValueRoom {
  /** Room for the value of op `at`, the same at every call. */
  make(at: Ref, length: number): Float32Array;
  /** Room for what a sequence keeps in a slot; undefined: an array of its own. */
  slot(sequence: SequenceId, slot: number): Float32Array | undefined;
}

/** What computes a CPU executor's rows. */
export interface Runner {
  /** What a sequence keeps its slots in; undefined: arrays of its own. */
  slots?(sequence: SequenceId): SlotRoom;
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
  readonly #room: ValueRoom | undefined;
  /** The values that no op reads after each op. */
  readonly #done: readonly (readonly number[])[];
  /** How many ops stand before the first that works on selected rows alone. */
  readonly #beforeOutput: number;
  readonly #context: RunContext;

  /** @param room where values stand; none: in arrays that the ops make */
  constructor(graph: Graph, weights: CpuWeights, ops: CpuOps, pace: Pace, room?: ValueRoom) {
    this.#graph = graph;
    this.#weights = weights;
    this.#ops = ops;
    this.#pace = pace;
    this.#room = room;
    this.#done = valuesDone(graph);
    const first = graph.selected.indexOf(true);
    this.#beforeOutput = first < 0 ? graph.ops.length : first;
    this.#context = new RunContext(graph, weights, pace, room);
  }

  get held(): Runner["held"] {
    const { bytes, scratch } = this.#weights;
    return { weights: bytes, scratch };
  }

  slots(sequence: SequenceId): SlotRoom {
    return (slot) => this.#room?.slot(sequence, slot);
  }

  async rows(rows: Rows, signal?: AbortSignal): Promise<Float32Array | undefined> {
    const { ops, output, given } = this.#graph;
    const wanted = rows.outputs.length > 0;
    const end = wanted ? ops.length : this.#beforeOutput;
    const context = this.#context;
    const { values } = context;
    context.begin(rows, signal);
    for (let i = 0; i < end; i++) {
      context.at = i;
      const made = compute(this.#ops, ops[i], context);
      // Most ops are done at once: a promise for each of them would be most of what a step leaves behind.
      let value = made instanceof Promise ? await made : made;
      if (this.#room) value = inRoom(value, this.#room, i);
      if (i === given && rows.given) value.set(rows.given);
      values[i] = value;
      for (const ref of this.#done[i]) values[ref] = undefined;
      if (this.#pace.due()) await this.#pace.rest(signal);
    }
    const made = wanted ? values[output] : undefined;
    values.fill(undefined);
    return made;
  }
}

/** A value that an op made in an array of its own, in its place. */
function inRoom(value: Float32Array, room: ValueRoom, at: Ref): Float32Array {
  const own = room.make(at, value.length);
  if (value !== own) own.set(value);
  return own;
}

/** One for all runs, so that a step leaves little behind. */
class RunContext implements OpContext {
  readonly graph: Graph;
  readonly weights: CpuWeights;
  readonly products: number;
  readonly values: (Float32Array | undefined)[];
  /** The op at hand. */
  at = 0;
  first = 0;
  #rows: Rows | undefined;
  #signal: AbortSignal | undefined;
  readonly #pace: Pace;
  readonly #room: ValueRoom | undefined;
  readonly #angles = new Map<RopeTable, RopeAngles>();

  constructor(graph: Graph, weights: CpuWeights, pace: Pace, room: ValueRoom | undefined) {
    this.graph = graph;
    this.weights = weights;
    this.products = pace.products;
    this.values = graph.ops.map(() => undefined);
    this.#pace = pace;
    this.#room = room;
  }
  begin(rows: Rows, signal?: AbortSignal): void {
    this.#rows = rows;
    this.#signal = signal;
    this.first = rows.sequence.computed;
  }
  get rows(): Rows {
    return this.#rows as Rows;
  }
  value(x: Ref): Float32Array {
    return this.values[x] as Float32Array;
  }
  width(x: Ref): number {
    return this.graph.widths[x];
  }
  make(length: number): Float32Array {
    return this.#room?.make(this.at, length) ?? new Float32Array(length);
  }
  positions(): number[] {
    return Array.from({ length: this.rows.tokens.length }, (_, i) => this.first + i);
  }
  kv(slot: number): KvCache {
    return this.rows.sequence.kv(slot);
  }
  state(part: { readonly slot: number; readonly slotOffset: number }, size: number): Float32Array {
    return this.rows.sequence.state(part.slot, part.slotOffset, size);
  }
  angles(table: RopeTable): RopeAngles {
    let angles = this.#angles.get(table);
    if (!angles) {
      angles = new RopeAngles(table, this.weights.optional(table.factors));
      this.#angles.set(table, angles);
    }
    return angles;
  }
  rest(): Promise<void> | undefined {
    return this.#pace.due() ? this.#pace.rest(this.#signal) : undefined;
  }
}

/** An op by the table's entry of its kind. */
function compute(ops: CpuOps, op: Op, context: OpContext): Float32Array | Promise<Float32Array> {
  const entry = ops[op.op] as (op: Op, context: OpContext) => ReturnType<typeof compute>;
  return entry(op, context);
}

/** By op: the last that reads its value, or it itself; of the output, none. */
export function lastReaders(graph: Graph): number[] {
  const last = graph.ops.map((_, i) => i);
  graph.ops.forEach((op, i) => {
    for (const ref of inputsOf(op)) last[ref] = i;
  });
  last[graph.output] = graph.ops.length;
  return last;
}

/** By op: the values that it is the last to read, and its own if nobody reads it; never the output. */
function valuesDone(graph: Graph): number[][] {
  const done: number[][] = graph.ops.map(() => []);
  for (const [ref, i] of lastReaders(graph).entries()) done[i]?.push(ref);
  return done;
}
