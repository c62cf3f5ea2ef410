/** The K types of four and more bits: 256 weights, with small scales (and minima) for 16 or 32 of them. */
import type { FunctionBody, I32, Local, V128 } from "../../../wasm/assembler.ts";
import {
  bytes,
  f32x4,
  i8x16,
  i16x8,
  i32x4,
  int,
  shuffle,
  v128,
} from "../../../wasm/instructions.ts";
import { type Format, halfAt, high4, low4, splatLane, widen, widenU } from "../format.ts";

/** Bits `mask` of each byte after a shift to the right, or to the left where it is negative. */
export const shifted = (v: V128, right: number, mask: number): V128 => {
  const moved = right === 0 ? v : right > 0 ? i16x8.shr(v, int(right)) : i16x8.shl(v, int(-right));
  return v128.and(moved, bytes(mask));
};

/** 16 signed scales, in two vectors, times the 16 codes that each is for. */
export function scaled(f: FunctionBody, q: V128, scales: readonly V128[], group: number): V128[] {
  const scale = f.let(splatLane(scales[group >> 3], group & 7));
  return widen(f, q).map((code) => i16x8.mul(code, scale));
}

/** Q4_K and Q5_K: eight scales and eight minima of 6 bits, as 16-bit integers (see groupScale). */
function sixBits(f: FunctionBody, p: I32): Local<"v128">[] {
  const [a, b, c] = [4, 8, 12].map((at) => f.let(v128.load32Zero(p, at)));
  const high = (v: V128): V128 => v128.and(i32x4.shr(v, int(2)), bytes(0x30));
  const low6 = (v: V128): V128 => v128.and(v, bytes(63));
  const scales = shuffle(4, low6(a), v128.or(low4(c), high(a)), 0, 4, 1, 1);
  const minima = shuffle(4, low6(b), v128.or(high4(c), high(b)), 0, 4, 1, 1);
  return [scales, minima].map((v) => f.let(i16x8.extendLowU(v)));
}

/** 32 bytes at `at` and on hold the nibbles of two blocks; `fifth` gives a block's fifth bits in place. */
function superBlock(
  f: FunctionBody,
  p: I32,
  at: number,
  fifth?: (number: number, i: number) => V128,
): ReturnType<Format["unit"]> {
  const [d, dmin] = [0, 2].map((offset) => halfAt(f, p, offset));
  const [scales, minima] = sixBits(f, p);
  return [0, 1].map((half) => {
    const floats = (v: V128): V128 =>
      f32x4.fromI32(half === 0 ? i32x4.extendLowU(v) : i32x4.extendHighU(v));
    let pair: Local<"v128">[] = [];
    return {
      codes(block) {
        const number = 4 * half + block;
        if (block % 2 === 0) pair = [0, 16].map((i) => f.let(v128.load(p, at + 16 * number + i)));
        return pair.flatMap((v, i) => {
          const q = block % 2 === 0 ? low4(v) : high4(v);
          return widenU(f, fifth ? v128.or(q, fifth(number, i)) : q);
        });
      },
      scale: () => f32x4.mul(d, floats(scales)),
      minimum: () => f32x4.mul(dmin, floats(minima)),
    };
  });
}
const q4_k: Format = { minimum: true, unit: (f, p) => superBlock(f, p, 16) };
const q5_k: Format = {
  minimum: true,
  unit: (f, p) =>
    superBlock(f, p, 48, (number, i) => shifted(v128.load(p, 16 + 16 * i), number - 4, 16)),
};

const q6_k: Format = {
  unit(f, p) {
    const d = halfAt(f, p, 208);
    const scales = widen(f, v128.load(p, 192)).map((v) => f.let(v));
    return [0, 1].map((half) => ({
      codes: (block) =>
        [0, 1].flatMap((i) => {
          const nibbles = v128.load(p, 64 * half + 32 * (block & 1) + 16 * i);
          const low = block < 2 ? low4(nibbles) : high4(nibbles);
          const upper = shifted(v128.load(p, 128 + 32 * half + 16 * i), 2 * block - 4, 0x30);
          const q = i8x16.sub(v128.or(low, upper), bytes(32));
          return scaled(f, q, scales, 8 * half + 2 * block + i);
        }),
      scale: () => d,
    }));
  },
};

export const superBlockFormats: Readonly<Record<string, Format>> = {
  Q4_K: q4_k,
  Q5_K: q5_k,
  Q6_K: q6_k,
};
