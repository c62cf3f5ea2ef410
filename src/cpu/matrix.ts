/** Weight matrices of the CPU path, and the one place where one is multiplied. */
import { dequantize } from "../file/decode/index.ts";
import { rowBytes } from "../file/quants.ts";
import type { TensorInfo } from "../file/types.ts";

/** Which rows of a matrix make which outputs, and what is done to the products. */
export interface Product {
  /** Output i is made by matrix row first + i. */
  readonly first: number;
  /** Outputs of a row of y. */
  readonly out: number;
  /** Outputs that are computed: from … to − 1. */
  readonly from: number;
  readonly to: number;
  /** By matrix row, added last. */
  readonly bias?: Float32Array;
  /** Factor on each product; none = 1. */
  readonly scale?: number;
}

/** Rows of weights, in whatever form an implementation wants them. */
export interface Matrix {
  /** Elements a row. */
  readonly width: number;
  readonly rows: number;
  /** Products that it makes while plain TypeScript makes one. */
  readonly haste: number;
  /** y[row][i] = x[row] · (matrix row first + i) · scale + bias, for x [rows][width] and y [rows][out]. */
  multiply(x: Float32Array, rows: number, product: Product, y: Float32Array): void;
  /** Writes a row of the matrix as floats into `to` [width]. */
  load(row: number, to: Float32Array): void;
}

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

/** Matrices that show one row of floats at a time. */
abstract class FloatRows implements Matrix {
  abstract readonly width: number;
  abstract readonly rows: number;
  readonly haste = 1;
  /** Where rows are found. */
  protected abstract readonly values: Float32Array;
  /** Makes a row ready, until the next call, and returns where in `values` it begins. */
  protected abstract ready(row: number): number;

  multiply(x: Float32Array, rows: number, product: Product, y: Float32Array): void {
    const { first, out, from, to, bias, scale = 1 } = product;
    const { width, values } = this;
    for (let column = from; column < to; column++) {
      const at = this.ready(first + column);
      const plus = bias ? bias[first + column] : 0;
      for (let row = 0; row < rows; row++)
        y[row * out + column] = dot(values, at, x, row * width, width) * scale + plus;
    }
  }
  load(row: number, to: Float32Array): void {
    const at = this.ready(row);
    to.set(this.values.subarray(at, at + this.width));
  }
}

/** Floats that are there already. */
export class DecodedMatrix extends FloatRows {
  readonly width: number;
  readonly rows: number;
  protected readonly values: Float32Array;

  constructor(data: Float32Array, width: number) {
    super();
    this.width = width;
    this.rows = data.length / width;
    this.values = data;
  }
  protected ready(row: number): number {
    return row * this.width;
  }
}

/** Blocks as the file has them, decoded row by row. */
export class StoredMatrix extends FloatRows {
  readonly width: number;
  readonly rows: number;
  protected readonly values: Float32Array;
  readonly #info: TensorInfo;
  readonly #pieces: readonly Uint8Array[];
  readonly #stride: number;
  /** Rows of a piece. */
  readonly #each: number;

  /** @param pieces the bytes, in pieces of equally many whole rows but for the last */
  constructor(info: TensorInfo, pieces: readonly Uint8Array[]) {
    super();
    this.width = info.shape[0];
    this.rows = info.elements / this.width;
    this.#info = info;
    this.#pieces = pieces;
    this.#stride = rowBytes(info.type, this.width);
    this.#each = pieces[0].length / this.#stride;
    this.values = new Float32Array(this.width);
  }
  protected ready(row: number): number {
    const piece = Math.floor(row / this.#each);
    const from = (row - piece * this.#each) * this.#stride;
    const bytes = this.#pieces[piece].subarray(from, from + this.#stride);
    dequantize(this.#info.type, bytes, this.values, this.width);
    return 0;
  }
}
