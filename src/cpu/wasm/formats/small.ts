/** Types whose blocks have one scale: codes of 1, 2, 4, 5 and 8 bits, ternary digits and 4-bit floats. */

import { fp4Values, iq4Values } from "../../../file/tables.ts";
import type { FunctionBody, I32, V128 } from "../../../wasm/assembler.ts";
import {
  bytes,
  f32x4,
  i8x16,
  i16x8,
  i32x4,
  int,
  ints,
  shorts,
  v128,
} from "../../../wasm/instructions.ts";
import {
  bitMasks,
  bytesAt,
  type Format,
  halfAt,
  halvesAt,
  high4,
  low4,
  widen,
  widenU,
} from "../format.ts";

/** Offsets of a field of four consecutive blocks. */
const four = (stride: number, at = 0): number[] => [0, 1, 2, 3].map((b) => b * stride + at);
/** The same where two blocks of 32 share it. */
const pairs = (stride: number, at = 0): number[] => [0, 0, 1, 1].map((b) => b * stride + at);

/** Blocks of 32 with a 16-bit scale in front, and with `minimum` a 16-bit addend after it. */
const simple = (
  stride: number,
  codes: (f: FunctionBody, p: I32, at: number) => V128[],
  minimum?: true,
): Format => ({
  minimum,
  unit: (f, p) => [
    {
      codes: (block) => codes(f, p, block * stride),
      scale: () => halvesAt(f, p, ...four(stride)),
      minimum: () => f32x4.neg(halvesAt(f, p, ...four(stride, 2))),
    },
  ],
});

const q4_0 = simple(18, (f, p, at) => {
  const v = f.let(v128.load(p, at + 2));
  return [low4(v), high4(v)].flatMap((q) => widen(f, i8x16.sub(q, bytes(8))));
});
const q4_1 = simple(
  20,
  (f, p, at) => {
    const v = f.let(v128.load(p, at + 4));
    return [low4(v), high4(v)].flatMap((q) => widenU(f, q));
  },
  true,
);

/** Codes of five bits: nibbles at `at`, the fifth bits in the word in front of them. */
function fiveBits(f: FunctionBody, p: I32, at: number): V128[] {
  const v = f.let(v128.load(p, at));
  const fifth = bitMasks(f, p, at - 4);
  return [low4(v), high4(v)].map((q, i) => v128.or(q, v128.and(fifth[i], bytes(16))));
}
const q5_0 = simple(22, (f, p, at) =>
  fiveBits(f, p, at + 6).flatMap((q) => widen(f, i8x16.sub(q, bytes(16)))),
);
const q5_1 = simple(24, (f, p, at) => fiveBits(f, p, at + 8).flatMap((q) => widenU(f, q)), true);

const q8_0 = simple(34, (_, p, at) => [0, 8, 16, 24].map((i) => v128.load8x8s(p, at + 2 + i)));

const iq4_nl = simple(18, (f, p, at) => valued(f, iq4Values, v128.load(p, at + 2)));

/** 32 weights of 4-bit codes into a table of signed bytes. */
export function valued(f: FunctionBody, values: Int8Array, nibbles: V128): V128[] {
  const v = f.let(nibbles);
  return [low4(v), high4(v)].flatMap((q) => widen(f, i8x16.swizzle(bytes(...values), q)));
}

const mxfp4: Format = {
  unit: (f, p) => [
    {
      codes: (block) => valued(f, fp4Values, v128.load(p, block * 17 + 1)),
      scale() {
        // 2^(e − 128): below e = 2 it is subnormal, a bit of its own.
        const e = f.let(bytesAt(p, ...four(17)));
        const normal = i32x4.shl(i32x4.sub(e, ints(1)), int(23));
        const tiny = i32x4.shl(i32x4.add(e, ints(1)), int(21));
        return v128.bitselect(tiny, normal, i32x4.lt(e, ints(2)));
      },
    },
  ],
};

/** A scale for 16 weights, too far apart for the codes: a term for each half of a block. */
const nvfp4: Format = {
  terms: 2,
  unit: (f, p) => [
    {
      codes(block, term) {
        const at = 36 * (block >> 1) + 4 + 16 * (block & 1) + 8 * term;
        const v = f.let(v128.load64Zero(p, at));
        const own = [low4(v), high4(v)].map((q) =>
          i16x8.extendLow(i8x16.swizzle(bytes(...fp4Values), q)),
        );
        return term === 0 ? own : [undefined, undefined, ...own];
      },
      scale(term) {
        // Half of an unsigned float of 4 exponent and 3 mantissa bits; 0x7f is not a number and counts as 0.
        const byte = f.let(bytesAt(p, term, 2 + term, 36 + term, 38 + term));
        const magnitude = f.let(i32x4.shl(v128.and(byte, ints(127)), int(20)));
        const tiny = f32x4.sub(v128.or(magnitude, ints(120 << 23)), ints(120 << 23));
        const normal = i32x4.add(magnitude, ints(119 << 23));
        const value = v128.bitselect(tiny, normal, i32x4.lt(magnitude, ints(1 << 23)));
        const isNumber = v128.or(i32x4.lt(byte, ints(0x7f)), i32x4.gt(byte, ints(0x7f)));
        return v128.and(value, isNumber);
      },
    },
  ],
};

const q1_0: Format = {
  unit: (f, p) => [
    {
      codes: (block) =>
        bitMasks(f, p, 2 + 4 * block).flatMap((mask) => {
          const set = f.let(mask);
          return widen(f, i8x16.sub(bytes(-1), i8x16.add(set, set)));
        }),
      scale: () => halfAt(f, p, 0),
    },
  ],
};

const q2_0: Format = {
  unit: (f, p) => [
    {
      codes(block) {
        const at = 18 * (block >> 1) + 2 + 8 * (block & 1);
        return [at, at + 4].flatMap((from) => {
          const four = i8x16.swizzle(
            v128.load32Splat(p, from),
            bytes(...Array.from({ length: 16 }, (_, i) => i >> 2)),
          );
          // Each lane's two bits go to bits 6 and 7 by a product.
          return widenU(f, v128.and(four, bytes(3, 12, 48, 192))).map((q) =>
            i16x8.sub(i16x8.shr(i16x8.mul(q, shorts(64, 16, 4, 1)), int(6)), shorts(1)),
          );
        });
      },
      scale: () => halvesAt(f, p, ...pairs(18)),
    },
  ],
};

/** Digit n of TQ1_0's bytes, less 1; `powers` holds 3^n. */
const digits = (q: V128, powers: V128): V128 => {
  const shifted = v128.and(i16x8.mul(q, powers), shorts(255));
  return i16x8.sub(i16x8.shr(i16x8.mul(shifted, shorts(3)), int(8)), shorts(1));
};

const tq1_0: Format = {
  unit: (f, p) =>
    [0, 4].map((first) => ({
      codes(block) {
        const digit = (at: number, n: number): V128[] =>
          widenU(f, v128.load(p, at)).map((q) => digits(q, shorts(3 ** n)));
        const number = first + block;
        if (number < 5) return [0, 16].flatMap((at) => digit(at, number));
        const n = 2 * (number - 5);
        if (number < 7) return [...digit(32, n), ...digit(32, n + 1)];
        const [low, high] = widenU(f, v128.load32Splat(p, 48));
        return [
          ...digit(32, 4),
          digits(low, shorts(1, 1, 1, 1, 3, 3, 3, 3)),
          digits(high, shorts(9, 9, 9, 9, 27, 27, 27, 27)),
        ];
      },
      scale: () => halfAt(f, p, 52),
    })),
};

const tq2_0: Format = {
  unit: (f, p) =>
    [0, 32].map((from) => ({
      codes: (block) =>
        [from, from + 16].flatMap((at) => {
          const q = v128.and(i16x8.shr(v128.load(p, at), int(2 * block)), bytes(3));
          return widen(f, i8x16.sub(q, bytes(1)));
        }),
      scale: () => halfAt(f, p, 64),
    })),
};

export const smallFormats: Readonly<Record<string, Format>> = {
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
  IQ4_NL: iq4_nl,
  MXFP4: mxfp4,
  NVFP4: nvfp4,
  Q1_0: q1_0,
  Q2_0: q2_0,
  TQ1_0: tq1_0,
  TQ2_0: tq2_0,
};
