/** What a tensor type gives the kernels, and the parts that types are written with. */
import type { FunctionBody, I32, Local, V128 } from "../../wasm/assembler.ts";
import {
  bytes,
  f32x4,
  i8x16,
  i16x8,
  i32x4,
  int,
  ints,
  shuffle,
  v128,
} from "../../wasm/instructions.ts";

/** Where the grids of the IQ types stand in every memory. */
export const tablesAt = 64;

/**
 * 128 weights as four blocks of 32, one a lane. A weight is Σ over terms of code · scale, less the block's
 * minimum; codes are at most 4096 in size, so that 32 products with 15-bit integers fit 32 bits.
 */
export interface Group {
  /** A block's codes in four vectors of eight 16-bit integers; a vector that is missing is zero. */
  codes(block: number, term: number): readonly (V128 | undefined)[];
  /** The four blocks' scales. */
  scale(term: number): V128;
  /** The four blocks' minima, where the type has some. */
  minimum?(): V128;
}

export interface Format {
  /** Codes and scales a weight. @default 1 */
  readonly terms?: 1 | 2;
  readonly minimum?: true;
  /** Weight rows that are read side by side: more are worth it where codes take little to unpack. @default 2 */
  readonly streams?: 2 | 4;
  /**
   * The groups of the weights at `p`: of one block of the file, or of as many as make 128 weights.
   * A group's functions are called in order, and code that they add to `f` comes before what they return.
   */
  unit(f: FunctionBody, p: I32): readonly Group[];
}

/** Four 16-bit floats in the low halves of the lanes, as floats. */
export function halves(f: FunctionBody, value: V128): V128 {
  const h = f.let(value);
  const magnitude = f.let(i32x4.shl(v128.and(h, ints(0x7fff)), int(13)));
  // No instruction meets a subnormal float, on which processors are slow: 2^-14 is added and taken away.
  const tiny = f32x4.sub(v128.or(magnitude, ints(0x38800000)), ints(0x38800000));
  const normal = i32x4.add(magnitude, ints(0x38000000));
  const finite = v128.bitselect(tiny, normal, i32x4.lt(magnitude, ints(0x00800000)));
  const special = v128.and(i32x4.gt(magnitude, ints(0x0f7fffff)), ints(0x7f800000));
  const sign = i32x4.shl(v128.and(h, ints(0x8000)), int(16));
  return v128.or(v128.or(finite, special), sign);
}

/** Lane i = the 16-bit float at p + offsets[i]. */
export const halvesAt = (f: FunctionBody, p: I32, ...offsets: number[]): V128 =>
  halves(
    f,
    offsets.reduce((v, at, lane) => v128.load16Lane(p, v, 2 * lane, at), ints(0)),
  );
/** All lanes = the 16-bit float at p + offset. */
export const halfAt = (f: FunctionBody, p: I32, offset: number): Local<"v128"> =>
  f.let(halves(f, v128.load16Splat(p, offset)));
/** Lane i = the byte at p + offsets[i], without sign. */
export const bytesAt = (p: I32, ...offsets: number[]): V128 =>
  offsets.reduce((v, at, lane) => v128.load8Lane(p, v, 4 * lane, at), ints(0));

export const low4 = (v: V128): V128 => v128.and(v, bytes(15));
export const high4 = (v: V128): V128 => v128.and(i16x8.shr(v, int(4)), bytes(15));

/** Sixteen bytes as 16-bit integers, with their signs or without. */
export function widen(f: FunctionBody, value: V128): V128[] {
  const v = f.let(value);
  return [i16x8.extendLow(v), i16x8.extendHigh(v)];
}
export function widenU(f: FunctionBody, value: V128): V128[] {
  const v = f.let(value);
  return [i16x8.extendLowU(v), i16x8.extendHighU(v)];
}

/** Where bit i of the 32-bit word at p + offset is set, byte i of the two vectors is −1, else 0. */
export function bitMasks(f: FunctionBody, p: I32, offset: number): V128[] {
  const word = f.let(v128.load32Splat(p, offset));
  const bits = bytes(1, 2, 4, 8, 16, 32, 64, 128);
  return [0, 2].map((from) => {
    const which = bytes(...Array.from({ length: 16 }, (_, i) => from + (i >> 3)));
    return i8x16.eq(v128.and(i8x16.swizzle(word, which), bits), bits);
  });
}

/** All lanes = 16-bit lane `lane`. */
export const splatLane = (v: V128, lane: number): V128 =>
  shuffle(2, v, v, ...Array.from({ length: 8 }, () => lane));
