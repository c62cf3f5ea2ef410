/**
 * Scales that make a group's weighted squared error small. Each function writes whole numbers ("levels") for `n`
 * weights and returns the scale between them. They are llama.cpp's searches, step by step, since another order of
 * additions chooses other levels.
 */
import { nearestInt } from "./floats.ts";

const f = Math.fround;

/** Groups whose largest value is below count as zero. */
export const zeroBelow: number = f(1e-15);

const clamp = (value: number, low: number, high: number): number =>
  Math.max(low, Math.min(high, value));

/** The value of the largest size, with its sign; of equal ones the first. */
export function peak(x: Float32Array, at: number, count: number): number {
  let size = 0;
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const own = Math.abs(x[i]);
    if (own > size) {
      size = own;
      value = x[i];
    }
  }
  return value;
}

/**
 * Levels −nmax … nmax − 1, stored with nmax added, of x ≈ scale · level. The largest value gets level −nmax; 18 more
 * scales near it are tried.
 */
export function fitSigned(
  n: number,
  nmax: number,
  x: Float32Array,
  at: number,
  levels: Uint8Array,
  to: number,
  weights: Float32Array,
  from: number,
): number {
  const max = peak(x, at, n);
  if (Math.abs(max) < zeroBelow) {
    levels.fill(0, to, to + n);
    return 0;
  }
  const last = nmax - 1;
  let scale = 0;
  let best = 0;
  for (let step = -10; step <= 9; step++) {
    if (step === 0) continue;
    // The first round is the plain scale; it is kept unless another is better.
    const first = step === -10;
    const inverse = first ? f(-nmax / max) : f(f(-nmax - f(f(0.1) * step)) / max);
    let sumlx = 0;
    let suml2 = 0;
    for (let i = 0; i < n; i++) {
      const v = x[at + i];
      const l = clamp(nearestInt(f(inverse * v)), -nmax, last);
      const w = weights[from + i];
      sumlx = f(sumlx + f(f(w * v) * l));
      suml2 = f(suml2 + f(f(w * l) * l));
    }
    if (first || (suml2 > 0 && f(sumlx * sumlx) > f(best * suml2))) {
      for (let i = 0; i < n; i++)
        levels[to + i] = nmax + clamp(nearestInt(f(inverse * x[at + i])), -nmax, last);
      scale = suml2 !== 0 ? f(sumlx / suml2) : 0;
      best = f(scale * sumlx);
    }
  }
  return scale;
}

const greedyLevels = new Int8Array(16);

/** Levels as {@link fitSigned}'s, weighted by x²; each level is changed as long as that helps, at most five times over. */
export function fitGreedy(
  n: number,
  nmax: number,
  x: Float32Array,
  at: number,
  levels: Uint8Array,
  to: number,
): number {
  const max = peak(x, at, n);
  if (Math.abs(max) < zeroBelow) {
    levels.fill(0, to, to + n);
    return 0;
  }
  const inverse = f(-nmax / max);
  const own = greedyLevels;
  let sumlx = 0;
  let suml2 = 0;
  for (let i = 0; i < n; i++) {
    const v = x[at + i];
    const l = clamp(nearestInt(f(inverse * v)), -nmax, nmax - 1);
    own[i] = l;
    const w = f(v * v);
    sumlx = f(sumlx + f(f(w * v) * l));
    suml2 = f(suml2 + f(f(w * l) * l));
  }
  for (let round = 0; round < 5; round++) {
    let changed = false;
    for (let i = 0; i < n; i++) {
      const v = x[at + i];
      const w = f(v * v);
      const old = own[i];
      let slx = f(sumlx - f(f(w * v) * old));
      if (!(slx > 0)) continue;
      let sl2 = f(suml2 - f(f(w * old) * old));
      const l = clamp(nearestInt(f(f(v * sl2) / slx)), -nmax, nmax - 1);
      if (l === old) continue;
      slx = f(slx + f(f(w * v) * l));
      sl2 = f(sl2 + f(f(w * l) * l));
      if (sl2 > 0 && f(f(slx * slx) * suml2) > f(f(sumlx * sumlx) * sl2)) {
        own[i] = l;
        sumlx = slx;
        suml2 = sl2;
        changed = true;
      }
    }
    if (!changed) break;
  }
  for (let i = 0; i < n; i++) levels[to + i] = own[i] + nmax;
  return suml2 > 0 ? f(sumlx / suml2) : 0;
}

/** Which scales {@link fitAffine} tries: (nmax + from + by · step) / range for step 0 … steps. */
export interface Steps {
  readonly from: number;
  readonly by: number;
  readonly steps: number;
  /** Measures errors by their size instead of their square. */
  readonly absolute?: boolean;
  /** Holds values in range before they are rounded. */
  readonly bounded?: boolean;
}

const tried = new Uint8Array(32);

/** Levels 0 … nmax of x ≈ scale · level − min, where min ≥ 0 is written to `mins[minAt]`. */
export function fitAffine(
  n: number,
  nmax: number,
  x: Float32Array,
  at: number,
  weights: Float32Array,
  levels: Uint8Array,
  to: number,
  mins: Float32Array,
  minAt: number,
  { from, by, steps, absolute = false, bounded = false }: Steps,
): number {
  let min = x[at];
  let max = x[at];
  let sumW = weights[0];
  let sumX = f(sumW * x[at]);
  for (let i = 1; i < n; i++) {
    const v = x[at + i];
    if (v < min) min = v;
    if (v > max) max = v;
    const w = weights[i];
    sumW = f(sumW + w);
    sumX = f(sumX + f(w * v));
  }
  if (min > 0) min = 0;
  if (max <= min) {
    levels.fill(0, to, to + n);
    mins[minAt] = -min;
    return 0;
  }
  const plain = f(nmax / f(max - min));
  let scale = f(1 / plain);
  let best = 0;
  for (let i = 0; i < n; i++) {
    const v = x[at + i];
    const l = clamp(nearestInt(f(plain * f(v - min))), 0, nmax);
    levels[to + i] = l;
    const diff = f(f(f(scale * l) + min) - v);
    best = f(best + f(weights[i] * (absolute ? Math.abs(diff) : f(diff * diff))));
  }
  for (let step = 0; step <= steps; step++) {
    const inverse = f(f(f(from + f(by * step)) + nmax) / f(max - min));
    let sumL = 0;
    let sumL2 = 0;
    let sumXl = 0;
    for (let i = 0; i < n; i++) {
      const v = x[at + i];
      const scaled = f(inverse * f(v - min));
      const l = bounded
        ? scaled > 0
          ? nearestInt(Math.min(scaled, nmax))
          : 0
        : clamp(nearestInt(scaled), 0, nmax);
      tried[i] = l;
      const wl = f(weights[i] * l);
      sumL = f(sumL + wl);
      sumL2 = f(sumL2 + f(wl * l));
      sumXl = f(sumXl + f(wl * v));
    }
    const determinant = f(f(sumW * sumL2) - f(sumL * sumL));
    if (!(determinant > 0)) continue;
    let newScale = f(f(f(sumW * sumXl) - f(sumX * sumL)) / determinant);
    let newMin = f(f(f(sumL2 * sumX) - f(sumL * sumXl)) / determinant);
    if (newMin > 0) {
      newMin = 0;
      newScale = f(sumXl / sumL2);
    }
    let error = 0;
    for (let i = 0; i < n; i++) {
      const diff = f(f(f(newScale * tried[i]) + newMin) - x[at + i]);
      error = f(error + f(weights[i] * (absolute ? Math.abs(diff) : f(diff * diff))));
    }
    if (error < best) {
      for (let i = 0; i < n; i++) levels[to + i] = tried[i];
      best = error;
      scale = newScale;
      min = newMin;
    }
  }
  mins[minAt] = -min;
  return scale;
}

/** Levels 0 … nmax of x ≈ scale · level for x ≥ 0: the best of nine scales, then single levels as long as that helps. */
export function fitPositive(
  n: number,
  nmax: number,
  x: Float32Array,
  levels: Uint8Array,
  weights: Float32Array,
): number {
  let max = 0;
  for (let i = 0; i < n; i++) if (x[i] > max) max = x[i];
  if (max < zeroBelow) {
    levels.fill(0, 0, n);
    return 0;
  }
  let inverse = f(nmax / max);
  let scale = f(1 / inverse);
  let best = 0;
  for (let i = 0; i < n; i++) {
    levels[i] = nearestInt(f(inverse * x[i]));
    const diff = f(x[i] - f(scale * levels[i]));
    best = f(best + f(f(weights[i] * diff) * diff));
  }
  for (let step = -4; step <= 4; step++) {
    if (step === 0) continue;
    const tryInverse = f(f(f(f(0.1) * step) + nmax) / max);
    scale = f(1 / tryInverse);
    let error = 0;
    for (let i = 0; i < n; i++) {
      const l = Math.min(nmax, nearestInt(f(tryInverse * x[i])));
      const diff = f(x[i] - f(scale * l));
      error = f(error + f(f(weights[i] * diff) * diff));
    }
    if (error < best) {
      best = error;
      inverse = tryInverse;
    }
  }
  let sumlx = 0;
  let suml2 = 0;
  for (let i = 0; i < n; i++) {
    const l = Math.min(nmax, nearestInt(f(inverse * x[i])));
    levels[i] = l;
    const w = weights[i];
    sumlx = f(sumlx + f(f(w * x[i]) * l));
    suml2 = f(suml2 + f(f(w * l) * l));
  }
  for (let round = 0; round < 5; round++) {
    let changed = false;
    for (let i = 0; i < n; i++) {
      const w = weights[i];
      const old = levels[i];
      let slx = f(sumlx - f(f(w * x[i]) * old));
      let sl2 = f(suml2 - f(f(w * old) * old));
      if (!(slx > 0 && sl2 > 0)) continue;
      const l = Math.min(nmax, nearestInt(f(f(x[i] * sl2) / slx)));
      if (l === old) continue;
      slx = f(slx + f(f(w * x[i]) * l));
      sl2 = f(sl2 + f(f(w * l) * l));
      if (f(f(slx * slx) * suml2) > f(f(sumlx * sumlx) * sl2)) {
        levels[i] = l;
        sumlx = slx;
        suml2 = sl2;
        changed = true;
      }
    }
    if (!changed) break;
  }
  return suml2 > 0 ? f(sumlx / suml2) : 0;
}
