/** What the CPU's ops are given and what they return. */
import type { Graph } from "../../graph/graph.ts";
import type { Op, OpOf, Ref, RopeTable } from "../../graph/ops.ts";
import type { KvCache, Sequence } from "../sequence.ts";
import type { CpuWeights } from "../weights.ts";
import type { RopeAngles } from "./rope-angles.ts";

/** Consecutive rows of one sequence. */
export interface Rows {
  readonly sequence: Sequence;
  readonly tokens: ArrayLike<number>;
  /** Vectors that take the place of the tokens' embeddings, of all rows. */
  readonly given?: Float32Array;
  /** Numbers of the rows whose output is wanted, ascending; not empty. */
  readonly outputs: readonly number[];
}

/** What an op can ask while a graph runs over some rows. */
export interface OpContext {
  readonly graph: Graph;
  readonly weights: CpuWeights;
  readonly rows: Rows;
  /** Position of the first row. */
  readonly first: number;
  value(x: Ref): Float32Array;
  width(x: Ref): number;
  /** Room for the value that the op makes, with whatever stood there. */
  make(length: number): Float32Array;
  /** The position of each row. */
  positions(): number[];
  /** Keys and values of a slot, before these rows. */
  kv(slot: number): KvCache;
  /** An op's part of a state slot; changed in place. */
  state(part: { readonly slot: number; readonly slotOffset: number }, size: number): Float32Array;
  angles(table: RopeTable): RopeAngles;
  /** Products of two numbers that may be computed without a {@link rest}. */
  readonly products: number;
  /** Gives others a turn when it is time; undefined when it is not. */
  rest(): Promise<void> | undefined;
}

/** An implementation of all ops: each makes a value [rows][width]. */
export type CpuOps = {
  readonly [K in Op["op"]]: (
    op: OpOf<K>,
    context: OpContext,
  ) => Float32Array | Promise<Float32Array>;
};

/** The part of them that one file makes: what each op takes from the graph, the weights and the sequence. */
export type OpsOf<K extends Op["op"]> = Pick<CpuOps, K>;
