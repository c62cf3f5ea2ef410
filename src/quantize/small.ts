/** The one- and two-bit, ternary and 4-bit float types; importance changes nothing in them. */
import { fp4Values } from "../file/tables.ts";
import { bitsOf, putHalf, roundAway } from "./floats.ts";
import type { RowQuantizer } from "./types.ts";

const f = Math.fround;

function largestSize(x: Float32Array, at: number, count: number): number {
  let max = 0;
  for (let i = at; i < at + count; i++) {
    const v = Math.abs(x[i]);
    if (v > max) max = v;
  }
  return max;
}

/** 128 signs; the scale is the mean size. */
const q1_0: RowQuantizer = (x, out) => {
  for (let at = 0, to = 0; at < x.length; at += 128, to += 18) {
    let sum = 0;
    for (let i = at; i < at + 128; i++) sum = f(sum + Math.abs(x[i]));
    putHalf(out, to, f(sum / 128));
    for (let i = 0; i < 16; i++) {
      let byte = 0;
      for (let k = 0; k < 8; k++) if (x[at + 8 * i + k] >= 0) byte |= 1 << k;
      out[to + 2 + i] = byte;
    }
  }
};

/** The largest size becomes level 1 of −1 … 2. */
const q2_0: RowQuantizer = (x, out) => {
  for (let at = 0, to = 0; at < x.length; at += 64, to += 18) {
    const d = largestSize(x, at, 64);
    const inverse = d > 0 ? f(1 / d) : 0;
    putHalf(out, to, d);
    for (let i = 0; i < 16; i++) {
      let byte = 0;
      for (let k = 0; k < 4; k++) {
        const level = roundAway(f(x[at + 4 * i + k] * inverse)) + 1;
        byte |= Math.max(0, Math.min(3, level)) << (2 * k);
      }
      out[to + 2 + i] = byte;
    }
  }
};

/** Runs of TQ1_0's bytes: `digits` base-3 digits each, of weights `width` apart. */
const runs = [
  { width: 32, digits: 5 },
  { width: 16, digits: 5 },
  { width: 4, digits: 4 },
];

const tq1_0: RowQuantizer = (x, out) => {
  for (let at = 0, to = 0; at < x.length; to += 54) {
    const d = largestSize(x, at, 256);
    const inverse = d !== 0 ? f(1 / d) : 0;
    putHalf(out, to + 52, d);
    let byte = to;
    for (const { width, digits } of runs) {
      for (let i = 0; i < width; i++) {
        let q = 0;
        for (let digit = 0; digit < 5; digit++) {
          q *= 3;
          if (digit < digits) q += roundAway(f(x[at + i + digit * width] * inverse)) + 1;
        }
        out[byte++] = Math.floor(((q & 255) * 256 + 242) / 243);
      }
      at += width * digits;
    }
  }
};

const tq2_0: RowQuantizer = (x, out) => {
  for (let at = 0, to = 0; at < x.length; to += 66) {
    const d = largestSize(x, at, 256);
    const inverse = d !== 0 ? f(1 / d) : 0;
    putHalf(out, to + 64, d);
    for (let from = to; from < to + 64; from += 32, at += 128)
      for (let i = 0; i < 32; i++) {
        let q = 0;
        for (let n = 0; n < 4; n++)
          q += ((roundAway(f(x[at + i + 32 * n] * inverse)) + 1) & 3) << (2 * n);
        out[from + i] = q;
      }
  }
};

/** The first of the nearest values of a 4-bit float times `scale`. */
function nearestFp4(x: number, scale: number): number {
  let best = 0;
  let error = Math.abs(f(f(fp4Values[0] * scale) - x));
  for (let i = 1; i < 16; i++) {
    const own = Math.abs(f(f(fp4Values[i] * scale) - x));
    if (own < error) {
      best = i;
      error = own;
    }
  }
  return best;
}

function putFp4(
  x: Float32Array,
  at: number,
  half: number,
  scale: number,
  out: Uint8Array,
  to: number,
): void {
  for (let i = 0; i < half; i++)
    out[to + i] = nearestFp4(x[at + i], scale) | (nearestFp4(x[at + half + i], scale) << 4);
}

/** The scale is the power of two that the largest size has, two lower. */
const mxfp4: RowQuantizer = (x, out) => {
  for (let at = 0, to = 0; at < x.length; at += 32, to += 17) {
    const amax = largestSize(x, at, 32);
    const e = amax > 0 ? (Math.floor(f(Math.log2(amax))) + 125) & 255 : 0;
    out[to] = e;
    putFp4(x, at, 16, 2 ** (e - 128), out, to + 1);
  }
};

/** An unsigned 8-bit float of 4 exponent bits (bias 7) and 3 mantissa bits, halves away from zero. */
function toUe4m3(value: number): number {
  if (!(value > 0)) return 0;
  const bits = bitsOf(Math.min(value, 448));
  const exponent = ((bits >> 23) & 255) - 120;
  if (exponent <= 0) return Math.min(7, Math.floor(f(f(value * 512) + 0.5)));
  const rounded = (exponent << 3) + ((((bits >> 19) & 15) + 1) >> 1);
  return rounded >= 0x78 ? 0x7e : rounded;
}

function fromUe4m3(byte: number): number {
  const exponent = byte >> 3;
  const mantissa = byte & 7;
  return exponent === 0 ? mantissa * 2 ** -9 : (8 + mantissa) * 2 ** (exponent - 10);
}

/** Four groups of 16; the largest size becomes 6. */
const nvfp4: RowQuantizer = (x, out) => {
  for (let at = 0, to = 0; at < x.length; at += 64, to += 36)
    for (let group = 0; group < 4; group++) {
      const from = at + 16 * group;
      const scale = toUe4m3(f(largestSize(x, from, 16) / 6));
      out[to + group] = scale;
      putFp4(x, from, 8, fromUe4m3(scale) / 2, out, to + 4 + 8 * group);
    }
};

export const smallQuantizers: Readonly<Record<string, RowQuantizer>> = {
  Q1_0: q1_0,
  Q2_0: q2_0,
  TQ1_0: tq1_0,
  TQ2_0: tq2_0,
  MXFP4: mxfp4,
  NVFP4: nvfp4,
};
