/** The IQ types: entries of a grid (see file/tables.ts) with signs apart; IQ4_XS: codes into 16 values. */
import { iq4Values, type TableName, tableOffsets } from "../../../file/tables.ts";
import type { FunctionBody, I32, Local, V128 } from "../../../wasm/assembler.ts";
import {
  f32x4,
  i16x8,
  i32,
  i32x4,
  int,
  intLane,
  ints,
  shorts,
  v128,
  withIntLane,
} from "../../../wasm/instructions.ts";
import { bytesAt, type Format, type Group, halfAt, halves, tablesAt } from "../format.ts";
import { valued } from "./small.ts";

const four = [0, 1, 2, 3];
/** Bits [at, at + count) of a word. */
const bitsOf = (word: I32, at: number, count: number): I32 =>
  i32.and(i32.shr(word, int(at)), int(2 ** count - 1));
const twicePlus1 = (value: I32): I32 => i32.add(i32.shl(value, int(1)), int(1));
/** An entry number of a low byte and upper bits. */
const entryOf = (low: I32, high: I32): I32 => i32.or(low, i32.shl(high, int(8)));

/** Entries of four values, or pairs of entries of four. */
const entry8 = (name: TableName, n: I32): V128 =>
  v128.load8x8u(i32.shl(n, int(3)), tablesAt + 4 * tableOffsets[name]);
function entries4(name: TableName, a: I32, b: I32): V128 {
  const at = tablesAt + 4 * tableOffsets[name];
  const first = v128.load32Zero(i32.shl(a, int(2)), at);
  return i16x8.extendLowU(v128.load32Lane(i32.shl(b, int(2)), first, 1, at));
}

/** Negative where the bits (of the lowest four) are set. */
function signedBy(f: FunctionBody, values: V128, bits: I32): V128 {
  const each = shorts(1, 2, 4, 8, 16, 32, 64, 128);
  const mask = f.let(i16x8.eq(v128.and(i16x8.splat(bits), each), each));
  return i16x8.sub(v128.xor(values, mask), mask);
}
/** Eight signs from bits [at, at + 7): the eighth makes the number of minus signs even. */
function evenSigns(f: FunctionBody, word: I32, at: number): I32 {
  const seven = f.let(bitsOf(word, at, 7));
  return i32.or(seven, i32.shl(i32.popcnt(seven), int(7)));
}

/** d · factor · (2 s + 1) for small whole s in the lanes. */
const scaleOf = (d: V128, factor: number, s: V128): V128 =>
  f32x4.mul(
    f32x4.mul(d, ints(new Int32Array(Float32Array.of(factor).buffer)[0])),
    f32x4.fromI32(v128.or(i32x4.shl(s, int(1)), ints(1))),
  );

/** Two groups of four blocks; `make` gets the first block's number and adds the rest. */
const groups = (make: (first: number) => Group): Group[] => [0, 4].map(make);

const iq2_xxs: Format = {
  unit(f, p) {
    const d = halfAt(f, p, 0);
    return groups((first) => {
      let words: Local<"v128">;
      return {
        codes(block) {
          const at = 2 + 8 * (first + block);
          if (block === 0)
            words = f.let(
              four.reduce((v, lane) => v128.load32Lane(p, v, lane, at + 4 + 8 * lane), ints(0)),
            );
          const word = f.let(intLane(words, block));
          return four.map((k) => {
            const values = entry8("IQ2_XXS", i32.load8u(p, at + k));
            return signedBy(f, values, evenSigns(f, word, 7 * k));
          });
        },
        scale: () => scaleOf(d, 0.125, i32x4.shr(words, int(28))),
      };
    });
  },
};

/** The scale of 4 bits for 16 weights, as 2 s + 1 in all lanes: half i of the byte. */
const nibbleScale = (f: FunctionBody, byte: I32, i: number): Local<"v128"> =>
  f.let(i16x8.splat(twicePlus1(bitsOf(byte, 4 * i, 4))));

const eighth = (f: FunctionBody, p: I32): Local<"v128"> =>
  f.let(scaleOf(halfAt(f, p, 0), 0.125, ints(0)));

const iq2_xs: Format = {
  unit(f, p) {
    const d = eighth(f, p);
    return groups((first) => ({
      codes(block) {
        const number = first + block;
        const scales = [0, 1].map((i) => nibbleScale(f, i32.load8u(p, 66 + number), i));
        return four.map((k) => {
          const code = f.let(i32.load16u(p, 2 + 8 * number + 2 * k));
          const values = i16x8.mul(entry8("IQ2_XS", i32.and(code, int(511))), scales[k >> 1]);
          return signedBy(f, values, evenSigns(f, code, 9));
        });
      },
      scale: () => d,
    }));
  },
};

const iq2_s: Format = {
  unit(f, p) {
    const d = eighth(f, p);
    return groups((first) => ({
      codes(block) {
        const number = first + block;
        const scales = [0, 1].map((i) => nibbleScale(f, i32.load8u(p, 74 + number), i));
        const high = f.let(i32.load8u(p, 66 + number));
        return four.map((k) => {
          const at = 4 * number + k;
          const entry = entryOf(i32.load8u(p, 2 + at), bitsOf(high, 2 * k, 2));
          const values = i16x8.mul(entry8("IQ2_S", entry), scales[k >> 1]);
          return signedBy(f, values, i32.load8u(p, 34 + at));
        });
      },
      scale: () => d,
    }));
  },
};

const iq3_xxs: Format = {
  unit(f, p) {
    const d = halfAt(f, p, 0);
    return groups((first) => {
      const at = 66 + 4 * first;
      return {
        codes(block) {
          const word = f.let(i32.load(p, at + 4 * block));
          return four.map((k) => {
            const from = 2 + 8 * (first + block) + 2 * k;
            const [a, b] = [from, from + 1].map((one) => i32.load8u(p, one));
            return signedBy(f, entries4("IQ3_XXS", a, b), evenSigns(f, word, 7 * k));
          });
        },
        scale: () => scaleOf(d, 0.25, i32x4.shr(v128.load(p, at), int(28))),
      };
    });
  },
};

const iq3_s: Format = {
  unit(f, p) {
    const d = halfAt(f, p, 0);
    return groups((first) => ({
      codes(block) {
        const number = first + block;
        const high = f.let(i32.load8u(p, 66 + number));
        return four.map((k) => {
          const [a, b] = [2 * k, 2 * k + 1].map((n) =>
            entryOf(i32.load8u(p, 2 + 8 * number + n), bitsOf(high, n, 1)),
          );
          return signedBy(f, entries4("IQ3_S", a, b), i32.load8u(p, 74 + 4 * number + k));
        });
      },
      scale() {
        const at = 106 + (first >> 1);
        const both = f.let(bytesAt(p, at, at, at + 1, at + 1));
        const low = v128.and(both, ints(15));
        return scaleOf(d, 1, v128.bitselect(low, i32x4.shr(both, int(4)), ints(-1, 0)));
      },
    }));
  },
};

/** Eight values of IQ1's grid, moved by ± 1/8, in eighths: 8 · value ± 1, minus where `minus` is 1. */
function ternary(entry: I32, minus: I32): V128 {
  const at = tablesAt + 4 * tableOffsets.IQ1_S;
  const values = v128.load8x8s(i32.shl(entry, int(3)), at);
  const delta = i16x8.splat(i32.sub(int(1), i32.shl(minus, int(1))));
  return i16x8.add(i16x8.shl(values, int(3)), delta);
}

const iq1_s: Format = {
  unit(f, p) {
    const d = halfAt(f, p, 0);
    return groups((first) => ({
      codes(block) {
        const number = first + block;
        const head = f.let(i32.load16u(p, 34 + 2 * number));
        return four.map((k) => {
          const entry = entryOf(i32.load8u(p, 2 + 4 * number + k), bitsOf(head, 3 * k, 3));
          return ternary(entry, bitsOf(head, 15, 1));
        });
      },
      scale() {
        const heads = v128.load16x4u(p, 34 + 2 * first);
        return scaleOf(d, 0.125, v128.and(i32x4.shr(heads, int(12)), ints(7)));
      },
    }));
  },
};

const iq1_m: Format = {
  unit(f, p) {
    // The scale's 16 bits are the top nibbles of four words.
    const nibbles = [0, 1, 2, 3].map((word) =>
      i32.shl(bitsOf(i32.load16u(p, 48 + 2 * word), 12, 4), int(4 * word)),
    );
    const bits = nibbles.reduce((a, b) => i32.or(a, b));
    const d = f.let(scaleOf(halves(f, i32x4.splat(bits)), 0.125, ints(0)));
    return groups((first) => ({
      codes(block) {
        const number = first + block;
        const word = f.let(i32.load16u(p, 48 + 2 * (number >> 1)));
        return four.map((k) => {
          const at = 4 * number + k;
          const high = f.let(bitsOf(i32.load8u(p, 32 + (at >> 1)), 4 * (k & 1), 4));
          const entry = entryOf(i32.load8u(p, at), i32.and(high, int(7)));
          const scale = twicePlus1(bitsOf(word, 3 * ((at >> 1) & 3), 3));
          const code = ternary(entry, i32.shr(high, int(3)));
          return i16x8.mul(code, i16x8.splat(scale));
        });
      },
      scale: () => d,
    }));
  },
};

const iq4_xs: Format = {
  unit(f, p) {
    const d = halfAt(f, p, 0);
    return groups((first) => ({
      codes: (block) => valued(f, iq4Values, v128.load(p, 8 + 16 * (first + block))),
      scale() {
        const scales = four.reduce((v: V128, block) => {
          const number = first + block;
          const low = bitsOf(i32.load8u(p, 4 + (number >> 1)), 4 * (number & 1), 4);
          const high = bitsOf(i32.load16u(p, 2), 2 * number, 2);
          return withIntLane(v, i32.or(low, i32.shl(high, int(4))), block);
        }, ints(0));
        return f32x4.mul(d, f32x4.fromI32(i32x4.sub(scales, ints(32))));
      },
    }));
  },
};

export const gridFormats: Readonly<Record<string, Format>> = {
  IQ1_M: iq1_m,
  IQ1_S: iq1_s,
  IQ2_S: iq2_s,
  IQ2_XS: iq2_xs,
  IQ2_XXS: iq2_xxs,
  IQ3_S: iq3_s,
  IQ3_XXS: iq3_xxs,
  IQ4_XS: iq4_xs,
};
