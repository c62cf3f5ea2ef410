/** Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0: blocks of 32 with a scale, and a minimum where the name ends in 1. */
import { fitAffine, fitSigned, peak, type Steps } from "./fit.ts";
import { largest, meanSquare, putHalf, weigh } from "./floats.ts";
import type { RowQuantizer } from "./types.ts";

const f = Math.fround;

const size = 32;
const levels = new Uint8Array(size);
const weights = new Float32Array(size);
const mins = new Float32Array(1);
const steps: Steps = { from: f(-0.9), by: f(0.05), steps: 36, bounded: true };

/** Scale and levels from the value of the largest size, which becomes the lowest level. */
function plainSigned(x: Float32Array, at: number, half: number): number {
  const d = f(peak(x, at, size) / -half);
  const inverse = d !== 0 ? f(1 / d) : 0;
  for (let i = 0; i < size; i++) {
    const level = (f(f(x[at + i] * inverse) + f(half + 0.5)) << 24) >> 24;
    levels[i] = Math.min(2 * half - 1, level & 255);
  }
  return d;
}

/** Scale, minimum and levels from the smallest and the largest value. */
function plainAffine(x: Float32Array, at: number, top: number): number {
  let min = largest;
  let max = -largest;
  for (let i = at; i < at + size; i++) {
    const v = x[i];
    if (v < min) min = v;
    if (v > max) max = v;
  }
  const d = f(f(max - min) / top);
  const inverse = d !== 0 ? f(1 / d) : 0;
  for (let i = 0; i < size; i++)
    levels[i] = Math.min(top, f(f(f(x[at + i] - min) * inverse) + 0.5) & 255);
  mins[0] = -min;
  return d;
}

/** The low four bits of the levels: the first 16 in the low nibbles. */
function putNibbles(out: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++) out[at + i] = (levels[i] & 15) | (levels[i + 16] << 4);
}

/** The fifth bits of the levels, in order. */
function putFifthBits(out: Uint8Array, at: number): void {
  for (let i = 0; i < 4; i++) {
    let byte = 0;
    for (let k = 0; k < 8; k++) byte |= ((levels[8 * i + k] >> 4) & 1) << k;
    out[at + i] = byte;
  }
}

function quantizer(bits: 4 | 5, affine: boolean): RowQuantizer {
  const top = 2 ** bits - 1;
  const half = 2 ** (bits - 1);
  const header = (affine ? 4 : 2) + (bits === 5 ? 4 : 0);
  return (x, out, importance) => {
    const sigma2 = importance ? meanSquare(x, 0, x.length) : 0;
    for (let at = 0, to = 0; at < x.length; at += size, to += header + 16) {
      let d: number;
      if (importance) {
        weigh(x, at, size, importance, at, sigma2, weights);
        d = affine
          ? fitAffine(size, top, x, at, weights, levels, 0, mins, 0, steps)
          : fitSigned(size, half, x, at, levels, 0, weights, 0);
      } else d = affine ? plainAffine(x, at, top) : plainSigned(x, at, half);
      putHalf(out, to, d);
      if (affine) putHalf(out, to + 2, -mins[0]);
      if (bits === 5) putFifthBits(out, to + header - 4);
      putNibbles(out, to + header);
    }
  };
}

const important4 = quantizer(4, false);

/** Without importance in one go, which compiles to several times as fast a loop. */
const q4_0: RowQuantizer = (x, out, importance) => {
  if (importance) return important4(x, out, importance);
  for (let at = 0, to = 0; at < x.length; at += size, to += 18) {
    let amax = 0;
    let max = 0;
    for (let i = at; i < at + size; i++) {
      const v = x[i];
      const own = Math.abs(v);
      if (amax < own) {
        amax = own;
        max = v;
      }
    }
    const d = f(max / -8);
    const inverse = d !== 0 ? f(1 / d) : 0;
    putHalf(out, to, d);
    for (let i = 0; i < 16; i++) {
      const low = f(f(x[at + i] * inverse) + 8.5) | 0;
      const high = f(f(x[at + 16 + i] * inverse) + 8.5) | 0;
      out[to + 2 + i] = Math.min(15, low) | (Math.min(15, high) << 4);
    }
  }
};

/** The largest size becomes 127. */
const q8_0: RowQuantizer = (x, out) => {
  for (let at = 0, to = 0; at < x.length; at += size, to += 34) {
    let amax = 0;
    for (let i = at; i < at + size; i++) {
      const v = Math.abs(x[i]);
      if (v > amax) amax = v;
    }
    const d = f(amax / 127);
    const inverse = d !== 0 ? f(1 / d) : 0;
    putHalf(out, to, d);
    for (let i = 0; i < size; i++) {
      const v = f(x[at + i] * inverse);
      // To the nearest, away from zero where two are.
      out[to + 2 + i] = v < 0 ? -((0.5 - v) | 0) : (v + 0.5) | 0;
    }
  }
};

export const blockQuantizers: Readonly<Record<string, RowQuantizer>> = {
  Q4_0: q4_0,
  Q4_1: quantizer(4, true),
  Q5_0: quantizer(5, false),
  Q5_1: quantizer(5, true),
  Q8_0: q8_0,
};
