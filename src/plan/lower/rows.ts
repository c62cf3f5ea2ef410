/** Lowering of ops that fetch, normalise, multiply or turn rows. */
import type { Op, Ref } from "../../graph/ops.ts";
import { NONE, read } from "../../kernels/call.ts";
import { dot } from "../../kernels/dot.ts";
import { embed } from "../../kernels/embed.ts";
import { norm } from "../../kernels/norm.ts";
import { rope } from "../../kernels/rope.ts";
import type { NormOp } from "../fuse/ops.ts";
import type { Lowering, LoweringsOf } from "./lowering.ts";

function lowerEmbed(plan: Lowering, ref: Ref, op: Extract<Op, { op: "embed" }>): void {
  const out = plan.make(ref, []);
  const { type, pieces } = plan.matrix(op.table);
  for (const piece of pieces) {
    const weights = read(piece.buffer);
    const base = piece.offset / 4;
    plan.calls.push(
      embed({
        type,
        weights,
        base,
        first: piece.first,
        rows: piece.rows,
        by: op.by,
        offset: op.offset,
        out,
        contextLength: plan.input.contextLength,
        label: op.name,
      }),
    );
  }
}

function lowerNorm(plan: Lowering, ref: Ref, op: NormOp): void {
  const x = plan.place(op.x);
  const weight = op.op === "l2Norm" ? undefined : op.weight;
  const residual = op.residual === undefined ? undefined : plan.place(op.residual);
  const out = plan.make(ref, residual ? [x, residual] : [x]);
  const length = weight === undefined ? 0 : plan.input.placement.vectorLengths.get(weight)!;
  plan.calls.push(
    norm({
      kind: op.op,
      x,
      out,
      group: op.group,
      eps: op.eps,
      weight: plan.vector(weight),
      bias: op.op === "layerNorm" ? plan.vector(op.bias) : NONE,
      perElement: length > op.group,
      residual,
      label: op.name,
      layer: op.layer,
    }),
  );
}

function lowerRope(plan: Lowering, ref: Ref, op: Extract<Op, { op: "rope" }>): void {
  const x = plan.place(op.x);
  const { headWidth, start, style, table, name: label, layer } = op;
  const angles = plan.input.constants.angles(table);
  const out = plan.make(ref, [x]);
  plan.calls.push(
    rope({ x, out, headWidth, start, rotated: table.rotated, style, angles, label, layer }),
  );
}

function lowerDot(plan: Lowering, ref: Ref, op: Extract<Op, { op: "dot" }>): void {
  const [a, b] = [plan.place(op.a), plan.place(op.b)];
  const { group, name: label, layer } = op;
  plan.calls.push(dot({ a, b, out: plan.make(ref, [a, b]), group, label, layer }));
}

export const rowsLowerings: LoweringsOf<
  "embed" | "rmsNorm" | "layerNorm" | "l2Norm" | "dot" | "rope"
> = {
  embed: lowerEmbed,
  rmsNorm: lowerNorm,
  layerNorm: lowerNorm,
  l2Norm: lowerNorm,
  dot: lowerDot,
  rope: lowerRope,
};
