/** Fusions of linear maps with each other and with what is done to their results. */
import type { OpOf, Ref } from "../../graph/ops.ts";
import type { Draft, Index, Node } from "./nodes.ts";
import type { FusedLinearOp, PlanOp } from "./ops.ts";

/** A map that nothing has been fused into yet. */
export function fusedLinearOf(op: OpOf<"linear">): FusedLinearOp {
  const { layer, name, x, weight, bias, first, out } = op;
  return { op: "fusedLinear", layer, name, x, parts: [{ weight, bias, first, out }], scale: 1 };
}

export const isFusedLinear = (op: PlanOp | undefined): op is FusedLinearOp =>
  op?.op === "fusedLinear";

/** A linear map that nothing has been fused into yet. */
const plain = (op: PlanOp | undefined): op is FusedLinearOp =>
  isFusedLinear(op) &&
  op.parts.length === 1 &&
  !op.gate &&
  op.residual === undefined &&
  op.scale === 1;

/** act(x · Wgᵀ) · (x · Wuᵀ) as one map. */
export function gateUp(draft: Draft, { maker, uses }: Index): void {
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
    const fused: FusedLinearOp = {
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
export function sharedInput(draft: Draft, { uses, maker }: Index): void {
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
      const ops = members.map((n) => n.op as FusedLinearOp);
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
      const fused: FusedLinearOp = {
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

/** A factor on a map's result. */
export function scaleLinear(draft: Draft, { maker, uses }: Index): void {
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
export function residual(draft: Draft, { maker, uses }: Index): void {
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
        !isFusedLinear(source) ||
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
