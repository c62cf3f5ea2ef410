/** Fusion patterns over mixture-of-experts ops; see index.ts. */
import type { OpOf, Ref } from "../../graph/ops.ts";
import { groupWidth } from "../../kernels/moeLinear.ts";
import type { Draft, Index, Node } from "./nodes.ts";
import type { ExpertsOp } from "./ops.ts";

/** A map that nothing has been fused into yet. */
export function expertsOf(op: OpOf<"moeLinear" | "headLinear">): ExpertsOp {
  const { layer, name, x, weight, out } = op;
  const base = { op: "experts", layer, name, x, out } as const;
  if (op.op === "headLinear")
    return { ...base, parts: [{ weight, first: 0 }], used: op.heads, perExpert: true };
  const { route, bias, scale, used, perExpert, first } = op;
  return { ...base, route, parts: [{ weight, bias, scale, first }], used, perExpert };
}

const single = (op: Node["op"] | undefined): op is ExpertsOp =>
  op?.op === "experts" && op.parts.length === 1;

/** act(gate) · up of the same experts and the same x as one map. */
export function expertGateUp(draft: Draft, { maker, uses }: Index): void {
  const gone = new Set<Ref>();
  draft.nodes = draft.nodes.map((node) => {
    const { op, ref } = node;
    if (op.op !== "gated" || op.gate === op.up || op.kind === "xielu") return node;
    const gate = maker.get(op.gate);
    const up = maker.get(op.up);
    if (!single(gate) || !single(up) || gate.x !== up.x || gate.route !== up.route) return node;
    if (gate.perExpert !== up.perExpert || gate.out !== up.out) return node;
    if (uses.get(op.gate) !== 1 || uses.get(op.up) !== 1) return node;
    const [a, b] = [gate.parts[0].weight, up.parts[0].weight];
    if (draft.facts.type(a) !== draft.facts.type(b) || !draft.facts.expertsTogether(a, b))
      return node;
    gone.add(op.gate).add(op.up);
    const fused: ExpertsOp = {
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

/** a + Σ weight · expert: the sum is added where it is made. */
export function expertSum(draft: Draft, { maker, uses }: Index): void {
  const gone = new Set<Ref>();
  draft.nodes = draft.nodes.map((node) => {
    const { op, ref } = node;
    if (op.op !== "add" || op.a === op.b) return node;
    for (const [sum, other] of [
      [op.b, op.a],
      [op.a, op.b],
    ]) {
      const source = maker.get(sum);
      if (source?.op !== "moeSum" || uses.get(sum) !== 1 || gone.has(sum)) continue;
      if (draft.values[sum].selected !== draft.values[other].selected) continue;
      gone.add(sum);
      return { ref, op: { ...source, residual: other } };
    }
    return node;
  });
  draft.nodes = draft.nodes.filter((n) => !gone.has(n.ref));
}

/** Maps of many rows go expert by expert: one sorted list a route serves all of them. */
export function expertLists(draft: Draft): void {
  const lists = new Map<Ref, Ref>();
  for (const { op } of draft.nodes)
    if (op.op === "experts" && op.route !== undefined) lists.set(op.route, -1);
  draft.nodes = draft.nodes.flatMap((node) => {
    const { op, ref } = node;
    if (op.op === "experts" && op.route !== undefined)
      return [{ ref, op: { ...op, lists: lists.get(op.route) } }];
    if (op.op !== "moeRoute" || !lists.has(ref)) return [node];
    const { layer, experts, used } = op;
    const made = draft.values.length;
    draft.values.push({ width: groupWidth(used), selected: draft.values[ref].selected });
    lists.set(ref, made);
    return [
      node,
      {
        ref: made,
        op: { op: "expertLists", layer, name: "group by expert", route: ref, experts, used },
      },
    ];
  });
}
