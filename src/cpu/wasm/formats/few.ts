/** Types of 1 to 3 bits, of ternary digits, and NVFP4. */
import { fp4Values } from "../../../file/tables.ts";
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
  shuffle,
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
  splatLane,
  widen,
  widenU,
} from "../format.ts";
import { scaled, shifted } from "./k.ts";

/** The same where two blocks of 32 share it. */
const pairs = (stride: number, at = 0): number[] => [0, 0, 1, 1].map((b) => b * stride + at);

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

/** A scale of 4 bits for 16 codes of 2 bits goes into the codes; the minima are a second term. */
const q2_k: Format = {
  terms: 2,
  unit(f, p) {
    const [d, dmin] = [80, 82].map((at) => halfAt(f, p, at));
    const both = f.let(v128.load(p));
    const [scales, minima] = [low4(both), high4(both)].map((v) =>
      widenU(f, v).map((half) => f.let(half)),
    );
    return [0, 1].map((half) => ({
      codes: (block, term) =>
        [0, 1].flatMap((i) => {
          const lane = 2 * block + i;
          const own = f.let(splatLane((term === 0 ? scales : minima)[half], lane));
          if (term === 1) return [own, own];
          const q = shifted(v128.load(p, 16 + 32 * half + 16 * i), 2 * block, 3);
          return widenU(f, q).map((code) => i16x8.mul(code, own));
        }),
      scale: (term) => (term === 0 ? d : f32x4.neg(dmin)),
    }));
  },
};

/** The scales of Q3_K: nibbles of 8 bytes, two more bits in 4 bytes, less 32. */
function scalesOfQ3(f: FunctionBody, p: I32): V128[] {
  const nibbles = f.let(v128.load64Zero(p, 96));
  const low = shuffle(8, low4(nibbles), high4(nibbles), 0, 2);
  const two = f.let(v128.load32Splat(p, 104));
  // Group 4 w + i has bits 2 w and 2 w + 1 of byte i.
  const upper = [0, 1, 2, 3]
    .map((w) => {
      const own = ints(...[0, 1, 2, 3].map((lane) => (lane === w ? 0x30303030 : 0)));
      return v128.and(shifted(two, 2 * w - 4, 255), own);
    })
    .reduce((a, b) => v128.or(a, b));
  return widen(f, i8x16.sub(v128.or(low, upper), bytes(32))).map((v) => f.let(v));
}

const q3_k: Format = {
  unit(f, p) {
    const d = halfAt(f, p, 108);
    const scales = scalesOfQ3(f, p);
    return [0, 1].map((half) => ({
      codes: (block) =>
        [0, 1].flatMap((i) => {
          const number = 4 * half + block;
          const low = shifted(v128.load(p, 32 + 32 * half + 16 * i), 2 * block, 3);
          const third = shifted(v128.load(p, 16 * i), number - 2, 4);
          const q = i8x16.sub(v128.or(low, third), bytes(4));
          return scaled(f, q, scales, 2 * number + i);
        }),
      scale: () => d,
    }));
  },
};

export const fewBitFormats: Readonly<Record<string, Format>> = {
  NVFP4: nvfp4,
  Q1_0: q1_0,
  Q2_0: q2_0,
  Q2_K: q2_k,
  Q3_K: q3_k,
  TQ1_0: tq1_0,
  TQ2_0: tq2_0,
};
