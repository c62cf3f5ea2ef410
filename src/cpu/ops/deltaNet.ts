import type { OpsOf } from "./context.ts";

/** What the gated delta rule reads; shapes as in graph/ops.ts. */
export interface DeltaNetInputs {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  /** Logarithm of the decay, one a head or one a key channel. */
  readonly g: Float32Array;
  readonly beta: Float32Array;
  readonly heads: number;
  readonly keyHeads: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
  readonly scale: number;
  readonly tiled: boolean;
}

/**
 * S = S·exp(g) ; u = beta·(v − Sᵀk) ; S = S + k ⊗ u ; y = Sᵀq·scale; `s`
 * [heads][keyWidth][valueWidth] is moved on.
 */
export function deltaNet(s: Float32Array, o: DeltaNetInputs): Float32Array {
  const { heads, keyHeads, keyWidth, valueWidth } = o;
  const rows = o.beta.length / heads;
  const perChannel = o.g.length === rows * heads * keyWidth && keyWidth > 1;
  const out = new Float32Array(rows * heads * valueWidth);
  const u = new Float64Array(valueWidth);
  const y = new Float64Array(valueWidth);
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const keyHead = o.tiled ? head % keyHeads : Math.floor(head / (heads / keyHeads));
      const key = (row * keyHeads + keyHead) * keyWidth;
      const at = row * heads + head;
      u.fill(0);
      for (let i = 0; i < keyWidth; i++) {
        const decay = Math.exp(o.g[perChannel ? at * keyWidth + i : at]);
        const line = (head * keyWidth + i) * valueWidth;
        for (let j = 0; j < valueWidth; j++) {
          s[line + j] *= decay;
          u[j] += s[line + j] * o.k[key + i];
        }
      }
      for (let j = 0; j < valueWidth; j++) u[j] = o.beta[at] * (o.v[at * valueWidth + j] - u[j]);
      y.fill(0);
      for (let i = 0; i < keyWidth; i++) {
        const line = (head * keyWidth + i) * valueWidth;
        for (let j = 0; j < valueWidth; j++) {
          s[line + j] += o.k[key + i] * u[j];
          y[j] += s[line + j] * o.q[key + i];
        }
      }
      for (let j = 0; j < valueWidth; j++) out[at * valueWidth + j] = y[j] * o.scale;
    }
  }
  return out;
}

export const deltaNetOps: OpsOf<"deltaNet"> = {
  deltaNet: (op, c) =>
    deltaNet(c.state(op, op.heads * op.keyWidth * op.valueWidth), {
      ...op,
      q: c.value(op.q),
      k: c.value(op.k),
      v: c.value(op.v),
      g: c.value(op.g),
      beta: c.value(op.beta),
    }),
};
