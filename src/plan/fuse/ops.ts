/** The ops of a fused graph: those of a graph, less those that are always fused, and what fusion makes. */

import type { Activation, Op, OpOf, Ref, RopeTable } from "../../graph/ops.ts";
import { inputsOf } from "../../graph/ops.ts";

export interface LinearPart {
  readonly weight: string;
  readonly bias?: string;
  readonly first: number;
  readonly out: number;
}

/** One or several linear maps of the same x in one dispatch: [norm] → parts side by side, or act(part 0) · part 1 → + residual. */
export interface FusedLinearOp {
  readonly op: "fusedLinear";
  readonly layer: number;
  readonly name: string;
  readonly x: Ref;
  readonly parts: readonly LinearPart[];
  readonly norm?: { readonly weight: string; readonly eps: number };
  readonly gate?: {
    readonly kind: Activation | "swigluOai";
    readonly alpha: number;
    readonly limit: number;
  };
  readonly residual?: Ref;
  readonly scale: number;
}

/** Norm and rotation of queries and keys, and the write of keys and values into their slot; makes the queries. */
export interface RopeStoreOp {
  readonly op: "ropeStore";
  readonly layer: number;
  readonly name: string;
  readonly q: Ref;
  readonly k: Ref;
  readonly v: Ref;
  readonly slot: number;
  readonly rope?: {
    readonly start: number;
    readonly style: "norm" | "neox";
    readonly table: RopeTable;
  };
  readonly qNorm?: string;
  readonly kNorm?: string;
  readonly eps: number;
}

export interface ExpertPart {
  readonly weight: string;
  readonly bias?: string;
  readonly scale?: string;
  readonly first: number;
}

/** One moeLinear or headLinear, or gate and up of the same x as act(part 0) · part 1. */
export interface ExpertsOp {
  readonly op: "experts";
  readonly layer: number;
  readonly name: string;
  readonly x: Ref;
  /** Without one, each of the `used` experts takes its own run of every row. */
  readonly route?: Ref;
  readonly parts: readonly ExpertPart[];
  /** Outputs of a part. */
  readonly out: number;
  readonly used: number;
  readonly perExpert: boolean;
  readonly gate?: {
    readonly kind: Activation | "swigluOai";
    readonly alpha: number;
    readonly limit: number;
  };
  /** The rows sorted by expert, when there are many. */
  readonly lists?: Ref;
}

/** Sorts a route's rows by expert. */
export interface ExpertListsOp {
  readonly op: "expertLists";
  readonly layer: number;
  readonly name: string;
  readonly route: Ref;
  readonly experts: number;
  readonly used: number;
}

/** An op, and what its result is added to. */
type WithResidual<K extends Op["op"]> = OpOf<K> & { readonly residual?: Ref };

export type NormOp = WithResidual<"rmsNorm" | "layerNorm" | "l2Norm">;
export type MoeSumOp = WithResidual<"moeSum">;

/** Attention; with `append` its queries come from there, and the key and value are stored on the way. */
export type AttentionOp = OpOf<"attention"> & { readonly append?: RopeStoreOp };

/** What fusion makes, by kind: new ops, and ops that take in more than a graph's of that name. */
interface FusedOps {
  readonly fusedLinear: FusedLinearOp;
  readonly ropeStore: RopeStoreOp;
  readonly experts: ExpertsOp;
  readonly expertLists: ExpertListsOp;
  readonly attention: AttentionOp;
  readonly rmsNorm: WithResidual<"rmsNorm">;
  readonly layerNorm: WithResidual<"layerNorm">;
  readonly l2Norm: WithResidual<"l2Norm">;
  readonly moeSum: MoeSumOp;
}

/** Ops that stand in no fused graph: each becomes a `fusedLinear` or `experts`, of one part at least. */
type AlwaysFused = "linear" | "headLinear" | "moeLinear";

export type PlanOp = Exclude<Op, { op: AlwaysFused | keyof FusedOps }> | FusedOps[keyof FusedOps];

/** The plan's op of one kind. */
export type PlanOpOf<K extends PlanOp["op"]> = Extract<PlanOp, { op: K }>;

type Inputs<K extends keyof FusedOps> = (op: FusedOps[K]) => readonly (Ref | undefined)[];

const xAndResidual = (op: { readonly x: Ref; readonly residual?: Ref }) => [op.x, op.residual];
const fusedInputs: { readonly [K in keyof FusedOps]: Inputs<K> } = {
  fusedLinear: xAndResidual,
  ropeStore: (op) => [op.q, op.k, op.v],
  experts: (op) => [op.x, op.route, op.lists],
  expertLists: (op) => [op.route],
  attention: (op) => (op.append ? inputs(op.append) : inputsOf(op)),
  rmsNorm: xAndResidual,
  layerNorm: xAndResidual,
  l2Norm: xAndResidual,
  moeSum: (op) => [op.x, op.route, op.residual],
};

const isFused = (op: PlanOp): op is FusedOps[keyof FusedOps] => op.op in fusedInputs;

/** The values a node reads, in a fixed order. */
export function inputs(op: PlanOp): Ref[] {
  if (!isFused(op)) return inputsOf(op);
  const entry = fusedInputs[op.op] as Inputs<keyof FusedOps>;
  return entry(op).filter((ref) => ref !== undefined);
}

export const isNorm = (op: PlanOp | undefined): op is NormOp =>
  op?.op === "rmsNorm" || op?.op === "layerNorm" || op?.op === "l2Norm";
