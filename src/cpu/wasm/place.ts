/** Where a model stands in WebAssembly memories, planned before anything is allocated. */
import { rowBytes } from "../../file/quants.ts";
import { tableWords } from "../../file/tables.ts";
import type { TensorInfo } from "../../file/types.ts";
import { tablesAt } from "./format.ts";
import { unpackedBytes } from "./products.ts";

/** Consecutive rows of a matrix, whole in one memory. */
export interface Piece {
  readonly memory: number;
  readonly at: number;
  readonly rows: number;
}

/** Bytes that stand together. */
export interface Area {
  readonly memory: number;
  readonly at: number;
  readonly bytes: number;
}

/** Where the kernels of a memory work. */
export interface Scratch {
  /** Rows of x, floats. */
  readonly x: number;
  /** Their integers, scales and sums. */
  readonly q: number;
  /** The integers as several rows of x take them (see products.ts). */
  readonly crossed: number;
  readonly d: number;
  readonly s: number;
  readonly unpacked: number;
  readonly y: number;
  /** A number a position. */
  readonly scores: number;
  /** From what a thread has for itself to what the next one has. */
  readonly lanes: { readonly unpacked: number; readonly scores: number };
  readonly end: number;
}

export interface Places {
  readonly pieces: ReadonlyMap<string, readonly Piece[]>;
  /** In the order in which they were asked for. */
  readonly areas: readonly Area[];
  /** Bytes of each memory, whole pages. */
  readonly memories: readonly number[];
  /** Bytes of them that are used. */
  readonly used: number;
  readonly scratch: Scratch;
  /** Bytes of the tensors. */
  readonly weights: number;
}

/** Rows of x that are computed together, at most. */
export const rowsAtOnce: number = 64;
/** Products that are copied out together, at most. */
export const productsAtOnce: number = 2 ** 16;

const page = 2 ** 16;
export const aligned = (at: number): number => Math.ceil(at / 64) * 64;
/** The last group of a row is read whole: so many bytes behind its end, at most. */
const behind = 256;
/** What the 32-bit addresses of a memory reach. */
const reach = 2 ** 32 - page;

function scratchFor(width: number, positions: number, threads: number): Scratch {
  const groups = Math.ceil(width / 128);
  let at = aligned(tablesAt + 4 * tableWords);
  const take = (bytes: number): number => {
    const from = at;
    at = aligned(at + bytes);
    return from;
  };
  const lanes = { unpacked: aligned(unpackedBytes(width)), scores: aligned(4 * positions + 16) };
  return {
    x: take(4 * rowsAtOnce * width),
    q: take(256 * rowsAtOnce * groups),
    crossed: take(256 * rowsAtOnce * groups),
    d: take(16 * rowsAtOnce * groups),
    s: take(16 * rowsAtOnce * groups),
    unpacked: take(threads * lanes.unpacked),
    y: take(4 * productsAtOnce),
    scores: take(threads * lanes.scores),
    lanes,
    end: at,
  };
}

/** What stands in the memories besides matrices. */
export interface Wanted {
  /** Bytes, in the first memory. */
  readonly first: readonly number[];
  /** Bytes, wherever there is room; what is larger than a memory is left out. */
  readonly anywhere: readonly number[];
  /** Floats of a row that kernels take, where that is more than the matrices' width. */
  readonly width: number;
  /** Positions that are attended to at most. */
  readonly positions: number;
  /** @default 1 */
  readonly threads?: number;
}
const nothing: Wanted = { first: [], anywhere: [], width: 1, positions: 0 };

/** @param most bytes of a memory, at most */
export function placeMatrices(
  infos: readonly TensorInfo[],
  most: number = reach,
  wanted: Wanted = nothing,
): Places {
  const width = Math.max(wanted.width, ...infos.map(({ shape }) => shape[0]));
  const scratch = scratchFor(width, wanted.positions, wanted.threads ?? 1);
  const ends: number[] = [];
  const sum = wanted.first.reduce((all, bytes) => all + aligned(bytes), 0);
  const room = Math.max(most, scratch.end + sum + page) - behind;
  const pieces = new Map<string, Piece[]>();
  const put = (bytes: number): Area => {
    let memory = ends.findIndex((end) => end + bytes <= room);
    if (memory < 0) memory = ends.push(scratch.end) - 1;
    const at = ends[memory];
    ends[memory] = aligned(at + bytes);
    return { memory, at, bytes };
  };
  const areas = wanted.first.map(put);
  for (const bytes of wanted.anywhere)
    areas.push(scratch.end + bytes <= room ? put(bytes) : { memory: -1, at: 0, bytes });
  for (const { name, type, shape, elements } of infos) {
    const stride = rowBytes(type, shape[0]);
    const each = Math.max(1, Math.floor((room - scratch.end) / stride));
    const own: Piece[] = [];
    for (let left = elements / shape[0]; left > 0; ) {
      const rows = Math.min(left, each);
      own.push({ ...put(rows * stride), rows });
      left -= rows;
    }
    pieces.set(name, own);
  }
  return {
    pieces,
    areas,
    memories: ends.map((end) => Math.ceil((end + behind) / page) * page),
    used: ends.reduce((all, end) => all + end, 0),
    scratch,
    weights: infos.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
