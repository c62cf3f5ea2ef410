import type { OpsOf } from "./context.ts";

/**
 * Causal depthwise convolution: y[t,c] = Σ_j w[j,c] · x[t−K+1+j, c] + bias[c]. The weight is stored as
 * [channels][K]; `state` holds the K−1 rows before x, oldest first, and is moved on.
 */
export function conv(
  x: Float32Array,
  state: Float32Array,
  weight: Float32Array,
  kernel: number,
  bias?: Float32Array,
): Float32Array {
  const width = weight.length / kernel;
  const rows = x.length / width;
  const out = new Float32Array(x.length);
  const all = new Float32Array(state.length + x.length);
  all.set(state);
  all.set(x, state.length);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < width; c++) {
      let sum = bias ? bias[c] : 0;
      for (let j = 0; j < kernel; j++) sum += weight[c * kernel + j] * all[(row + j) * width + c];
      out[row * width + c] = sum;
    }
  }
  state.set(all.subarray(all.length - state.length));
  return out;
}

/** Row t → row t − 1; `state` is the row before x, and is moved on. */
export function shift(x: Float32Array, state: Float32Array): Float32Array {
  const width = state.length;
  const out = new Float32Array(x.length);
  out.set(state);
  out.set(x.subarray(0, x.length - width), width);
  state.set(x.subarray(x.length - width));
  return out;
}

export const convOps: OpsOf<"conv" | "shift"> = {
  conv: (op, c) => {
    const past = c.state(op, (op.kernel - 1) * c.width(op.x));
    const [weight, bias] = [c.weights.vector(op.weight), c.weights.optional(op.bias)];
    return conv(c.value(op.x), past, weight, op.kernel, bias);
  },
  shift: (op, c) => shift(c.value(op.x), c.state(op, c.width(op.x))),
};
