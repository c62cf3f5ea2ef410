/** Ops on single elements. A value is [rows][width], one row after another. */
import { activation } from "./activation.ts";
import type { OpsOf } from "./context.ts";
import { gated } from "./gated.ts";
import { positionScale } from "./positionScale.ts";

export function add(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value + b[i]);
}

/** Each element of b covers `run` consecutive elements of a. */
export function mul(a: Float32Array, b: Float32Array, run: number): Float32Array {
  return a.map((value, i) => value * b[Math.floor(i / run)]);
}

/** The weight repeats over the width, and the width over the rows. */
export function addWeight(x: Float32Array, weight: Float32Array): Float32Array {
  return x.map((value, i) => value + weight[i % weight.length]);
}

/** Each entry of the weight covers `run` consecutive elements; the whole repeats over the width. */
export function mulWeight(x: Float32Array, weight: Float32Array, run: number): Float32Array {
  return x.map((value, i) => value * weight[Math.floor(i / run) % weight.length]);
}

export function scale(x: Float32Array, by: number, plus: number): Float32Array {
  return x.map((value) => value * by + plus);
}

export function clamp(x: Float32Array, min: number, max: number): Float32Array {
  return x.map((value) => Math.min(max, Math.max(min, value)));
}

export function softcap(x: Float32Array, cap: number): Float32Array {
  return x.map((value) => cap * Math.tanh(value / cap));
}

export const elementwiseOps: OpsOf<
  | "add"
  | "mul"
  | "addWeight"
  | "mulWeight"
  | "scale"
  | "clamp"
  | "softcap"
  | "activation"
  | "gated"
  | "positionScale"
> = {
  add: (op, c) => add(c.value(op.a), c.value(op.b)),
  mul: (op, c) => mul(c.value(op.a), c.value(op.b), c.width(op.a) / c.width(op.b)),
  addWeight: (op, c) => addWeight(c.value(op.x), c.weights.vector(op.weight)),
  mulWeight: (op, c) => mulWeight(c.value(op.x), c.weights.vector(op.weight), op.run),
  scale: (op, c) => scale(c.value(op.x), op.by, op.plus),
  clamp: (op, c) => clamp(c.value(op.x), op.min, op.max),
  softcap: (op, c) => softcap(c.value(op.x), op.cap),
  activation: (op, c) => activation(c.value(op.x), op.kind, op.params),
  gated: (op, c) => gated(c.value(op.gate), c.value(op.up), op.kind, op.alpha, op.limit),
  positionScale: (op, c) =>
    positionScale(c.value(op.x), c.positions(), op.floorScale, op.factor, op.offset),
};
