import { QUICK_GELU_ALPHA } from "../../graph/activations.ts";
import type { Activation } from "../../graph/ops.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/**
 * Abramowitz and Stegun's 7.1.26 is too coarse here; this is the series and the continued fraction
 * of erf.
 */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 2.5) {
    // erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·5…(2n+1)): all terms positive, no cancellation.
    let term = a;
    let sum = a;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * a * a) / (2 * n + 1);
      sum += term;
    }
    return (Math.sign(x) * 2 * Math.exp(-a * a) * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / ((a + fraction) * Math.sqrt(Math.PI)));
}

/** log(1 + eˣ); x itself where that is the same in f32 (llama.cpp's border, 20). */
export function softplus(x: number): number {
  return x > 20 ? x : Math.log1p(Math.exp(x));
}

/**
 * xIELU (https://arxiv.org/abs/2411.13010) with parameters [alphaN, alphaP, beta, eps] as they take
 * part.
 */
function xielu(x: number, [alphaN, alphaP, beta, eps]: readonly number[]): number {
  if (x > 0) return alphaP * x * x + beta * x;
  return (Math.expm1(Math.min(x, eps)) - x) * alphaN + beta * x;
}

/** One element through an element-wise function. */
export function activate(kind: Activation, x: number, params: readonly number[] = []): number {
  switch (kind) {
    case "silu":
      return x * sigmoid(x);
    case "gelu":
      return 0.5 * x * (1 + Math.tanh(0.7978845608028654 * x * (1 + 0.044715 * x * x)));
    case "geluErf":
      return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
    case "geluQuick":
      return x * sigmoid(QUICK_GELU_ALPHA * x);
    case "relu":
      return Math.max(x, 0);
    case "relu2":
      return Math.max(x, 0) ** 2;
    case "sigmoid":
      return sigmoid(x);
    case "tanh":
      return Math.tanh(x);
    case "softplus":
      return softplus(x);
    case "exp":
      return Math.exp(x);
    case "negExp":
      return -Math.exp(x);
    case "xielu":
      return xielu(x, params);
  }
}

export function activation(
  x: Float32Array,
  kind: Activation,
  params: readonly number[],
): Float32Array {
  return x.map((value) => activate(kind, value, params));
}
