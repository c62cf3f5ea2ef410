/** Fusions of norms: into the maps that read them, and with the sum that they are added to. */
import type { Ref } from "../../graph/ops.ts";
import { isFusedLinear } from "./linear.ts";
import type { Draft, Index, Node } from "./nodes.ts";
import { type FusedLinearOp, isNorm, type PlanOp } from "./ops.ts";

/** An RMS norm of whole rows that only linear maps read: its scale is applied inside them. */
export function normLinear(draft: Draft, { uses }: Index): void {
  const readers = new Map<Ref, Node[]>();
  for (const node of draft.nodes)
    if (isFusedLinear(node.op)) readers.set(node.op.x, [...(readers.get(node.op.x) ?? []), node]);
  const gone = new Set<Ref>();
  const changed = new Map<Ref, PlanOp>();
  for (const { ref, op } of draft.nodes) {
    if (op.op !== "rmsNorm" || op.weight === undefined || op.group !== draft.values[ref].width)
      continue;
    if (op.residual !== undefined) continue;
    const mine = readers.get(ref) ?? [];
    if (mine.length === 0 || mine.length !== uses.get(ref)) continue;
    if (draft.facts.elements(op.weight) !== op.group || op.group % 4 !== 0) continue;
    for (const node of mine)
      changed.set(node.ref, {
        ...(node.op as FusedLinearOp),
        x: op.x,
        norm: { weight: op.weight, eps: op.eps },
      });
    gone.add(ref);
  }
  draft.nodes = draft.nodes
    .filter((n) => !gone.has(n.ref))
    .map((n) => ({ ref: n.ref, op: changed.get(n.ref) ?? n.op }));
}

/** a + norm(x): the sum is made where the norm is finished. */
export function normResidual(draft: Draft, { maker, uses }: Index): void {
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
