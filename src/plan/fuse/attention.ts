/** Fusions around attention: what is done to queries and keys first, and the store of keys and values. */
import type { OpOf, Ref } from "../../graph/ops.ts";
import type { Draft, Index, Node } from "./nodes.ts";
import type { RopeStoreOp } from "./ops.ts";

/** Norm and rotation of q and k, and the store of k and v, in front of attention. */
export function ropeStore(draft: Draft, { maker, uses }: Index): void {
  const gone = new Set<Ref>();
  const next: Node[] = [];
  const trace = (
    ref: Ref,
  ): {
    ref: Ref;
    rope?: OpOf<"rope">;
    norm?: OpOf<"rmsNorm">;
    path: Ref[];
  } => {
    const path: Ref[] = [];
    let at = ref;
    let op = maker.get(at);
    let rope: OpOf<"rope"> | undefined;
    let norm: OpOf<"rmsNorm"> | undefined;
    if (op?.op === "rope" && uses.get(at) === 1) {
      path.push(at);
      rope = op;
      at = op.x;
      op = maker.get(at);
    }
    if (op?.op === "rmsNorm" && op.residual === undefined && uses.get(at) === 1) {
      path.push(at);
      norm = op;
      at = op.x;
    }
    return { ref: at, rope, norm, path };
  };
  for (const node of draft.nodes) {
    const { op } = node;
    if (op.op !== "attention" || op.k === undefined || op.v === undefined) {
      next.push(node);
      continue;
    }
    const q = trace(op.q);
    const k = trace(op.k);
    const parent = draft.values[q.ref].view?.of;
    const sameTable =
      q.rope?.table === k.rope?.table ||
      JSON.stringify(q.rope?.table) === JSON.stringify(k.rope?.table);
    const headWidth = q.rope?.headWidth ?? q.norm?.group ?? 0;
    const normOk = (n: typeof q.norm, r: typeof q.rope): boolean =>
      n === undefined ||
      (n.weight !== undefined &&
        draft.facts.elements(n.weight) === n.group &&
        (r === undefined || r.headWidth === n.group));
    const fits =
      parent !== undefined &&
      draft.values[k.ref].view?.of === parent &&
      draft.values[op.v].view?.of === parent &&
      (q.rope === undefined) === (k.rope === undefined) &&
      sameTable &&
      q.rope?.start === k.rope?.start &&
      q.rope?.style === k.rope?.style &&
      q.rope?.headWidth === k.rope?.headWidth &&
      normOk(q.norm, q.rope) &&
      normOk(k.norm, k.rope) &&
      (q.norm === undefined || k.norm === undefined || q.norm.eps === k.norm.eps) &&
      (q.norm === undefined || k.norm === undefined || q.norm.group === k.norm.group) &&
      (headWidth === 0 || draft.values[op.q].width === headWidth * op.heads);
    if (!fits) {
      next.push(node);
      continue;
    }
    for (const ref of [...q.path, ...k.path]) gone.add(ref);
    const ref = draft.values.length;
    draft.values.push({ width: draft.values[op.q].width, selected: false });
    const store: RopeStoreOp = {
      op: "ropeStore",
      layer: op.layer,
      name: "rope·store",
      q: q.ref,
      k: k.ref,
      v: op.v,
      slot: op.slot,
      rope: q.rope && { start: q.rope.start, style: q.rope.style, table: q.rope.table },
      qNorm: q.norm?.weight,
      kNorm: k.norm?.weight,
      eps: q.norm?.eps ?? k.norm?.eps ?? 0,
    };
    next.push(
      { ref, op: store },
      { ref: node.ref, op: { ...op, q: ref, k: undefined, v: undefined } },
    );
  }
  draft.nodes = next.filter((n) => !gone.has(n.ref));
}

/** Attention of one row rotates its queries itself and stores its key and value. */
export function append(draft: Draft, { maker, uses }: Index): void {
  const gone = new Set<Ref>();
  draft.nodes = draft.nodes.map((node) => {
    const { op, ref } = node;
    if (op.op !== "attention") return node;
    const store = maker.get(op.q);
    if (store?.op !== "ropeStore" || uses.get(op.q) !== 1 || store.slot !== op.slot) return node;
    if (!draft.facts.appends(op.slot, op.heads)) return node;
    gone.add(op.q);
    return { ref, op: { ...op, append: store } };
  });
  draft.nodes = draft.nodes.filter((n) => !gone.has(n.ref));
}
