/** Q2_K … Q6_K: 256 weights in groups of 16 or 32, whose scales (and minima) are quantised too. */
import { fitAffine, fitGreedy, fitPositive, fitSigned, type Steps, zeroBelow } from "./fit.ts";
import { meanSquare, nearestInt, putHalf, weigh, weighBySquare } from "./floats.ts";
import type { RowQuantizer } from "./types.ts";

const f = Math.fround;

const levels = new Uint8Array(256);
const weights = new Float32Array(32);
const scales = new Float32Array(16);
const mins = new Float32Array(16);
const sums = new Float32Array(16);
const scaleLevels = new Uint8Array(16);
const minLevels = new Uint8Array(16);

const clamp = (value: number, low: number, high: number): number =>
  Math.max(low, Math.min(high, value));

function maxOf(values: Float32Array, count: number): number {
  let max = 0;
  for (let i = 0; i < count; i++) if (values[i] > max) max = values[i];
  return max;
}

/** The scale of largest size, with its sign. */
function largestScale(): number {
  let max = 0;
  let amax = 0;
  for (let i = 0; i < 16; i++) {
    const size = Math.abs(scales[i]);
    if (size > amax) {
      amax = size;
      max = scales[i];
    }
  }
  return max;
}

function sumOf(values: Float32Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = f(sum + values[i]);
  return sum;
}

/** The levels of a group anew, by the scale that its quantised one has; a scale of zero leaves them. */
function relevel(
  x: Float32Array,
  at: number,
  group: number,
  size: number,
  d: number,
  min: number,
  low: number,
  high: number,
): void {
  if (d === 0) return;
  for (let i = 0; i < size; i++) {
    const to = group * size + i;
    levels[to] = clamp(nearestInt(f(f(x[at + to] + min) / d)), low, high) - low;
  }
}

/** Four levels of 2 bits a byte: those 32 apart. */
function putPairs(out: Uint8Array, to: number): void {
  for (let half = 0; half < 2; half++)
    for (let i = 0; i < 32; i++) {
      const l = 128 * half + i;
      out[to + 32 * half + i] =
        levels[l] | (levels[l + 32] << 2) | (levels[l + 64] << 4) | (levels[l + 96] << 6);
    }
}

const q2Steps: Steps = { from: f(-0.5), by: f(0.1), steps: 15, absolute: true };
const importantSteps: Steps = { from: f(-0.9), by: f(0.05), steps: 36, bounded: true };

/** Scales or minima as levels of the largest; returns what one level is worth. */
function levelsOfLargest(values: Float32Array, count: number, top: number, to: Uint8Array): number {
  const max = maxOf(values, count);
  const inverse = max > 0 ? f(top / max) : 0;
  for (let i = 0; i < count; i++) to[i] = nearestInt(f(inverse * values[i]));
  return f(max / top);
}

/** w = d · scale · q − dmin · min: groups of 16, scale and min of 4 bits, q of 2. */
const q2_K: RowQuantizer = (x, out, importance) => {
  for (let at = 0, to = 0; at < x.length; at += 256, to += 84) {
    const sigma2 = importance ? meanSquare(x, at, 256) : 0;
    for (let j = 0; j < 16; j++) {
      const from = at + 16 * j;
      if (importance) {
        weigh(x, from, 16, importance, from, sigma2, weights);
        sums[j] = sumOf(weights, 16);
      } else for (let i = 0; i < 16; i++) weights[i] = Math.abs(x[from + i]);
      const steps = importance ? importantSteps : q2Steps;
      scales[j] = fitAffine(16, 3, x, from, weights, levels, 16 * j, mins, j, steps);
    }
    const worth = importance
      ? fitPositive(16, 15, scales, scaleLevels, sums)
      : levelsOfLargest(scales, 16, 15, scaleLevels);
    const minWorth = importance
      ? fitPositive(16, 15, mins, minLevels, sums)
      : levelsOfLargest(mins, 16, 15, minLevels);
    const d = putHalf(out, to + 80, worth);
    const dmin = putHalf(out, to + 82, minWorth);
    for (let j = 0; j < 16; j++) {
      const both = (out[to + j] = scaleLevels[j] | (minLevels[j] << 4));
      const byte = both & 255;
      relevel(x, at, j, 16, f(d * (byte & 15)), f(dmin * (byte >> 4)), 0, 3);
    }
    putPairs(out, to + 16);
  }
};

/** w = d · scale · q: groups of 16, scale of 6 bits with sign, q of 3 with sign. */
const q3_K: RowQuantizer = (x, out, importance) => {
  for (let at = 0, to = 0; at < x.length; at += 256, to += 110) {
    const sigma2 = importance ? meanSquare(x, at, 256, 2) : 0;
    for (let j = 0; j < 16; j++) {
      const from = at + 16 * j;
      if (importance) {
        weigh(x, from, 16, importance, from, sigma2, weights);
        sums[j] = sumOf(weights, 16);
        scales[j] = fitSigned(16, 4, x, from, levels, 16 * j, weights, 0);
      } else scales[j] = fitGreedy(16, 4, x, from, levels, 16 * j);
    }
    let worth = 0;
    if (importance) worth = fitSigned(16, 32, scales, 0, scaleLevels, 0, sums, 0);
    else {
      const max = largestScale();
      const inverse = max !== 0 ? f(-32 / max) : 0;
      for (let j = 0; j < 16; j++) {
        const level = (nearestInt(f(inverse * scales[j])) << 24) >> 24;
        scaleLevels[j] = max !== 0 ? clamp(level, -32, 31) + 32 : 0;
      }
      if (max !== 0) worth = f(1 / inverse);
    }
    out.fill(0, to, to + 110);
    for (let j = 0; j < 16; j++) {
      out[to + 96 + (j & 7)] |= (scaleLevels[j] & 15) << (j < 8 ? 0 : 4);
      out[to + 104 + (j & 3)] |= (scaleLevels[j] >> 4) << (2 * (j >> 2));
    }
    const d = putHalf(out, to + 108, worth);
    for (let j = 0; j < 16; j++) relevel(x, at, j, 16, f(d * (scaleLevels[j] - 32)), 0, -4, 3);
    for (let i = 0; i < 256; i++)
      if (levels[i] > 3) {
        out[to + (i & 31)] |= 1 << (i >> 5);
        levels[i] -= 4;
      }
    putPairs(out, to + 32);
  }
};

/** Eight scales and eight minima of 6 bits in 12 bytes, as Q4_K and Q5_K have them. */
function putSixBits(out: Uint8Array, to: number): void {
  for (let j = 0; j < 4; j++) {
    out[to + j] = scaleLevels[j] | ((scaleLevels[j + 4] >> 4) << 6);
    out[to + j + 4] = minLevels[j] | ((minLevels[j + 4] >> 4) << 6);
    out[to + j + 8] = (scaleLevels[j + 4] & 15) | ((minLevels[j + 4] & 15) << 4);
  }
}

/** w = d · scale · q − dmin · min: groups of 32, scale and min of 6 bits, q of 4 or 5. */
function affine(bits: 4 | 5): RowQuantizer {
  const top = 2 ** bits - 1;
  const bytes = bits === 4 ? 144 : 176;
  const plainSteps: Steps =
    bits === 4 ? { from: -1, by: f(0.1), steps: 20 } : { from: f(-0.5), by: f(0.1), steps: 15 };
  return (x, out, importance) => {
    for (let at = 0, to = 0; at < x.length; at += 256, to += bytes) {
      const sigma2 = importance ? meanSquare(x, at, 256, 2) : 0;
      for (let j = 0; j < 8; j++) {
        const from = at + 32 * j;
        if (importance) {
          weigh(x, from, 32, importance, from, sigma2, weights);
          sums[j] = sumOf(weights, 32);
        } else {
          const size = f(Math.sqrt(meanSquare(x, from, 32)));
          for (let i = 0; i < 32; i++) weights[i] = size + Math.abs(x[from + i]);
        }
        const steps = importance ? importantSteps : plainSteps;
        scales[j] = fitAffine(32, top, x, from, weights, levels, 32 * j, mins, j, steps);
      }
      const worth = importance
        ? fitPositive(8, 63, scales, scaleLevels, sums)
        : levelsOfLargest(scales, 8, 63, scaleLevels);
      const minWorth = importance
        ? fitPositive(8, 63, mins, minLevels, sums)
        : levelsOfLargest(mins, 8, 63, minLevels);
      for (let j = 0; j < 8; j++) {
        scaleLevels[j] = Math.min(63, scaleLevels[j]);
        minLevels[j] = Math.min(63, minLevels[j]);
      }
      const d = putHalf(out, to, worth);
      const dmin = putHalf(out, to + 2, minWorth);
      putSixBits(out, to + 4);
      for (let j = 0; j < 8; j++)
        relevel(x, at, j, 32, f(d * scaleLevels[j]), f(dmin * minLevels[j]), 0, top);
      const nibbles = to + bytes - 128;
      for (let i = 0; i < 128; i++) {
        const l = 64 * (i >> 5) + (i & 31);
        out[nibbles + i] = (levels[l] & 15) | (levels[l + 32] << 4);
      }
      if (bits === 5)
        for (let i = 0; i < 32; i++) {
          let byte = 0;
          for (let k = 0; k < 8; k++) byte |= (levels[32 * k + i] >> 4) << k;
          out[to + 16 + i] = byte;
        }
    }
  };
}

/** w = d · scale · q: groups of 16, scale of 8 bits with sign, q of 6 with sign. */
const q6_K: RowQuantizer = (x, out, importance) => {
  for (let at = 0, to = 0; at < x.length; at += 256, to += 210) {
    for (let j = 0; j < 16; j++) {
      const from = at + 16 * j;
      if (!importance) weighBySquare(x, from, 16, weights);
      scales[j] = importance
        ? fitSigned(16, 32, x, from, levels, 16 * j, importance, from)
        : fitSigned(16, 32, x, from, levels, 16 * j, weights, 0);
    }
    const max = largestScale();
    if (Math.abs(max) < zeroBelow) {
      out.fill(0, to, to + 210);
      continue;
    }
    const inverse = f(-128 / max);
    const d = putHalf(out, to + 208, f(1 / inverse));
    for (let j = 0; j < 16; j++) {
      const level = Math.min(127, nearestInt(f(inverse * scales[j])));
      out[to + 192 + j] = level;
      relevel(x, at, j, 16, f(d * ((level << 24) >> 24)), 0, -32, 31);
    }
    for (let half = 0; half < 2; half++)
      for (let i = 0; i < 32; i++) {
        const l = 128 * half + i;
        const [a, b, c, e] = [levels[l], levels[l + 32], levels[l + 64], levels[l + 96]];
        out[to + 64 * half + i] = (a & 15) | (c << 4);
        out[to + 64 * half + 32 + i] = (b & 15) | (e << 4);
        out[to + 128 + 32 * half + i] =
          (a >> 4) | ((b >> 4) << 2) | ((c >> 4) << 4) | ((e >> 4) << 6);
      }
  }
};

export const superBlockQuantizers: Readonly<Record<string, RowQuantizer>> = {
  Q2_K: q2_K,
  Q3_K: q3_K,
  Q4_K: affine(4),
  Q5_K: affine(5),
  Q6_K: q6_K,
};
