/** IQ4_NL and IQ4_XS: codes of 4 bits into a table of 16 uneven values. */
import { iq4Values } from "../file/tables.ts";
import { peak, zeroBelow } from "./fit.ts";
import { meanSquare, nearestInt, putHalf, weigh, weighBySquare } from "./floats.ts";
import type { RowQuantizer } from "./types.ts";

const f = Math.fround;

const levels = new Uint8Array(256);
const weights = new Float32Array(32);
const scales = new Float32Array(8);

/** Twice the middles between neighbours of the table, which are whole. */
const middles = Float32Array.from({ length: 15 }, (_, i) => iq4Values[i] + iq4Values[i + 1]);
const values = Float32Array.from(iq4Values);

/** The code whose value is nearest; of two the upper one. */
function nearestCode(x: number): number {
  const twice = f(x + x);
  let code = 0;
  if (twice >= middles[7]) code = 8;
  if (twice >= middles[code + 3]) code += 4;
  if (twice >= middles[code + 1]) code += 2;
  if (twice >= middles[code]) code += 1;
  return code;
}

/** The scale of 32 weights: the best of the plain one and of fifteen that give the largest size another value. */
function fitScale(x: Float32Array, at: number): number {
  const max = peak(x, at, 32);
  if (Math.abs(max) < zeroBelow) return 0;
  let scale = 0;
  let best = 0;
  for (let step = -8; step <= 7; step++) {
    const first = step === -8;
    const inverse = first ? f(1 / f(-max / values[0])) : f((step + values[0]) / max);
    let sumqx = 0;
    let sumq2 = 0;
    for (let i = 0; i < 32; i++) {
      const v = x[at + i];
      const q = values[nearestCode(f(inverse * v))];
      const wq = f(weights[i] * q);
      sumqx = f(sumqx + f(wq * v));
      sumq2 = f(sumq2 + f(wq * q));
    }
    if (first || (sumq2 > 0 && f(sumqx * sumqx) > f(best * sumq2))) {
      scale = sumq2 > 0 ? f(sumqx / sumq2) : 0;
      best = f(scale * sumqx);
    }
  }
  return scale;
}

function weighGroup(x: Float32Array, at: number, sigma2: number, importance?: Float32Array): void {
  if (importance) weigh(x, at, 32, importance, at, sigma2, weights);
  else weighBySquare(x, at, 32, weights);
}

function setCodes(x: Float32Array, at: number, group: number, scale: number): void {
  const inverse = scale !== 0 ? f(1 / scale) : 0;
  for (let i = 0; i < 32; i++) levels[32 * group + i] = nearestCode(f(inverse * x[at + i]));
}

/** The first 16 codes of a group in the low nibbles. */
function putCodes(out: Uint8Array, to: number, group: number): void {
  for (let i = 0; i < 16; i++)
    out[to + 16 * group + i] = levels[32 * group + i] | (levels[32 * group + 16 + i] << 4);
}

const iq4_nl: RowQuantizer = (x, out, importance) => {
  for (let at = 0, to = 0; at < x.length; at += 32, to += 18) {
    const sigma2 = f(meanSquare(x, at, 32, 2));
    weighGroup(x, at, sigma2, importance);
    const scale = fitScale(x, at);
    putHalf(out, to, scale);
    setCodes(x, at, 0, scale);
    putCodes(out, to + 2, 0);
  }
};

/** w = d · scale · value: groups of 32, scale of 6 bits with sign. */
const iq4_xs: RowQuantizer = (x, out, importance) => {
  for (let at = 0, to = 0; at < x.length; at += 256, to += 136) {
    const sigma2 = f(meanSquare(x, at, 256, 2));
    let max = 0;
    let amax = 0;
    for (let j = 0; j < 8; j++) {
      weighGroup(x, at + 32 * j, sigma2, importance);
      const scale = fitScale(x, at + 32 * j);
      scales[j] = scale;
      if (Math.abs(scale) > amax) {
        amax = Math.abs(scale);
        max = scale;
      }
    }
    const d = f(-max / 32);
    const inverse = d !== 0 ? f(1 / d) : 0;
    putHalf(out, to, d);
    out.fill(0, to + 2, to + 8);
    for (let j = 0; j < 8; j++) {
      const level = Math.max(-32, Math.min(31, nearestInt(f(inverse * scales[j]))));
      setCodes(x, at + 32 * j, j, f(d * level));
      out[to + 4 + (j >> 1)] |= ((level + 32) & 15) << (4 * (j & 1));
      out[to + 2 + (j >> 2)] |= ((level + 32) >> 4) << (2 * (j & 3));
      putCodes(out, to + 8, j);
    }
  }
};

export const iq4Quantizers: Readonly<Record<string, RowQuantizer>> = {
  IQ4_NL: iq4_nl,
  IQ4_XS: iq4_xs,
};
