/** Lowering of attention and of what writes its cache. */

import type { Ref } from "../../graph/ops.ts";
import { type AppendCall, attention, fitsTile, scratchWidth } from "../../kernels/attention.ts";
import { NONE } from "../../kernels/call.ts";
import { ropeStore } from "../../kernels/ropeStore.ts";
import type { SlotLayout } from "../../kernels/slot.ts";
import type { AttentionOp, RopeStoreOp } from "../fuse/ops.ts";
import type { Lowering, LoweringsOf } from "./lowering.ts";

function slotOf(plan: Lowering, index: number): SlotLayout {
  const slot = plan.input.slots[index];
  if (slot.kind !== "kv") throw new Error(`plan: slot ${index} holds no keys and values`);
  return slot;
}

/** What is done to keys and queries before they are used. */
function rotation(plan: Lowering, op: RopeStoreOp): AppendCall {
  const { rope } = op;
  return {
    k: plan.place(op.k),
    v: plan.place(op.v),
    rope: rope && {
      start: rope.start,
      rotated: rope.table.rotated,
      style: rope.style,
      angles: plan.input.constants.angles(rope.table),
    },
    qNorm: plan.vector(op.qNorm),
    kNorm: plan.vector(op.kNorm),
    eps: op.eps,
  };
}

function lowerRopeStore(plan: Lowering, ref: Ref, op: RopeStoreOp): void {
  const q = plan.place(op.q);
  const out = plan.make(ref, [q]);
  const { name: label, layer } = op;
  const slot = slotOf(plan, op.slot);
  plan.calls.push(ropeStore({ ...rotation(plan, op), slot, q, out, label, layer }));
}

function lowerAttention(plan: Lowering, ref: Ref, op: AttentionOp): void {
  const slot = slotOf(plan, op.slot);
  const store = { slot, qNorm: NONE, kNorm: NONE, eps: 0, layer: op.layer };
  if (op.k !== undefined)
    plan.calls.push(ropeStore({ ...store, k: plan.place(op.k), label: "store k" }));
  if (op.v !== undefined && !slot.valueIsKeyPrefix)
    plan.calls.push(ropeStore({ ...store, v: plan.place(op.v), label: "store v" }));
  const q = plan.place(op.append?.q ?? op.q);
  const out = plan.make(ref, [q]);
  const splits = plan.matvec ? plan.input.tuning.splits : 1;
  const scratch =
    splits > 1
      ? plan.scratch(scratchWidth(op.heads, splits, slot.valueWidth), [q, out], 0)
      : undefined;
  plan.calls.push(
    ...attention({
      slot,
      q,
      out,
      scratch,
      splits,
      positions: plan.input.tuning.positions,
      subgroup: plan.input.tuning.subgroup,
      unroll: plan.input.tuning.unroll,
      tiled: !plan.matvec && fitsTile(slot.keyWidth),
      heads: op.heads,
      scale: op.scale,
      softcap: op.softcap,
      append: op.append && rotation(plan, op.append),
      window: op.window,
      windowKind: op.windowKind,
      sinks: plan.vector(op.sinks),
      slopes: op.alibi > 0 ? plan.input.constants.alibi(op.heads, op.alibi) : NONE,
      label: op.name,
      layer: op.layer,
    }),
  );
}

export const attentionLowerings: LoweringsOf<"ropeStore" | "attention"> = {
  ropeStore: lowerRopeStore,
  attention: lowerAttention,
};
