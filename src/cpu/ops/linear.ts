import type { Matrix } from "../weights.ts";

/** Σ a[i] · b[i] in double precision. */
export function dot(a: Float32Array, b: Float32Array, from: number, length: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const whole = length - (length % 4);
  let i = 0;
  for (; i < whole; i += 4) {
    s0 += a[i] * b[from + i];
    s1 += a[i + 1] * b[from + i + 1];
    s2 += a[i + 2] * b[from + i + 2];
    s3 += a[i + 3] * b[from + i + 3];
  }
  for (; i < length; i++) s0 += a[i] * b[from + i];
  return s0 + s1 + (s2 + s3);
}

/** Sums of a · b over runs of `group` elements. */
export function rowDot(a: Float32Array, b: Float32Array, group: number): Float32Array {
  return Float32Array.from({ length: a.length / group }, (_, run) =>
    dot(a.subarray(run * group, (run + 1) * group), b, run * group, group),
  );
}

/** Run h of each row of x through matrix h of the weight, whose rows stand one matrix after another. */
export function headLinear(
  x: Float32Array,
  weight: Matrix,
  heads: number,
  out: number,
): Float32Array {
  const { width } = weight;
  const rows = x.length / (heads * width);
  const y = new Float32Array(rows * heads * out);
  for (let column = 0; column < heads * out; column++) {
    const w = weight.row(column);
    const head = Math.floor(column / out);
    for (let row = 0; row < rows; row++)
      y[row * heads * out + column] = dot(w, x, (row * heads + head) * width, width);
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
  const width = weight.width;
  const rows = x.length / width;
  for (let column = from; column < to; column++) {
    const w = weight.row(first + column);
    const plus = bias ? bias[first + column] : 0;
    for (let row = 0; row < rows; row++)
      y[row * out + column] = dot(w, x, row * width, width) * scale + plus;
  }
}
