/**
 * Fusion: a list of patterns over the graph, each named, each optional. They know ops, never families.
 * A node makes one value; a view is a run of another value's columns and costs nothing.
 */
import { inputsOf } from "../../graph/op-table.ts";
import type { Activation, Graph, Op, Ref } from "../../graph/ops.ts";
import { SMALL_ROWS } from "../../graph/requests.ts";
import { groupWidth } from "../../kernels/moeLinear.ts";
import { type AttentionOp, append, type RopeStoreOp, ropeStore } from "./attention.ts";
import {
  type ExpertListsOp,
  type ExpertsOp,
  expertGateUp,
  expertLists,
  expertSum,
  expertsOf,
  type MoeSumOp,
} from "./experts.ts";

export interface LinearPart {
  readonly weight: string;
  readonly bias?: string;
  readonly first: number;
  readonly out: number;
}

/** One or several linear maps of the same x in one dispatch: [norm] → parts side by side, or act(part 0) · part 1 → + residual. */
export interface LinearsOp {
  readonly op: "linears";
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

/** A norm, and what its result is added to. */
export type NormOp = Extract<Op, { op: "rmsNorm" | "layerNorm" | "l2Norm" }> & {
  readonly residual?: Ref;
};

export type PlanOp =
  | AttentionOp
  | NormOp
  | Op
  | LinearsOp
  | RopeStoreOp
  | ExpertsOp
  | ExpertListsOp
  | MoeSumOp;

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

const isNorm = (op: PlanOp | undefined): op is NormOp =>
  op?.op === "rmsNorm" || op?.op === "layerNorm" || op?.op === "l2Norm";

/** Inputs of a node, fused ops included. */
export function inputs(op: PlanOp): Ref[] {
  if (op.op === "linears") return op.residual === undefined ? [op.x] : [op.x, op.residual];
  if (op.op === "ropeStore") return [op.q, op.k, op.v];
  if (op.op === "attention" && "append" in op && op.append) return inputs(op.append);
  if (isNorm(op)) return op.residual === undefined ? [op.x] : [op.x, op.residual];
  if (op.op === "expertLists") return [op.route];
  if (op.op === "experts") return [op.x, op.route, op.lists].filter((r) => r !== undefined);
  if (op.op === "moeSum" && "residual" in op && op.residual !== undefined)
    return [op.x, op.route, op.residual];
  return inputsOf(op);
}

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

function index(draft: Draft): Index {
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

const isLinears = (op: PlanOp | undefined): op is LinearsOp => op?.op === "linears";

/** A linear map that nothing has been fused into yet. */
const plain = (op: PlanOp | undefined): op is LinearsOp =>
  isLinears(op) && op.parts.length === 1 && !op.gate && op.residual === undefined && op.scale === 1;

/** act(x · Wgᵀ) · (x · Wuᵀ) as one map. */
function gateUp(draft: Draft): void {
  const { maker, uses } = index(draft);
  const gone = new Set<Ref>();
  draft.nodes = draft.nodes.map((node) => {
    const { op, ref } = node;
    if (op.op !== "gated") return node;
    const gate = maker.get(op.gate);
    const up = maker.get(op.up);
    if (!plain(gate) || !plain(up) || gate.x !== up.x || op.gate === op.up) return node;
    if (uses.get(op.gate) !== 1 || uses.get(op.up) !== 1) return node;
    const pair = [gate.parts[0].weight, up.parts[0].weight];
    if (draft.facts.type(pair[0]) !== draft.facts.type(pair[1]) || !draft.facts.together(...pair))
      return node;
    if (op.kind === "xielu") return node;
    gone.add(op.gate).add(op.up);
    const fused: LinearsOp = {
      ...gate,
      name: op.name,
      parts: [gate.parts[0], up.parts[0]],
      gate: {
        kind: op.kind,
        alpha: op.alpha,
        limit: op.limit,
      },
    };
    return { ref, op: fused };
  });
  draft.nodes = draft.nodes.filter((n) => !gone.has(n.ref));
}

/** Up to four maps of the same x as one (q, k, v). */
function sharedInput(draft: Draft): void {
  const { uses, maker } = index(draft);
  // A projection that goes straight into an add is left to the residual pattern.
  const added = new Set<Ref>();
  for (const { op } of draft.nodes) {
    if (op.op !== "add") continue;
    for (const r of [op.a, op.b]) if (plain(maker.get(r)) && uses.get(r) === 1) added.add(r);
  }
  const groups = new Map<Ref, Node[]>();
  for (const node of draft.nodes) {
    if (!plain(node.op) || added.has(node.ref) || node.ref === draft.output) continue;
    const list = groups.get(node.op.x);
    if (list) list.push(node);
    else groups.set(node.op.x, [node]);
  }
  for (const all of groups.values()) {
    for (let from = 0; from + 1 < all.length; from += 4) {
      const members = all.slice(from, from + 4);
      if (members.length < 2) continue;
      const ops = members.map((n) => n.op as LinearsOp);
      const widths = members.map((n) => draft.values[n.ref].width);
      // Views must begin at whole vec4s, because kernels read them so.
      if (widths.some((w) => w % 4 !== 0)) continue;
      const ref = draft.values.length;
      draft.values.push({
        width: widths.reduce((a, b) => a + b, 0),
        selected: draft.values[members[0].ref].selected,
      });
      let offset = 0;
      members.forEach((n, i) => {
        draft.values[n.ref] = { ...draft.values[n.ref], view: { of: ref, offset } };
        offset += widths[i];
      });
      const fused: LinearsOp = {
        ...ops[0],
        name: ops.map((o) => o.name).join("·"),
        parts: ops.flatMap((o) => o.parts),
      };
      draft.nodes = draft.nodes.flatMap((n) => {
        if (n === members[0]) return [{ ref, op: fused }];
        return members.includes(n) ? [] : [n];
      });
    }
  }
}

/** An RMS norm of whole rows that only linear maps read: its scale is applied inside them. */
function normLinear(draft: Draft): void {
  const { uses } = index(draft);
  const readers = new Map<Ref, Node[]>();
  for (const node of draft.nodes)
    if (isLinears(node.op)) readers.set(node.op.x, [...(readers.get(node.op.x) ?? []), node]);
  const gone = new Set<Ref>();
  const changed = new Map<Ref, PlanOp>();
  for (const { ref, op } of draft.nodes) {
    if (op.op !== "rmsNorm" || op.weight === undefined || op.group !== draft.values[ref].width)
      continue;
    if ("residual" in op) continue;
    const mine = readers.get(ref) ?? [];
    if (mine.length === 0 || mine.length !== uses.get(ref)) continue;
    if (draft.facts.elements(op.weight) !== op.group || op.group % 4 !== 0) continue;
    for (const node of mine)
      changed.set(node.ref, {
        ...(node.op as LinearsOp),
        x: op.x,
        norm: { weight: op.weight, eps: op.eps },
      });
    gone.add(ref);
  }
  draft.nodes = draft.nodes
    .filter((n) => !gone.has(n.ref))
    .map((n) => ({ ref: n.ref, op: changed.get(n.ref) ?? n.op }));
}

/** A factor on a map's result. */
function scaleLinear(draft: Draft): void {
  const { maker, uses } = index(draft);
  const gone = new Set<Ref>();
  draft.nodes = draft.nodes.map((node) => {
    const { op, ref } = node;
    if (op.op !== "scale" || op.plus !== 0) return node;
    const source = maker.get(op.x);
    if (!plain(source) || source.parts[0].bias !== undefined || uses.get(op.x) !== 1) return node;
    gone.add(op.x);
    return { ref, op: { ...source, scale: op.by } };
  });
  draft.nodes = draft.nodes.filter((n) => !gone.has(n.ref));
}

/** a + x · Wᵀ: the sum is made where the map is finished. */
function residual(draft: Draft): void {
  const { maker, uses } = index(draft);
  const gone = new Set<Ref>();
  draft.nodes = draft.nodes.map((node) => {
    const { op, ref } = node;
    if (op.op !== "add") return node;
    for (const [map, other] of [
      [op.b, op.a],
      [op.a, op.b],
    ]) {
      const source = maker.get(map);
      if (
        !isLinears(source) ||
        source.gate ||
        source.parts.length !== 1 ||
        source.residual !== undefined
      )
        continue;
      if (uses.get(map) !== 1 || draft.values[map].selected !== draft.values[other].selected)
        continue;
      if (map === other || gone.has(map)) continue;
      gone.add(map);
      return { ref, op: { ...source, residual: other } };
    }
    return node;
  });
  draft.nodes = draft.nodes.filter((n) => !gone.has(n.ref));
}

/** a + norm(x): the sum is made where the norm is finished. */
function normResidual(draft: Draft): void {
  const { maker, uses } = index(draft);
  const gone = new Set<Ref>();
  draft.nodes = draft.nodes.map((node) => {
    const { op, ref } = node;
    if (op.op !== "add") return node;
    for (const [normed, other] of [
      [op.b, op.a],
      [op.a, op.b],
    ]) {
      const source = maker.get(normed);
      const [one, two] = [normed, other].map((r) => draft.values[r]);
      if (!isNorm(source) || source.residual !== undefined || uses.get(normed) !== 1) continue;
      if (one.selected !== two.selected || one.width !== two.width || gone.has(normed)) continue;
      gone.add(normed);
      return { ref, op: { ...source, residual: other } };
    }
    return node;
  });
  draft.nodes = draft.nodes.filter((n) => !gone.has(n.ref));
}

/** In the order they are tried. One to 8 rows use the mat-vec kernel, which alone can take a norm in. */
const patterns: readonly {
  readonly name: string;
  /** Plans of one, of one to 8, or of more rows only. */
  readonly only?: "one" | "few" | "many";
  readonly apply: (d: Draft) => void;
}[] = [
  { name: "gate-up", apply: gateUp },
  { name: "expert-gate-up", apply: (d) => expertGateUp(d, index(d)) },
  { name: "expert-sum", apply: (d) => expertSum(d, index(d)) },
  { name: "expert-lists", only: "many", apply: (d) => expertLists(d, groupWidth) },
  { name: "scale", apply: scaleLinear },
  { name: "shared-input", apply: sharedInput },
  { name: "residual", apply: residual },
  { name: "norm-residual", apply: normResidual },
  { name: "norm", only: "few", apply: normLinear },
  { name: "rope-store", apply: (d) => ropeStore(d, index(d)) },
  { name: "append", only: "one", apply: (d) => append(d, index(d)) },
];

/** Names for `--no-fuse`. */
export const fusionNames: readonly string[] = patterns.map((p) => p.name);

export function fuse(
  graph: Graph,
  facts: TensorFacts,
  rows: number,
  without: readonly string[],
): FusedGraph {
  const draft: Draft = {
    nodes: [],
    values: graph.widths.map((width, i) => ({ width, selected: graph.selected[i] })),
    output: graph.output,
    facts,
  };
  graph.ops.forEach((op, ref) => {
    if (op.op !== "linear") {
      draft.nodes.push({
        ref,
        op: op.op === "moeLinear" || op.op === "headLinear" ? expertsOf(op) : op,
      });
      return;
    }
    const { layer, name, x, weight, bias, first, out, scale } = op;
    const map: LinearsOp = {
      op: "linears",
      layer,
      name,
      x,
      parts: [{ weight, bias, first, out }],
      scale: 1,
    };
    if (scale === undefined) {
      draft.nodes.push({ ref, op: map });
      return;
    }
    // A factor that is a tensor (BitNet) is a product of its own.
    const unscaled = draft.values.length;
    draft.values.push({ ...draft.values[ref] });
    draft.nodes.push(
      { ref: unscaled, op: map },
      {
        ref,
        op: { op: "mulWeight", layer, name: `${name} scale`, x: unscaled, weight: scale, run: 1 },
      },
    );
  });
  // A slice of one run is a view whatever is switched off.
  draft.nodes = draft.nodes.filter(({ ref, op }) => {
    if (op.op !== "slice" || op.groups !== 1 || op.offset % 4 !== 0) return true;
    draft.values[ref] = { ...draft.values[ref], view: { of: op.x, offset: op.offset } };
    return false;
  });
  for (const pattern of patterns) {
    if (without.includes(pattern.name)) continue;
    const { only } = pattern;
    if (only === "one" && rows > 1) continue;
    if (only === "few" && rows > SMALL_ROWS) continue;
    if (only === "many" && rows <= SMALL_ROWS) continue;
    pattern.apply(draft);
  }
  return { nodes: draft.nodes, values: draft.values, output: draft.output };
}
