/** Weight matrices in WebAssembly memory, as the file has them. */
import { dequantize } from "../../file/decode/index.ts";
import { quantTables } from "../../file/grids.ts";
import { rowBytes } from "../../file/quants.ts";
import type { TensorInfo } from "../../file/types.ts";
import { outOfMemory } from "../allocate.ts";
import type { Matrix, Product } from "../matrix.ts";
import { floatFormats } from "./floats.ts";
import { gridFormats, tablesAt } from "./formats/iq.ts";
import { kernelBytes } from "./module.ts";
import { type Piece, type Places, productsAtOnce, rowsAtOnce } from "./place.ts";

type Kernels = Readonly<Record<string, (...args: number[]) => void>>;

/** From so many rows on, weights are unpacked once for all of them. */
const unpackedFrom = 3;

/** A memory with an instance of the kernels. */
export interface Room {
  readonly kernels: Kernels;
  readonly buffer: ArrayBuffer;
  readonly x: Float32Array;
  readonly y: Float32Array;
}

function makeMemory(bytes: number): WebAssembly.Memory {
  const pages = bytes / 2 ** 16;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    throw outOfMemory(bytes, cause);
  }
}

/** Compiled modules by the types that they are for. */
const modules = new Map<string, Promise<WebAssembly.Module>>();

function moduleFor(infos: readonly TensorInfo[]): Promise<WebAssembly.Module> {
  const types = [...new Set(infos.map(({ type }) => type.name))].sort();
  const key = types.join();
  const made = modules.get(key) ?? WebAssembly.compile(kernelBytes(types));
  modules.set(key, made);
  return made;
}

/** Makes the memories and the kernels of the matrices' types. */
export async function makeRooms(infos: readonly TensorInfo[], places: Places): Promise<Room[]> {
  const module = await moduleFor(infos);
  const { scratch } = places;
  const rooms: Room[] = [];
  for (const bytes of places.memories) {
    const memory = makeMemory(bytes);
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    const { buffer } = memory;
    if (infos.some(({ type }) => type.name in gridFormats))
      new Uint32Array(buffer, tablesAt).set(quantTables());
    rooms.push({
      kernels: exports as Kernels,
      buffer,
      x: new Float32Array(buffer, scratch.x, (scratch.q - scratch.x) / 4),
      y: new Float32Array(buffer, scratch.y, productsAtOnce),
    });
  }
  return rooms;
}

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
  }

  multiply(x: Float32Array, rows: number, product: Product, y: Float32Array): void {
    const { first, from, to } = product;
    for (let row = 0; row < rows; row += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - row);
      let begin = 0;
      for (const piece of this.#pieces) {
        const start = Math.max(first + from, begin);
        const end = Math.min(first + to, begin + piece.rows);
        if (start < end) {
          this.#take(piece, x.subarray(row * this.width, (row + count) * this.width), count);
          const address = piece.at + (start - begin) * this.#stride;
          this.#multiply(piece, address, start, end, row, count, product, y);
        }
        begin += piece.rows;
      }
    }
  }

  load(row: number, to: Float32Array): void {
    let begin = 0;
    const piece = this.#pieces.findIndex(({ rows }) => row < begin + rows || !(begin += rows));
    const from = (row - begin) * this.#stride;
    const bytes = this.#bytes[piece].subarray(from, from + this.#stride);
    dequantize(this.#info.type, bytes, to, this.width);
  }

  /** Brings rows of x to where the kernels want them. */
  #take({ memory }: Piece, x: Float32Array, rows: number): void {
    const { kernels, x: to } = this.#rooms[memory];
    const { scratch } = this.#places;
    to.set(x);
    if (this.#isFloat) return;
    kernels["quantize"](scratch.x, scratch.q, scratch.d, scratch.s, this.width, rows);
  }

  /** Matrix rows [start, end), which lie from `address` on, with `rows` rows of x from `row` on. */
  #multiply(
    { memory }: Piece,
    address: number,
    start: number,
    end: number,
    row: number,
    rows: number,
    { first, out, bias, scale = 1 }: Product,
    y: Float32Array,
  ): void {
    const { kernels, y: made } = this.#rooms[memory];
    const { scratch } = this.#places;
    const { name } = this.#info.type;
    const { width } = this;
    const stride = this.#stride;
    const most = Math.floor(productsAtOnce / rows);
    for (let at = start; at < end; at += most) {
      const count = Math.min(most, end - at);
      const w = address + (at - start) * stride;
      const { x, q, d, s, unpacked, y: to } = scratch;
      if (this.#isFloat) kernels[`${name}_vec`](w, stride, count, x, width, rows, to, count);
      else if (rows < unpackedFrom)
        kernels[`${name}_vec`](w, stride, count, q, d, s, width, rows, to, count);
      else kernels[`${name}_mul`](w, stride, count, q, d, s, width, rows, to, count, unpacked);
      for (let r = 0; r < rows; r++) {
        const own = made.subarray(r * count, (r + 1) * count);
        const put = (row + r) * out + at - first;
        if (!bias && scale === 1) y.set(own, put);
        else
          for (let i = 0; i < count; i++) y[put + i] = own[i] * scale + (bias ? bias[at + i] : 0);
      }
    }
  }
}
