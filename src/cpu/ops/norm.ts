/**
 * Norms over runs of `group` elements; the weight has one entry an element of the run or of the
 * row.
 */
import type { OpsOf } from "./context.ts";

function eachRun(
  x: Float32Array,
  group: number,
  run: (x: Float32Array, out: Float32Array, start: number) => void,
): Float32Array {
  const out = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += group)
    run(x.subarray(start, start + group), out.subarray(start, start + group), start);
  return out;
}

/** x / sqrt(mean(x²) + eps) · weight. */
export function rmsNorm(
  x: Float32Array,
  weight: Float32Array | undefined,
  eps: number,
  group: number,
): Float32Array {
  return eachRun(x, group, (run, out, start) => {
    let sum = 0;
    for (const value of run) sum += value * value;
    const factor = 1 / Math.sqrt(sum / group + eps);
    for (let i = 0; i < group; i++)
      out[i] = run[i] * factor * (weight ? weight[(start + i) % weight.length] : 1);
  });
}

/** (x − mean) / sqrt(variance + eps) · weight + bias. */
export function layerNorm(
  x: Float32Array,
  weight: Float32Array | undefined,
  bias: Float32Array | undefined,
  eps: number,
  group: number,
): Float32Array {
  return eachRun(x, group, (run, out, start) => {
    let sum = 0;
    for (const value of run) sum += value;
    const mean = sum / group;
    let squares = 0;
    for (const value of run) squares += (value - mean) ** 2;
    const factor = 1 / Math.sqrt(squares / group + eps);
    for (let i = 0; i < group; i++)
      out[i] =
        (run[i] - mean) * factor * (weight ? weight[(start + i) % weight.length] : 1) +
        (bias ? bias[(start + i) % bias.length] : 0);
  });
}

/** x / max(sqrt(sum(x²)), eps). */
export function l2Norm(x: Float32Array, eps: number, group: number): Float32Array {
  return eachRun(x, group, (run, out) => {
    let sum = 0;
    for (const value of run) sum += value * value;
    const factor = 1 / Math.max(Math.sqrt(sum), eps);
    for (let i = 0; i < group; i++) out[i] = run[i] * factor;
  });
}

export const normOps: OpsOf<"rmsNorm" | "layerNorm" | "l2Norm"> = {
  rmsNorm: (op, c) => rmsNorm(c.value(op.x), c.weights.optional(op.weight), op.eps, op.group),
  layerNorm: (op, c) => {
    const [weight, bias] = [c.weights.optional(op.weight), c.weights.optional(op.bias)];
    return layerNorm(c.value(op.x), weight, bias, op.eps, op.group);
  },
  l2Norm: (op, c) => l2Norm(c.value(op.x), op.eps, op.group),
};
