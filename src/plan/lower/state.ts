/** Lowering of ops that carry state from row to row. */
import type { Op, Ref } from "../../graph/ops.ts";
import type { Place } from "../../kernels/call.ts";
import { conv } from "../../kernels/conv.ts";
import { copy } from "../../kernels/copy.ts";
import { deltaNet } from "../../kernels/deltaNet.ts";
import { MAX_INPUTS, type StateCall } from "../../kernels/inputs.ts";
import { shift } from "../../kernels/shift.ts";
import { ssm } from "../../kernels/ssm.ts";
import { wkv7 } from "../../kernels/wkv7.ts";
import type { Lowering, LoweringsOf } from "./lowering.ts";

type StateOp = Extract<Op, { op: "conv" | "ssm" | "deltaNet" | "shift" | "wkv7" }>;

function lowerState(plan: Lowering, ref: Ref, op: StateOp): void {
  const layout = plan.input.slots[op.slot];
  if (layout.kind !== "state") throw new Error(`plan: slot ${op.slot} holds no state`);
  const about = {
    state: { buffer: layout.buffer, offset: op.slotOffset, size: layout.size },
    runs: Math.min(plan.rowClass.rows, plan.input.maxSequences),
    label: op.name,
    layer: op.layer,
  };
  /** The values of an op and the room for its result. */
  const places = (refs: readonly Ref[], vectors: boolean): [Place[], StateCall] => {
    const values = gather(
      plan,
      op,
      refs.map((r) => plan.place(r)),
      vectors ? MAX_INPUTS - 1 : MAX_INPUTS,
    );
    return [values, { ...about, out: plan.make(ref, values) }];
  };
  switch (op.op) {
    case "conv": {
      const [[x], call] = places([op.x], true);
      const weight = plan.vector(op.weight);
      plan.calls.push(conv({ ...call, x, weight, bias: plan.vector(op.bias), kernel: op.kernel }));
      return;
    }
    case "shift": {
      const [[x], call] = places([op.x], false);
      plan.calls.push(shift({ ...call, x }));
      return;
    }
    case "ssm": {
      const [[x, dt, b, c], call] = places([op.x, op.dt, op.b, op.c], true);
      const { heads, headWidth, groups, state: stateWidth } = op;
      const length = plan.input.placement.vectorLengths.get(op.a)!;
      plan.calls.push(
        ssm({
          ...call,
          x,
          dt,
          b,
          c,
          a: plan.vector(op.a),
          d: plan.vector(op.d),
          bias: plan.vector(op.dtBias),
          perState: length > heads,
          heads,
          headWidth,
          groups,
          stateWidth,
        }),
      );
      return;
    }
    case "deltaNet": {
      const [[q, k, v, g, beta], call] = places([op.q, op.k, op.v, op.g, op.beta], false);
      const { heads, keyHeads, keyWidth, valueWidth, scale, tiled } = op;
      const shape = { heads, keyHeads, keyWidth, valueWidth, scale, tiled };
      plan.calls.push(deltaNet({ ...call, ...shape, q, k, v, g, beta }));
      return;
    }
    case "wkv7": {
      const refs = [op.r, op.w, op.k, op.v, op.a, op.b];
      const [[r, w, k, v, a, b], call] = places(refs, false);
      plan.calls.push(wkv7({ ...call, r, w, k, v, a, b, headWidth: op.headWidth }));
      return;
    }
  }
}

/** The values in at most `limit` buffers: those that stand in others are copied into one. */
function gather(plan: Lowering, op: Op, values: readonly Place[], limit: number): Place[] {
  const buffers = [...new Set(values.map((p) => p.buffer))];
  if (buffers.length <= limit) return [...values];
  const kept = new Set(buffers.slice(0, limit - 1));
  const moved = values.filter((p) => !kept.has(p.buffer));
  const { domain } = moved[0];
  const room = plan.scratch(
    moved.reduce((sum, p) => sum + p.width, 0),
    moved,
    domain,
  );
  let to = 0;
  const places = new Map<Place, Place>();
  for (const x of moved) {
    const { name: label, layer } = op;
    const { width } = x;
    const move = { width, groups: 1, from: 0, fromRun: 0, to, toRun: 0, select: false };
    plan.calls.push(copy({ ...move, x, out: room, label, layer }));
    places.set(x, { ...room, offset: room.offset + to, width });
    to += width;
  }
  return values.map((p) => places.get(p) ?? p);
}

export const stateLowerings: LoweringsOf<StateOp["op"]> = {
  conv: lowerState,
  ssm: lowerState,
  deltaNet: lowerState,
  shift: lowerState,
  wkv7: lowerState,
};
