/** Where matrices stand in WebAssembly memories, planned before anything is allocated. */
import { rowBytes } from "../../file/quants.ts";
import { tableWords } from "../../file/tables.ts";
import type { TensorInfo } from "../../file/types.ts";
import { tablesAt } from "./formats/iq.ts";
import { unpackedBytes } from "./products.ts";

/** Consecutive rows of a matrix, whole in one memory. */
export interface Piece {
  readonly memory: number;
  readonly at: number;
  readonly rows: number;
}

/** Where the kernels of a memory work. */
export interface Scratch {
  /** Rows of x, floats. */
  readonly x: number;
  /** Their integers, scales and sums. */
  readonly q: number;
  readonly d: number;
  readonly s: number;
  readonly unpacked: number;
  readonly y: number;
  readonly end: number;
}

export interface Places {
  readonly pieces: ReadonlyMap<string, readonly Piece[]>;
  /** Bytes of each memory, whole pages. */
  readonly memories: readonly number[];
  readonly scratch: Scratch;
  /** Bytes of the tensors. */
  readonly weights: number;
}

/** Rows of x that are computed together, at most. */
export const rowsAtOnce: number = 64;
/** Products that are copied out together, at most. */
export const productsAtOnce: number = 2 ** 16;

const page = 2 ** 16;
const aligned = (at: number): number => Math.ceil(at / 64) * 64;
/** The last group of a row is read whole: so many bytes behind its end, at most. */
const behind = 256;
/** What the 32-bit addresses of a memory reach. */
const reach = 2 ** 32 - page;

function scratchFor(width: number): Scratch {
  const groups = Math.ceil(width / 128);
  let at = aligned(tablesAt + 4 * tableWords);
  const take = (bytes: number): number => {
    const from = at;
    at = aligned(at + bytes);
    return from;
  };
  return {
    x: take(4 * rowsAtOnce * width),
    q: take(256 * rowsAtOnce * groups),
    d: take(16 * rowsAtOnce * groups),
    s: take(16 * rowsAtOnce * groups),
    unpacked: take(unpackedBytes(width)),
    y: take(4 * productsAtOnce),
    end: at,
  };
}

/** @param most bytes of a memory, at most */
export function placeMatrices(infos: readonly TensorInfo[], most: number = reach): Places {
  const scratch = scratchFor(Math.max(1, ...infos.map(({ shape }) => shape[0])));
  const ends: number[] = [];
  const room = Math.max(most, scratch.end + page) - behind;
  const pieces = new Map<string, Piece[]>();
  for (const { name, type, shape, elements } of infos) {
    const stride = rowBytes(type, shape[0]);
    const each = Math.max(1, Math.floor((room - scratch.end) / stride));
    const own: Piece[] = [];
    for (let left = elements / shape[0]; left > 0; ) {
      const rows = Math.min(left, each);
      const bytes = rows * stride;
      let memory = ends.findIndex((end) => end + bytes <= room);
      if (memory < 0) memory = ends.push(scratch.end) - 1;
      own.push({ memory, at: ends[memory], rows });
      ends[memory] = aligned(ends[memory] + bytes);
      left -= rows;
    }
    pieces.set(name, own);
  }
  return {
    pieces,
    memories: ends.map((end) => Math.ceil((end + behind) / page) * page),
    scratch,
    weights: infos.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
