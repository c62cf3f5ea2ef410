/** Weight matrices in WebAssembly memory, as the file has them. */
import { dequantize } from "../../file/decode/index.ts";
import { rowBytes } from "../../file/quants.ts";
import type { TensorInfo } from "../../file/types.ts";
import type { Matrix, Product } from "../matrix.ts";
import { floatFormats } from "./floats.ts";
import type { Room } from "./kernels.ts";
import { bits, poolFor } from "./kernels.ts";
import { type Piece, type Places, productsAtOnce, rowsAtOnce } from "./place.ts";
import type { Split } from "./threads/pool.ts";

/** From so many rows on, weights are unpacked once for all of them. */
const unpackedFrom = 3;

/** The bytes of a matrix's pieces, to be filled. */
export function bytesOf(
  info: TensorInfo,
  pieces: readonly Piece[],
  rooms: readonly Room[],
): Uint8Array<ArrayBuffer>[] {
  const stride = rowBytes(info.type, info.shape[0]);
  return pieces.map(
    ({ memory, at, rows }) => new Uint8Array(rooms[memory].buffer, at, rows * stride),
  );
}

export class WasmMatrix implements Matrix {
  readonly width: number;
  readonly rows: number;
  /** About 2 to 10 billion products a second. */
  readonly haste = 16;
  readonly #info: TensorInfo;
  readonly #pieces: readonly Piece[];
  readonly #bytes: readonly Uint8Array[];
  readonly #rooms: readonly Room[];
  readonly #places: Places;
  readonly #stride: number;
  readonly #isFloat: boolean;
  readonly #vec: string;
  readonly #mul: string;
  readonly #split: Split;

  constructor(info: TensorInfo, places: Places, rooms: readonly Room[]) {
    this.width = info.shape[0];
    this.rows = info.elements / this.width;
    this.#info = info;
    this.#pieces = places.pieces.get(info.name) as readonly Piece[];
    this.#bytes = bytesOf(info, this.#pieces, rooms);
    this.#rooms = rooms;
    this.#places = places;
    this.#stride = rowBytes(info.type, this.width);
    this.#isFloat = info.type.name in floatFormats;
    this.#vec = `${info.type.name}_vec`;
    this.#mul = `${info.type.name}_mul`;
    const y = this.#isFloat ? 6 : 8;
    const lane = places.scratch.lanes.unpacked;
    this.#split = {
      count: 2,
      steps: Array.from({ length: 12 }, (_, i) => (i === 0 ? this.#stride : i === y ? 4 : 0)),
      lanes: Array.from({ length: 12 }, (_, i) => (i === 10 ? lane : 0)),
    };
  }

  multiply(x: Float32Array, rows: number, product: Product, y: Float32Array): void {
    const [{ buffer, x: taken, y: made }] = this.#rooms;
    const { width } = this;
    const { first, out, from, to, bias, scale = 1 } = product;
    if (x.buffer === buffer && y.buffer === buffer && (!bias || bias.buffer === buffer)) {
      this.multiplyAt(x.byteOffset, rows, product, y.byteOffset);
      return;
    }
    // From arrays elsewhere and to such, by way of the first memory.
    for (let row = 0; row < rows; row += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - row);
      taken.set(x.subarray(row * width, (row + count) * width));
      const most = Math.floor(productsAtOnce / count);
      for (let at = from; at < to; at += most) {
        const columns = Math.min(most, to - at);
        const part = { first: first + at, out: columns, from: 0, to: columns };
        this.multiplyAt(taken.byteOffset, count, part, made.byteOffset);
        for (let r = 0; r < count; r++) {
          const put = (row + r) * out + at;
          const own = made.subarray(r * columns, (r + 1) * columns);
          if (!bias && scale === 1) y.set(own, put);
          else
            for (let i = 0; i < columns; i++)
              y[put + i] = Math.fround(own[i] * scale) + (bias ? bias[first + at + i] : 0);
        }
      }
    }
  }

  /** The same with x, y and the bias in the first memory, given by their addresses. */
  multiplyAt(x: number, rows: number, product: Product, y: number): void {
    const { first, out, from, to, bias, scale = 1 } = product;
    const [{ kernels }] = this.#rooms;
    for (let row = 0; row < rows; row += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - row);
      const [own, put] = [x + 4 * row * this.width, y + 4 * row * out];
      let begin = 0;
      let taken = -1;
      for (const piece of this.#pieces) {
        const start = Math.max(first + from, begin);
        const end = Math.min(first + to, begin + piece.rows);
        if (start < end) {
          if (taken !== piece.memory) this.#take(piece.memory, own, count);
          taken = piece.memory;
          const w = piece.at + (start - begin) * this.#stride;
          const target = put + 4 * (start - first);
          if (taken === 0) this.#products(0, own, w, end - start, count, target, out);
          else this.#elsewhere(taken, w, end - start, count, target, out);
        }
        begin += piece.rows;
      }
      if (!bias && scale === 1) continue;
      const plus = bias ? bias.byteOffset + 4 * (first + from) : 0;
      const name = bias ? "finishB" : "finish";
      kernels[name](put + 4 * from, out, count, to - from, bits(scale), plus);
    }
  }

  load(row: number, to: Float32Array): void {
    let begin = 0;
    const piece = this.#pieces.findIndex(({ rows }) => row < begin + rows || !(begin += rows));
    const from = (row - begin) * this.#stride;
    const bytes = this.#bytes[piece].subarray(from, from + this.#stride);
    dequantize(this.#info.type, bytes, to, this.width);
  }

  /** Brings rows of x to where a memory's kernels want them. */
  #take(memory: number, x: number, rows: number): void {
    const { scratch } = this.#places;
    const { kernels, x: to } = this.#rooms[memory];
    let at = x;
    if (memory > 0) {
      to.set(new Float32Array(this.#rooms[0].buffer, x, rows * this.width));
      at = scratch.x;
    }
    if (this.#isFloat) return;
    const { q, crossed, d, s } = scratch;
    kernels["quantize"](at, q, d, s, this.width, rows);
    if (rows >= unpackedFrom) kernels["cross"](q, crossed, rows * Math.ceil(this.width / 128));
  }

  /** `count` rows of the matrix from address w on, with `rows` rows of x: y[row][ys]. */
  #products(
    memory: number,
    x: number,
    w: number,
    count: number,
    rows: number,
    y: number,
    ys: number,
  ): void {
    const { kernels } = this.#rooms[memory];
    const { q, crossed, d, s, unpacked } = this.#places.scratch;
    const { width } = this;
    const stride = this.#stride;
    const pool = poolFor(this.#rooms[memory], count * rows * width);
    if (pool) {
      const x3 = this.#isFloat ? [x] : [q, d, s];
      const args = [w, stride, count, ...x3, width, rows, y, ys];
      const many = !this.#isFloat && rows >= unpackedFrom;
      if (many) args.push(unpacked, crossed);
      pool.rows(memory, many ? this.#mul : this.#vec, args, this.#split);
    } else if (this.#isFloat) kernels[this.#vec](w, stride, count, x, width, rows, y, ys);
    else if (rows < unpackedFrom) kernels[this.#vec](w, stride, count, q, d, s, width, rows, y, ys);
    else kernels[this.#mul](w, stride, count, q, d, s, width, rows, y, ys, unpacked, crossed);
  }

  /** The same in another memory than the first, to which the products are copied. */
  #elsewhere(memory: number, w: number, count: number, rows: number, y: number, ys: number): void {
    const { scratch } = this.#places;
    const to = new Float32Array(this.#rooms[0].buffer);
    const { y: made } = this.#rooms[memory];
    const most = Math.floor(productsAtOnce / rows);
    for (let at = 0; at < count; at += most) {
      const part = Math.min(most, count - at);
      this.#products(memory, scratch.x, w + at * this.#stride, part, rows, scratch.y, part);
      for (let r = 0; r < rows; r++)
        to.set(made.subarray(r * part, (r + 1) * part), y / 4 + r * ys + at);
    }
  }
}
