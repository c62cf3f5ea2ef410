import { softplus } from "./activation.ts";
import type { OpsOf } from "./context.ts";

/** What the selective state space reads; shapes as in graph/ops.ts. */
export interface SsmInputs {
  readonly dt: Float32Array;
  readonly b: Float32Array;
  readonly c: Float32Array;
  /** [heads][state] (Mamba-1) or [heads] (Mamba-2), negative. */
  readonly a: Float32Array;
  readonly d?: Float32Array;
  readonly dtBias?: Float32Array;
  readonly heads: number;
  readonly headWidth: number;
  readonly groups: number;
  readonly state: number;
}

/**
 * S = S·exp(dt·A) + (dt·x) ⊗ B ; y = S·C + D·x, row by row; `s` [heads · headWidth][state] is moved
 * on.
 */
export function ssm(x: Float32Array, s: Float32Array, o: SsmInputs): Float32Array {
  const { heads, headWidth, groups, state } = o;
  const inner = heads * headWidth;
  const rows = x.length / inner;
  const perState = o.a.length === heads * state && state > 1;
  const out = new Float32Array(x.length);
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < inner; channel++) {
      const head = Math.floor(channel / headWidth);
      const group = Math.floor(head / (heads / groups));
      const dt = softplus(o.dt[row * heads + head] + (o.dtBias?.[head] ?? 0));
      const value = x[row * inner + channel];
      const run = (row * groups + group) * state;
      let sum = 0;
      for (let i = 0; i < state; i++) {
        const decay = Math.exp(dt * o.a[perState ? head * state + i : head]);
        const next = s[channel * state + i] * decay + dt * value * o.b[run + i];
        s[channel * state + i] = next;
        sum += next * o.c[run + i];
      }
      out[row * inner + channel] = sum + (o.d ? o.d[head] * value : 0);
    }
  }
  return out;
}

export const ssmOps: OpsOf<"ssm"> = {
  ssm: (op, c) =>
    ssm(c.value(op.x), c.state(op, c.width(op.x) * op.state), {
      ...op,
      dt: c.value(op.dt),
      b: c.value(op.b),
      c: c.value(op.c),
      a: c.weights.vector(op.a),
      d: c.weights.optional(op.d),
      dtBias: c.weights.optional(op.dtBias),
    }),
};
