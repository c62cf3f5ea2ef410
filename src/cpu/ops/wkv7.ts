import type { OpsOf } from "./context.ts";

/** What RWKV-7's attention reads, each [rows][heads · headWidth]. */
export interface Wkv7Inputs {
  readonly r: Float32Array;
  readonly w: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly a: Float32Array;
  readonly b: Float32Array;
}

/**
 * Per head, S = S·diag(w) + (S·a) ⊗ b + v ⊗ k ; y = S·r; `s` [heads][headWidth][headWidth] is moved
 * on.
 */
export function wkv7(s: Float32Array, headWidth: number, o: Wkv7Inputs): Float32Array {
  const width = s.length / headWidth;
  const rows = o.r.length / width;
  const out = new Float32Array(o.r.length);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) {
      const head = row * width + i - (i % headWidth);
      const line = i * headWidth;
      let sa = 0;
      for (let j = 0; j < headWidth; j++) sa += s[line + j] * o.a[head + j];
      let y = 0;
      const value = o.v[row * width + i];
      for (let j = 0; j < headWidth; j++) {
        const at = head + j;
        s[line + j] = s[line + j] * o.w[at] + sa * o.b[at] + value * o.k[at];
        y += s[line + j] * o.r[at];
      }
      out[row * width + i] = y;
    }
  }
  return out;
}

export const wkv7Ops: OpsOf<"wkv7"> = {
  wkv7: (op, c) =>
    wkv7(c.state(op, op.heads * op.headWidth * op.headWidth), op.headWidth, {
      r: c.value(op.r),
      w: c.value(op.w),
      k: c.value(op.k),
      v: c.value(op.v),
      a: c.value(op.a),
      b: c.value(op.b),
    }),
};
