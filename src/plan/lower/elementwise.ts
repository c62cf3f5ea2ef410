/** Lowering of element-wise ops. */
import type { Op, Ref } from "../../graph/ops.ts";
import { activationNumber } from "../../kernels/activation.ts";
import type { Place } from "../../kernels/call.ts";
import { type ElementwiseCall, elementwise } from "../../kernels/elementwise.ts";
import type { Lowering, LoweringsOf } from "./lowering.ts";

type ElementwiseOp = Extract<
  Op,
  {
    op:
      | "add"
      | "mul"
      | "addWeight"
      | "mulWeight"
      | "scale"
      | "clamp"
      | "softcap"
      | "activation"
      | "gated"
      | "positionScale";
  }
>;

function lowerElementwise(plan: Lowering, ref: Ref, op: ElementwiseOp): void {
  const base = { label: op.name, layer: op.layer };
  const emit = (
    a: Place,
    rest: Omit<ElementwiseCall, "a" | "out" | "label" | "layer">,
    b?: Place,
  ): void => {
    const out = plan.make(ref, b ? [a, b] : [a]);
    plan.calls.push(elementwise({ ...base, a, out, ...rest }));
  };
  const operand = (p: Place) => ({
    buffer: p.buffer,
    offset: p.offset,
    stride: p.stride,
    period: p.width,
  });
  switch (op.op) {
    case "add":
    case "mul": {
      const a = plan.place(op.a);
      const b = plan.place(op.b);
      return emit(a, { kind: op.op, b: operand(b), repeat: a.width / b.width }, b);
    }
    case "addWeight":
    case "mulWeight": {
      const period = plan.input.placement.vectorLengths.get(op.weight)!;
      const b = { buffer: "small", offset: plan.vector(op.weight), stride: 0, period };
      if (op.op === "addWeight") return emit(plan.place(op.x), { kind: "add", b });
      return emit(plan.place(op.x), { kind: "mul", b, repeat: op.run });
    }
    case "scale":
      return emit(plan.place(op.x), { kind: "scale", constants: [op.by, op.plus] });
    case "clamp":
      return emit(plan.place(op.x), { kind: "clamp", constants: [op.min, op.max] });
    case "softcap":
      return emit(plan.place(op.x), { kind: "softcap", constants: [op.cap] });
    case "activation":
      if (op.kind === "xielu")
        return emit(plan.place(op.x), { kind: "xielu", constants: op.params });
      return emit(plan.place(op.x), { kind: "activation", act: activationNumber(op.kind) });
    case "gated": {
      const gate = plan.place(op.gate);
      const up = plan.place(op.up);
      const constants = [op.alpha, op.limit];
      return emit(
        gate,
        { kind: "gated", act: activationNumber(op.kind), b: operand(up), constants },
        up,
      );
    }
    case "positionScale":
      return emit(plan.place(op.x), {
        kind: "positionScale",
        constants: [op.floorScale, op.factor, op.offset],
      });
  }
}

export const elementwiseLowerings: LoweringsOf<ElementwiseOp["op"]> = {
  add: lowerElementwise,
  mul: lowerElementwise,
  addWeight: lowerElementwise,
  mulWeight: lowerElementwise,
  scale: lowerElementwise,
  clamp: lowerElementwise,
  activation: lowerElementwise,
  gated: lowerElementwise,
  softcap: lowerElementwise,
  positionScale: lowerElementwise,
};
