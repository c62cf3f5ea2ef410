/** Lowering of attention and of what writes its cache. */

import type { Op, Ref } from "../../graph/ops.ts";
import { attention, fitsTile, scratchWidth } from "../../kernels/attention.ts";
import { NONE } from "../../kernels/call.ts";
import { ropeStore } from "../../kernels/ropeStore.ts";
import type { SlotLayout } from "../../kernels/slot.ts";
import type { RopeStoreOp } from "../fuse.ts";
import type { Lowering } from "../plan.ts";

function slotOf(plan: Lowering, index: number): SlotLayout {
  const slot = plan.input.slots[index];
  if (slot.kind !== "kv") throw new Error(`plan: slot ${index} holds no keys and values`);
  return slot;
}

export function lowerRopeStore(plan: Lowering, ref: Ref, op: RopeStoreOp): void {
  const q = plan.place(op.q);
  const out = plan.make(ref, [q]);
  const { rope: turn } = op;
  plan.calls.push(
    ropeStore({
      slot: slotOf(plan, op.slot),
      q,
      k: plan.place(op.k),
      v: plan.place(op.v),
      out,
      rope: turn && {
        start: turn.start,
        rotated: turn.table.rotated,
        style: turn.style,
        angles: plan.input.constants.angles(turn.table),
      },
      qNorm: plan.vector(op.qNorm),
      kNorm: plan.vector(op.kNorm),
      eps: op.eps,
      label: op.name,
      layer: op.layer,
    }),
  );
}

export function lowerAttention(
  plan: Lowering,
  ref: Ref,
  op: Extract<Op, { op: "attention" }>,
): void {
  const slot = slotOf(plan, op.slot);
  const store = { slot, qNorm: NONE, kNorm: NONE, eps: 0, layer: op.layer };
  if (op.k !== undefined)
    plan.calls.push(ropeStore({ ...store, k: plan.place(op.k), label: "store k" }));
  if (op.v !== undefined && !slot.valueIsKeyPrefix)
    plan.calls.push(ropeStore({ ...store, v: plan.place(op.v), label: "store v" }));
  const q = plan.place(op.q);
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
      tiled: !plan.matvec && fitsTile(slot.keyWidth),
      heads: op.heads,
      scale: op.scale,
      softcap: op.softcap,
      window: op.window,
      windowKind: op.windowKind,
      sinks: plan.vector(op.sinks),
      slopes: op.alibi > 0 ? plan.input.constants.alibi(op.heads, op.alibi) : NONE,
      label: op.name,
      layer: op.layer,
    }),
  );
}
