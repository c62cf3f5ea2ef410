/** Lowering of ops that only move columns or choose rows. */
import type { Op, Ref } from "../../graph/ops.ts";
import type { Place } from "../../kernels/call.ts";
import { copy } from "../../kernels/copy.ts";
import type { Lowering, LoweringsOf } from "./lowering.ts";

/** A part of the result: runs of `width` columns. */
interface Part {
  readonly x: Place;
  readonly width: number;
  readonly from: number;
  readonly fromRun: number;
  readonly to: number;
  readonly toRun: number;
}

function emit(plan: Lowering, ref: Ref, op: Op, parts: readonly Part[], groups: number): void {
  const out = plan.make(
    ref,
    parts.map((p) => p.x),
  );
  const { name: label, layer } = op;
  for (const part of parts)
    plan.calls.push(copy({ ...part, out, groups, select: op.op === "select", label, layer }));
}

function lowerSelect(plan: Lowering, ref: Ref, op: Extract<Op, { op: "select" }>): void {
  const x = plan.place(op.x);
  // The only row of a step is its output row.
  if (plan.rowClass.rows === 1) plan.alias(ref, op.x);
  else emit(plan, ref, op, [{ x, width: x.width, from: 0, fromRun: 0, to: 0, toRun: 0 }], 1);
}

function lowerSlice(plan: Lowering, ref: Ref, op: Extract<Op, { op: "slice" }>): void {
  const x = plan.place(op.x);
  const { width, offset, groups } = op;
  const part = { x, width, from: offset, fromRun: x.width / groups, to: 0, toRun: width };
  emit(plan, ref, op, [part], groups);
}

function lowerConcat(plan: Lowering, ref: Ref, op: Extract<Op, { op: "concat" }>): void {
  const values = op.parts.map((part) => plan.place(part));
  const toRun = values.reduce((sum, p) => sum + p.width / op.groups, 0);
  let to = 0;
  const parts = values.map((x): Part => {
    const width = x.width / op.groups;
    const part = { x, width, from: 0, fromRun: width, to, toRun };
    to += width;
    return part;
  });
  emit(plan, ref, op, parts, op.groups);
}

export const copiesLowerings: LoweringsOf<"slice" | "concat" | "select"> = {
  slice: lowerSlice,
  concat: lowerConcat,
  select: lowerSelect,
};
