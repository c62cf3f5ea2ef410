/**
 * What each op reads, said once: values and tensors by op. Both executors, weight placement and fusion ask
 * here, and an op without an entry does not compile.
 */
import type { Op, OpOf, Ref } from "./ops.ts";

/** What an op of kind K reads; entries that an op leaves out are undefined. */
interface Reads<K extends Op["op"]> {
  /** Values, in a fixed order. */
  readonly values: (op: OpOf<K>) => readonly (Ref | undefined)[];
  /** Tensors whose rows it reads: their blocks stay as the file has them. */
  readonly matrices: (op: OpOf<K>) => readonly (string | undefined)[];
  /** Tensors that it reads element by element, as f32. */
  readonly vectors: (op: OpOf<K>) => readonly (string | undefined)[];
}

const none = (): readonly undefined[] => [];
const x = (op: { readonly x: Ref }): Ref[] => [op.x];
const ab = (op: { readonly a: Ref; readonly b: Ref }): Ref[] => [op.a, op.b];
const routed = (op: { readonly x: Ref; readonly route: Ref }): Ref[] => [op.x, op.route];
const weight = (op: { readonly weight?: string }): (string | undefined)[] => [op.weight];
const weightAndBias = (op: { readonly weight?: string; readonly bias?: string }) => [
  op.weight,
  op.bias,
];
const biasAndScale = (op: { readonly bias?: string; readonly scale?: string }) => [
  op.bias,
  op.scale,
];

const opTable: { readonly [K in Op["op"]]: Reads<K> } = {
  embed: { values: none, matrices: (op) => [op.table], vectors: none },
  rmsNorm: { values: x, matrices: none, vectors: weight },
  layerNorm: { values: x, matrices: none, vectors: weightAndBias },
  l2Norm: { values: x, matrices: none, vectors: none },
  linear: { values: x, matrices: weight, vectors: biasAndScale },
  headLinear: { values: x, matrices: weight, vectors: none },
  dot: { values: ab, matrices: none, vectors: none },
  add: { values: ab, matrices: none, vectors: none },
  mul: { values: ab, matrices: none, vectors: none },
  addWeight: { values: x, matrices: none, vectors: weight },
  mulWeight: { values: x, matrices: none, vectors: weight },
  scale: { values: x, matrices: none, vectors: none },
  clamp: { values: x, matrices: none, vectors: none },
  activation: { values: x, matrices: none, vectors: none },
  gated: { values: (op) => [op.gate, op.up], matrices: none, vectors: none },
  softcap: { values: x, matrices: none, vectors: none },
  rope: { values: x, matrices: none, vectors: (op) => [op.table.factors] },
  positionScale: { values: x, matrices: none, vectors: none },
  attention: {
    values: (op) => [op.q, op.k, op.v],
    matrices: none,
    vectors: (op) => [op.sinks],
  },
  slice: { values: x, matrices: none, vectors: none },
  concat: { values: (op) => op.parts, matrices: none, vectors: none },
  select: { values: x, matrices: none, vectors: none },
  moeRoute: {
    values: (op) => [op.logits],
    matrices: none,
    vectors: (op) => [op.selectionBias],
  },
  moeLinear: { values: routed, matrices: weight, vectors: biasAndScale },
  moeSum: { values: routed, matrices: none, vectors: none },
  moeScale: { values: routed, matrices: none, vectors: none },
  conv: { values: x, matrices: none, vectors: weightAndBias },
  ssm: {
    values: (op) => [op.x, op.dt, op.b, op.c],
    matrices: none,
    vectors: (op) => [op.a, op.d, op.dtBias],
  },
  deltaNet: {
    values: (op) => [op.q, op.k, op.v, op.g, op.beta],
    matrices: none,
    vectors: none,
  },
  shift: { values: x, matrices: none, vectors: none },
  wkv7: {
    values: (op) => [op.r, op.w, op.k, op.v, op.a, op.b],
    matrices: none,
    vectors: none,
  },
};

/** The entry of an op's own kind. */
const readsOf = (op: Op): Reads<Op["op"]> => opTable[op.op] as Reads<Op["op"]>;
const present = <T>(list: readonly (T | undefined)[]): T[] =>
  list.filter((one) => one !== undefined);

/** The values an op reads, in a fixed order. */
export const inputsOf = (op: Op): Ref[] => present(readsOf(op).values(op));

/** Names of the tensors that the op reads by rows. */
export const matricesOf = (op: Op): string[] => present(readsOf(op).matrices(op));

/** Names of the tensors that the op reads element by element. */
export const vectorsOf = (op: Op): string[] => present(readsOf(op).vectors(op));

/** Names of all tensors that the op reads, matrices first. */
export const tensorsOf = (op: Op): string[] => [...matricesOf(op), ...vectorsOf(op)];
