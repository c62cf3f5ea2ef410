import type { Matrix } from "../weights.ts";

/** Σ a[i + n] · b[j + n] over n < length, in double precision. */
export function dot(
  a: Float32Array,
  i: number,
  b: Float32Array,
  j: number,
  length: number,
): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const whole = length - (length % 4);
  let n = 0;
  for (; n < whole; n += 4) {
    s0 += a[i + n] * b[j + n];
    s1 += a[i + n + 1] * b[j + n + 1];
    s2 += a[i + n + 2] * b[j + n + 2];
    s3 += a[i + n + 3] * b[j + n + 3];
  }
  for (; n < length; n++) s0 += a[i + n] * b[j + n];
  return s0 + s1 + (s2 + s3);
}

/** Sums of a · b over runs of `group` elements. */
export function rowDot(a: Float32Array, b: Float32Array, group: number): Float32Array {
  return Float32Array.from({ length: a.length / group }, (_, run) =>
    dot(a, run * group, b, run * group, group),
  );
}

/**
 * Run h of each row of x through matrix h of the weight, whose rows stand one matrix after another.
 */
export function headLinear(
  x: Float32Array,
  weight: Matrix,
  heads: number,
  out: number,
): Float32Array {
  const { width, values } = weight;
  const rows = x.length / (heads * width);
  const y = new Float32Array(rows * heads * out);
  for (let column = 0; column < heads * out; column++) {
    const at = weight.load(column);
    const head = Math.floor(column / out);
    for (let row = 0; row < rows; row++)
      y[row * heads * out + column] = dot(values, at, x, (row * heads + head) * width, width);
  }
  return y;
}

/** Rows of a weight matrix: [first, first + out), of which `from` to `to` are computed now. */
export interface LinearRange {
  readonly first: number;
  readonly out: number;
  readonly from: number;
  readonly to: number;
}

/** x · Wᵀ · scale + bias into columns `from` … `to` of y [rows][out]. */
export function linear(
  x: Float32Array,
  y: Float32Array,
  weight: Matrix,
  range: LinearRange,
  bias?: Float32Array,
  scale = 1,
): void {
  const { first, out, from, to } = range;
  const { width, values } = weight;
  const rows = x.length / width;
  for (let column = from; column < to; column++) {
    const at = weight.load(first + column);
    const plus = bias ? bias[first + column] : 0;
    for (let row = 0; row < rows; row++)
      y[row * out + column] = dot(values, at, x, row * width, width) * scale + plus;
  }
}
