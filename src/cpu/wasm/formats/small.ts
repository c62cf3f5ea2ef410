/** Types whose blocks have one scale: codes of 4, 5 and 8 bits, and 4-bit floats. */

import { fp4Values, iq4Values } from "../../../file/tables.ts";
import type { FunctionBody, I32, V128 } from "../../../wasm/assembler.ts";
import { bytes, f32x4, i8x16, i32x4, int, ints, v128 } from "../../../wasm/instructions.ts";
import { bitMasks, bytesAt, type Format, halvesAt, high4, low4, widen, widenU } from "../format.ts";

/** Offsets of a field of four consecutive blocks. */
export const four = (stride: number, at = 0): number[] => [0, 1, 2, 3].map((b) => b * stride + at);

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

const q8_0: Format = {
  ...simple(34, (_, p, at) => [0, 8, 16, 24].map((i) => v128.load8x8s(p, at + 2 + i))),
  streams: 4,
};

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

export const smallFormats: Readonly<Record<string, Format>> = {
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
  IQ4_NL: iq4_nl,
  MXFP4: mxfp4,
};
