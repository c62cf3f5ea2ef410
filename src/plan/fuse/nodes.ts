/** What patterns work on: the nodes of a graph, the values they make, and who makes and reads each. */
import type { Ref } from "../../graph/ops.ts";
import { inputs, type PlanOp } from "./ops.ts";

export interface Node {
  readonly ref: Ref;
  readonly op: PlanOp;
}

export interface Value {
  readonly width: number;
  readonly selected: boolean;
  /** Columns [offset, offset + width) of another value. */
  readonly view?: { readonly of: Ref; readonly offset: number };
}

export interface FusedGraph {
  readonly nodes: readonly Node[];
  readonly values: readonly Value[];
  readonly output: Ref;
}

/** Facts about tensors that patterns need. */
export interface TensorFacts {
  /** Type id of a matrix, and the number of elements of any tensor. */
  type(name: string): number;
  /** Whether one buffer holds all of these matrices, each whole. */
  together(...names: string[]): boolean;
  elements(name: string): number;
  /** Whether every buffer that holds experts of one holds the same experts of the other. */
  expertsTogether(a: string, b: string): boolean;
  /** Whether attention of so many heads over a slot can store the key and value that it is the first to read. */
  appends(slot: number, heads: number): boolean;
}

/** A graph while it is fused. */
export interface Draft {
  nodes: Node[];
  values: Value[];
  output: Ref;
  facts: TensorFacts;
}

/** Nodes by the value they make, and how often each value is read. */
export interface Index {
  readonly maker: ReadonlyMap<Ref, PlanOp>;
  readonly uses: ReadonlyMap<Ref, number>;
}

/** Patterns change a draft, so each asks anew. */
export function index(draft: Draft): Index {
  const maker = new Map<Ref, PlanOp>();
  const uses = new Map<Ref, number>([[draft.output, 1]]);
  for (const { ref, op } of draft.nodes) {
    maker.set(ref, op);
    for (const input of inputs(op)) uses.set(input, (uses.get(input) ?? 0) + 1);
  }
  for (const value of draft.values)
    if (value.view) uses.set(value.view.of, (uses.get(value.view.of) ?? 0) + 1);
  return { maker, uses };
}

/** A change of the graph that saves dispatches and leaves every value that is still read as it was. */
export interface Pattern {
  /** For `noFuse`. */
  readonly name: string;
  /** Plans of one row, of few (as many as mat-vec kernels take), or of more only. */
  readonly only?: "one" | "few" | "many";
  apply(draft: Draft, index: Index): void;
}
