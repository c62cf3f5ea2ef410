/**
 * C's single precision in JavaScript. A sum, difference, product, quotient or root of two floats is computed in a double
 * and rounded to a float: the same number as one rounding gives. So each operation stands in its own `f(…)`,
 * a constant of each file, since engines compute what they see to be `Math.fround` by the processor's own rounding.
 */
import { floatToHalf, halfTable } from "../base/half.ts";

const f = Math.fround;

/** The largest finite float. */
export const largest: number = f(3.4028234663852886e38);

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/**
 * The nearest whole number, the even one of two. It is read from the bits of value + 1.5 · 2^23, so that what is out of
 * range or no number gives the same whole number as in C.
 */
export function nearestInt(value: number): number {
  float[0] = value + 12582912;
  return (bits[0] & 0x7fffff) - 0x400000;
}

/** The nearest whole number, away from zero where two are. */
export function roundAway(value: number): number {
  return value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
}

/** The bits of a float. */
export function bitsOf(value: number): number {
  float[0] = value;
  return bits[0];
}

/** Writes a binary16 and returns the value that it has. */
export function putHalf(out: Uint8Array, at: number, value: number): number {
  const half = floatToHalf(value);
  out[at] = half;
  out[at + 1] = half >> 8;
  return halfTable()[half];
}

/** The mean of the squares times `factor`, summed in order. */
export function meanSquare(x: Float32Array, at: number, count: number, factor = 1): number {
  let sum = 0;
  for (let i = at; i < at + count; i++) sum = f(sum + f(x[i] * x[i]));
  return f(f(factor * sum) / count);
}

/** The weight of each error by importance: importance · √(σ² + x²). */
export function weigh(
  x: Float32Array,
  at: number,
  count: number,
  importance: Float32Array,
  from: number,
  sigma2: number,
  weights: Float32Array,
): void {
  for (let i = 0; i < count; i++) {
    const v = x[at + i];
    weights[i] = importance[from + i] * f(Math.sqrt(f(sigma2 + f(v * v))));
  }
}

/** The weight of each error without importance: x². */
export function weighBySquare(
  x: Float32Array,
  at: number,
  count: number,
  weights: Float32Array,
): void {
  for (let i = 0; i < count; i++) weights[i] = x[at + i] * x[at + i];
}
