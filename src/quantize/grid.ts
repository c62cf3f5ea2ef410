/** What the quantisers of IQ2 and IQ3 share: sizes and signs, a search over scales, and levels of group scales. */
import { nearestInt } from "./floats.ts";
import { codeOf, type Lattice, toGrid } from "./lattice.ts";

const f = Math.fround;

/** The group in work: at most 32 weights. */
export const size: Float32Array = new Float32Array(32);
export const weights: Float32Array = new Float32Array(32);
export const roots: Float32Array = new Float32Array(32);
export const signs: Uint8Array = new Uint8Array(4);
export const levels: Uint8Array = new Uint8Array(32);
/** One scale a group. */
export const scales: Float32Array = new Float32Array(16);
const tried = new Uint8Array(32);
const onGrid = new Uint8Array(8);
const triedOnGrid = new Uint8Array(8);

/**
 * Splits `count` weights into sizes and signs, 8 signs a byte. With `even` the number of minus signs of each eight is
 * made even: the weight that costs least gets the wrong sign, and a size below zero.
 */
export function split(x: Float32Array, at: number, count: number, even: boolean): void {
  for (let i = 0; i < count; i++) roots[i] = Math.sqrt(weights[i]);
  for (let k = 0; k < count; k += 8) {
    let minus = 0;
    let byte = 0;
    for (let i = 0; i < 8; i++) {
      const v = x[at + k + i];
      if (v >= 0) size[k + i] = v;
      else {
        size[k + i] = -v;
        minus++;
        byte |= 1 << i;
      }
    }
    if (even && minus % 2 === 1) {
      let least = 0;
      let cost = 0;
      for (let i = 0; i < 8; i++) {
        const v = x[at + k + i];
        const own = f(f(weights[k + i] * v) * v);
        if (i === 0 || own < cost) {
          cost = own;
          least = i;
        }
      }
      size[k + least] = -size[k + least];
      byte ^= 1 << least;
    }
    signs[k >> 3] = even ? byte & 127 : byte;
  }
}

/** The largest size of the group. */
export function largestOf(count: number): number {
  let max = size[0];
  for (let i = 1; i < count; i++) if (size[i] > max) max = size[i];
  return max;
}

/** The signs the other way round, for a scale below zero. */
export function flipSigns(count: number, even: boolean): void {
  for (let k = 0; k < count / 8; k++) signs[k] = even ? ~signs[k] & 127 : ~signs[k];
}

export interface Search {
  readonly lattice: Lattice;
  /** Weights of a group. */
  readonly count: number;
  /** Levels are 0 … top. */
  readonly top: number;
  /** Scales that give the largest size the value of the top level plus `by` · step are tried, for |step| ≤ `steps`. */
  readonly steps: number;
  readonly by: number;
  /** Looks in the end for all levels again, or for all or those off the grid if some were off it. */
  readonly again: "always" | "all" | "off grid";
  /** What counts as on the grid when no scale is better than the first. */
  readonly trusting: boolean;
}

const levelOf = (value: number, top: number): number => {
  const level = nearestInt(f(0.5 * f(value - 1)));
  return Math.max(0, Math.min(top, level));
};

function roundToGrid(
  { lattice, top }: Search,
  to: Uint8Array,
  at: number,
  inverse: number,
  scale: number,
): boolean {
  for (let i = at; i < at + lattice.width; i++) to[i] = levelOf(f(inverse * size[i]), top);
  return toGrid(lattice, to, at, size, roots, scale);
}

let sumqx = 0;
let sumq2 = 0;
function sum(of: Uint8Array, count: number): void {
  sumqx = 0;
  sumq2 = 0;
  for (let i = 0; i < count; i++) {
    const w = weights[i];
    const q = 2 * of[i] + 1;
    sumqx = f(sumqx + f(f(w * size[i]) * q));
    sumq2 = f(sumq2 + f(f(w * q) * q));
  }
}

/**
 * Tries the scales around `max` / (value of the top level), keeping the best levels in {@link levels}; then those that
 * were not on the grid are looked for again at the best scale. Returns the scale, below zero too.
 */
export function search(how: Search, max: number, first: number): number {
  const { lattice, count, top, steps, by } = how;
  const { width } = lattice;
  let scale = first;
  let best = 0;
  onGrid.fill(how.trusting ? 1 : 0);
  for (let step = -steps; step <= steps; step++) {
    const inverse = f(f(2 * top + 1 + f(step * by)) / max);
    const own = f(1 / inverse);
    for (let k = 0; k < count / width; k++)
      triedOnGrid[k] = Number(roundToGrid(how, tried, k * width, inverse, own));
    sum(tried, count);
    if (sumq2 > 0 && f(sumqx * sumqx) > f(best * sumq2)) {
      scale = f(sumqx / sumq2);
      best = f(scale * sumqx);
      levels.set(tried);
      onGrid.set(triedOnGrid);
    }
  }
  let missing = false;
  for (let k = 0; k < count / width; k++) if (!onGrid[k]) missing = true;
  if (!(missing || how.again === "always") || !(scale > 0)) return scale;
  const inverse = f(1 / scale);
  for (let k = 0; k < count / width; k++)
    if (how.again !== "off grid" || !onGrid[k]) roundToGrid(how, levels, k * width, inverse, scale);
  sum(levels, count);
  if (sumq2 > 0) scale = f(sumqx / sumq2);
  return scale;
}

/** The grid entry of the levels at `at`. */
export function entryAt(lattice: Lattice, at: number): number {
  return lattice.map[codeOf(lattice, levels, at)];
}

/** The largest of the first `count` scales. */
export function largestScale(count: number): number {
  let max = 0;
  for (let i = 0; i < count; i++) if (scales[i] > max) max = scales[i];
  return max;
}

/** The level 0 … 15 of a group's scale, of which `inverse` is one over the step. */
export function scaleLevel(group: number, inverse: number): number {
  return levelOf(f(inverse * scales[group]), 15);
}
