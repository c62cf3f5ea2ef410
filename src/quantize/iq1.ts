/**
 * IQ1_S and IQ1_M: eight weights by a grid entry of −1, 0 and 1, all moved up or down by δ = ⅛. The best split of a
 * group's sorted weights into three runs is found by trying all, from sums over the first weights.
 */
import { peak } from "./fit.ts";
import { largest, meanSquare, nearestInt, putHalf, weigh, weighBySquare } from "./floats.ts";
import { codeOf, type Lattice, latticeOf, setEntry } from "./lattice.ts";
import type { RowQuantizer } from "./types.ts";

const f = Math.fround;

/** What levels 0, 1, 2 mean, moved up and down. */
const up = Float32Array.of(-0.875, 0.125, 1.125);
const down = Float32Array.of(-1.125, -0.125, 0.875);

const weights = new Float32Array(32);
const scales = new Float32Array(16);
const levels = new Uint8Array(32);
const order = new Uint8Array(32);
const sumX = new Float32Array(33);
const sumW = new Float32Array(33);
const entries = new Uint16Array(4);

function weighGroup(
  x: Float32Array,
  at: number,
  count: number,
  sigma2: number,
  importance?: Float32Array,
): void {
  if (importance) weigh(x, at, count, importance, at, sigma2, weights);
  else weighBySquare(x, at, count, weights);
}

/** Puts the numbers of the weights in ascending order of their values; equal ones stay as they are. */
function sort(x: Float32Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) {
    let to = i;
    for (; to > 0 && x[at + order[to - 1]] > x[at + i]; to--) order[to] = order[to - 1];
    order[to] = i;
  }
}

/** Levels from the two borders between the runs. */
function setLevels(count: number, first: number, second: number, turned: boolean): void {
  for (let i = 0; i < count; i++) {
    const level = i < first ? 0 : i < second ? 1 : 2;
    levels[order[i]] = turned ? 2 - level : level;
  }
}

/** The grid entry of eight levels, or the neighbour with the least error at `scale`; says whether there was one. */
function toEntry(
  lattice: Lattice,
  k: number,
  x: Float32Array,
  at: number,
  scale: number,
  values: Float32Array,
): boolean {
  const found = lattice.map[codeOf(lattice, levels, 8 * k)];
  if (found >= 0) {
    entries[k] = found;
    return true;
  }
  const { neighbours, levels: all } = lattice;
  const end = -found + neighbours[-found - 1];
  let best = neighbours[-found];
  let error = largest;
  for (let j = -found; j < end; j++) {
    const entry = 8 * neighbours[j];
    let sum = 0;
    for (let i = 0; i < 8; i++) {
      const diff = f(f(scale * values[all[entry + i]]) - x[at + 8 * k + i]);
      sum = f(sum + f(f(weights[8 * k + i] * diff) * diff));
    }
    if (sum < error) {
      error = sum;
      best = neighbours[j];
    }
  }
  setEntry(lattice, best, levels, 8 * k);
  entries[k] = best;
  return false;
}

/** Sums for the best scale of eight weights: [Σ w q x, Σ w q²], added to those given. */
const sums = new Float32Array(2);
function addSums(
  k: number,
  x: Float32Array,
  at: number,
  values: Float32Array,
  factor: number,
): void {
  for (let i = 8 * k; i < 8 * k + 8; i++) {
    const q = f(values[levels[i]] * factor);
    const wq = f(weights[i] * q);
    sums[0] += f(wq * x[at + i]);
    sums[1] += f(wq * q);
  }
}

const level7 = (value: number): number =>
  Math.max(0, Math.min(7, nearestInt(f(0.5 * f(value - 1)))));

/** w = d · (1 + 2s) · (entry ± δ): 32 entry numbers of 11 bits; s of 3 bits and the sign of δ for 32 weights. */
const iq1_s: RowQuantizer = (x, out, importance) => {
  if (!importance) throw new Error("IQ1_S without importance");
  const lattice = latticeOf("IQ1_S");
  const shifts = new Int8Array(8);
  for (let at = 0, to = 0; at < x.length; at += 256, to += 50) {
    out.fill(0, to, to + 50);
    const sigma2 = meanSquare(x, at, 256, 2);
    let max = 0;
    for (let group = 0; group < 8; group++) {
      const from = at + 32 * group;
      weighGroup(x, from, 32, sigma2, importance);
      scales[group] = 0;
      shifts[group] = 1;
      if (Math.abs(peak(x, from, 32)) < f(1e-12)) continue;
      sort(x, from, 32);
      for (let j = 0; j < 32; j++) {
        const i = order[j];
        sumX[j + 1] = sumX[j] + f(weights[i] * x[from + i]);
        sumW[j + 1] = sumW[j] + weights[i];
      }
      let scale = 0;
      let best = -largest;
      let first = -1;
      let second = -1;
      let shift = 0;
      for (let i1 = 0; i1 <= 32; i1++)
        for (let i2 = i1; i2 <= 32; i2++) {
          const x0 = sumX[i1];
          const x1 = f(sumX[i2] - sumX[i1]);
          const x2 = f(sumX[32] - sumX[i2]);
          const w0 = sumW[i1];
          const w1 = f(sumW[i2] - sumW[i1]);
          const w2 = f(sumW[32] - sumW[i2]);
          for (let turn = 1; turn >= -1; turn -= 2) {
            const v = turn === 1 ? up : down;
            const qx = f(f(f(x0 * v[0]) + f(x1 * v[1])) + f(x2 * v[2]));
            const q2 = f(
              f(f(f(w0 * v[0]) * v[0]) + f(f(w1 * v[1]) * v[1])) + f(f(w2 * v[2]) * v[2]),
            );
            if (q2 > 0 && f(qx * qx) > f(best * q2)) {
              scale = f(qx / q2);
              best = f(scale * qx);
              first = i1;
              second = i2;
              shift = turn;
            }
          }
        }
      if (first < 0) continue;
      setLevels(32, first, second, scale < 0);
      if (scale < 0) {
        scale = -scale;
        shift = -shift;
      }
      const values = shift === 1 ? up : down;
      let all = true;
      for (let k = 0; k < 4; k++) if (!toEntry(lattice, k, x, from, scale, values)) all = false;
      if (!all) {
        sums.fill(0);
        for (let k = 0; k < 4; k++) addSums(k, x, from, values, 1);
        if (sums[0] > 0 && sums[1] > 0) scale = f(sums[0] / sums[1]);
      }
      let high = 0;
      for (let k = 0; k < 4; k++) {
        out[to + 2 + 4 * group + k] = entries[k];
        high |= (entries[k] >> 8) << (3 * k);
      }
      out[to + 34 + 2 * group] = high;
      out[to + 35 + 2 * group] = high >> 8;
      scales[group] = scale;
      shifts[group] = shift;
      if (scale > max) max = scale;
    }
    if (max === 0) continue;
    const d = f(max / 15);
    putHalf(out, to, f(d * 1.125));
    const inverse = f(1 / d);
    for (let group = 0; group < 8; group++)
      out[to + 35 + 2 * group] |=
        (level7(f(inverse * scales[group])) | (shifts[group] === -1 ? 8 : 0)) << 4;
  }
};

/** Sums over the first weights, of each half of a group of 16 by itself. */
const halfX = [new Float32Array(17), new Float32Array(17)] as const;
const halfW = [new Float32Array(17), new Float32Array(17)] as const;
const qx = new Float32Array(4);
const q2 = new Float32Array(4);

/** w = d · (1 + 2s) · (entry ± δ): δ has a sign for 8 weights, s of 3 bits is for 16; d lies in the scales' top bits. */
const iq1_m: RowQuantizer = (x, out, importance) => {
  const lattice = latticeOf("IQ1_S");
  const shifts = new Uint8Array(16);
  const valuesOf = (shift: number, k: number): Float32Array =>
    (k === 0 ? shift < 2 : shift % 2 === 0) ? up : down;
  for (let at = 0, to = 0; at < x.length; at += 256, to += 56) {
    out.fill(0, to, to + 56);
    const sigma2 = meanSquare(x, at, 256, 2);
    let max = 0;
    for (let group = 0; group < 16; group++) {
      const from = at + 16 * group;
      weighGroup(x, from, 16, sigma2, importance);
      scales[group] = 0;
      shifts[group] = 0;
      if (Math.abs(peak(x, from, 16)) < f(1e-7)) continue;
      sort(x, from, 16);
      const found = bestSplit(x, from);
      if (found.shift < 0) continue;
      let { scale, shift } = found;
      setLevels(16, found.first, found.second, scale < 0);
      if (scale < 0) {
        scale = -scale;
        shift = 3 - shift;
      }
      let all = true;
      for (let k = 0; k < 2; k++)
        if (!toEntry(lattice, k, x, from, scale, valuesOf(shift, k))) all = false;
      if (!all) {
        sums.fill(0);
        for (let k = 0; k < 2; k++) addSums(k, x, from, valuesOf(shift, k), 1);
        if (sums[0] > 0 && sums[1] > 0) scale = f(sums[0] / sums[1]);
      }
      out[to + 2 * group] = entries[0];
      out[to + 2 * group + 1] = entries[1];
      out[to + 32 + group] = (entries[0] >> 8) | ((entries[1] >> 8) << 4);
      scales[group] = scale;
      shifts[group] = shift;
      if (scale > max) max = scale;
    }
    if (max === 0) continue;
    let d = f(max / 15);
    const inverse = f(1 / d);
    sums.fill(0);
    for (let group = 0; group < 16; group++) {
      const level = level7(f(inverse * scales[group]));
      const scalesAt = to + 48 + 2 * (group >> 2);
      const word = level << (3 * (group & 3));
      out[scalesAt] |= word;
      out[scalesAt + 1] |= word >> 8;
      const shift = shifts[group];
      out[to + 32 + group] |= (shift & 1 ? 0x80 : 0) | (shift & 2 ? 0x08 : 0);
      const from = at + 16 * group;
      weighGroup(x, from, 16, sigma2, importance);
      for (let k = 0; k < 2; k++) {
        const high = (out[to + 32 + group] >> (4 * k)) & 7;
        setEntry(lattice, out[to + 2 * group + k] | (high << 8), levels, 8 * k);
        addSums(k, x, from, valuesOf(shift, k), 2 * level + 1);
      }
    }
    if (sums[1] > 0) d = f(sums[0] / sums[1]);
    const bytes = new Uint8Array(2);
    putHalf(bytes, 0, f(d * f(1.1125)));
    for (let i = 0; i < 4; i++)
      out[to + 49 + 2 * i] |= ((bytes[i >> 1] >> (4 * (i & 1))) & 15) << 4;
  }
};

/** The best split of 16 sorted weights whose halves are moved up (+) or down: 0: ++, 1: +−, 2: −+, 3: −−. */
function bestSplit(
  x: Float32Array,
  at: number,
): { scale: number; first: number; second: number; shift: number } {
  for (let j = 0; j < 16; j++) {
    const i = order[j];
    const own = i >> 3;
    halfX[own][j + 1] = halfX[own][j] + f(weights[i] * x[at + i]);
    halfW[own][j + 1] = halfW[own][j] + weights[i];
    halfX[1 - own][j + 1] = halfX[1 - own][j];
    halfW[1 - own][j + 1] = halfW[1 - own][j];
  }
  const found = { scale: 0, first: -1, second: -1, shift: -1 };
  let best = -largest;
  for (let i1 = 0; i1 <= 16; i1++)
    for (let i2 = i1; i2 <= 16; i2++) {
      for (let half = 0; half < 2; half++) {
        const sx = halfX[half];
        const sw = halfW[half];
        const own = f(sx[i1] + sx[i2]);
        for (let turn = 0; turn < 2; turn++) {
          const v = turn === 0 ? up : down;
          const c1 = f(f(v[0] * v[0]) - f(v[1] * v[1]));
          const c2 = f(f(v[1] * v[1]) - f(v[2] * v[2]));
          qx[2 * half + turn] = f(sx[16] * v[2]) - own;
          q2[2 * half + turn] = f(f(f(sw[16] * v[2]) * v[2]) + f(sw[i1] * c1)) + f(sw[i2] * c2);
        }
      }
      for (let shift = 0; shift < 4; shift++) {
        const sumqx = f(qx[shift >> 1] + qx[2 + (shift & 1)]);
        const sumq2 = f(q2[shift >> 1] + q2[2 + (shift & 1)]);
        if (sumq2 > 0 && f(sumqx * sumqx) > f(best * sumq2)) {
          const scale = f(sumqx / sumq2);
          best = f(scale * sumqx);
          Object.assign(found, { scale, first: i1, second: i2, shift });
        }
      }
    }
  return found;
}

export const iq1Quantizers: Readonly<Record<string, RowQuantizer>> = {
  IQ1_S: iq1_s,
  IQ1_M: iq1_m,
};
