/** IQ2_XXS, IQ2_XS and IQ2_S: eight weights by a grid entry, with signs apart. */
import { fitPositive, zeroBelow } from "./fit.ts";
import { meanSquare, putHalf, weigh } from "./floats.ts";
import * as grid from "./grid.ts";
import { latticeOf } from "./lattice.ts";
import type { RowQuantizer } from "./types.ts";

const f = Math.fround;

const { scales, signs, weights } = grid;

/** w = d/4 · (½ + s) · entry: 32 weights are 4 entry numbers, then 4 × 7 sign bits and s of 4 bits. */
const iq2_xxs: RowQuantizer = (x, out, importance) => {
  if (!importance) throw new Error("IQ2_XXS without importance");
  const lattice = latticeOf("IQ2_XXS");
  const how: grid.Search = {
    ...{ lattice, count: 32, top: 2, steps: 6, by: f(0.1), again: "always", trusting: false },
  };
  for (let at = 0, to = 0; at < x.length; at += 256, to += 66) {
    out.fill(0, to, to + 66);
    const sigma2 = meanSquare(x, at, 256);
    for (let group = 0; group < 8; group++) {
      const from = at + 32 * group;
      weigh(x, from, 32, importance, from, sigma2, weights);
      grid.split(x, from, 32, true);
      scales[group] = 0;
      if (grid.largestOf(32) < zeroBelow) continue;
      const first = fitPositive(32, 4, grid.size, grid.levels, weights);
      const max = f(first * 3);
      if (max <= 0) continue;
      const scale = grid.search(how, max, first);
      if (scale < 0) grid.flipSigns(32, true);
      const to8 = to + 2 + 8 * group;
      let word = 0;
      for (let k = 0; k < 4; k++) {
        out[to8 + k] = grid.entryAt(lattice, 8 * k);
        word |= signs[k] << (7 * k);
      }
      for (let k = 0; k < 4; k++) out[to8 + 4 + k] = word >> (8 * k);
      scales[group] = Math.abs(scale);
    }
    const max = grid.largestScale(8);
    if (max === 0) {
      out.fill(0, to, to + 66);
      continue;
    }
    const d = f(max / 31);
    putHalf(out, to, d);
    const inverse = f(1 / d);
    for (let group = 0; group < 8; group++)
      out[to + 9 + 8 * group] |= grid.scaleLevel(group, inverse) << 4;
  }
};

/** Scales of 16 weights, two of 4 bits a byte. */
function putScales(out: Uint8Array, to: number, inverse: number): void {
  for (let i = 0; i < 8; i++)
    out[to + i] = grid.scaleLevel(2 * i, inverse) | (grid.scaleLevel(2 * i + 1, inverse) << 4);
}

/** w = d/4 · (½ + s) · entry: 9 bits of entry number and 7 sign bits in 16; s of 4 bits for 16 weights. */
const iq2_xs: RowQuantizer = (x, out, importance) => {
  if (!importance) throw new Error("IQ2_XS without importance");
  const lattice = latticeOf("IQ2_XS");
  const how: grid.Search = {
    ...{ lattice, count: 16, top: 2, steps: 9, by: f(0.1), again: "off grid", trusting: true },
  };
  for (let at = 0, to = 0; at < x.length; at += 256, to += 74) {
    out.fill(0, to, to + 74);
    const sigma2 = meanSquare(x, at, 256);
    for (let group = 0; group < 16; group++) {
      const from = at + 16 * group;
      weigh(x, from, 16, importance, from, sigma2, weights);
      grid.split(x, from, 16, true);
      const max = grid.largestOf(16);
      scales[group] = 0;
      if (max < zeroBelow) continue;
      grid.levels.fill(0);
      const scale = grid.search(how, max, f(max / 5));
      if (scale < 0) grid.flipSigns(16, true);
      for (let k = 0; k < 2; k++) {
        const word = grid.entryAt(lattice, 8 * k) | (signs[k] << 9);
        out[to + 2 + 4 * group + 2 * k] = word;
        out[to + 3 + 4 * group + 2 * k] = word >> 8;
      }
      scales[group] = Math.abs(scale);
    }
    const max = grid.largestScale(16);
    if (max === 0) {
      out.fill(0, to, to + 74);
      continue;
    }
    const d = f(max / 31);
    putHalf(out, to, d);
    putScales(out, to + 66, f(1 / d));
  }
};

/** w = d/4 · (½ + s) · entry: low 8 bits of 32 entry numbers, 32 bytes of signs, the high 2 bits, scales. */
const iq2_s: RowQuantizer = (x, out, importance) => {
  const lattice = latticeOf("IQ2_S");
  const how: grid.Search = {
    ...{ lattice, count: 16, top: 2, steps: 9, by: f(0.1), again: "off grid", trusting: true },
  };
  for (let at = 0, to = 0; at < x.length; at += 256, to += 82) {
    out.fill(0, to, to + 82);
    const sigma2 = meanSquare(x, at, 256, 2);
    for (let group = 0; group < 16; group++) {
      const from = at + 16 * group;
      if (importance) weigh(x, from, 16, importance, from, sigma2, weights);
      else
        for (let i = 0; i < 16; i++) {
          const v = x[from + i];
          weights[i] = f(0.25 * sigma2) + f(v * v);
        }
      grid.split(x, from, 16, false);
      const max = grid.largestOf(16);
      scales[group] = 0;
      if (max < f(1e-8)) continue;
      grid.levels.fill(0);
      const scale = grid.search(how, max, f(max / 5));
      if (scale < 0) grid.flipSigns(16, false);
      for (let k = 0; k < 2; k++) {
        const entry = grid.entryAt(lattice, 8 * k);
        const number = 2 * group + k;
        out[to + 2 + number] = entry;
        out[to + 34 + number] = signs[k];
        out[to + 66 + (number >> 2)] |= (entry >> 8) << (2 * (number & 3));
      }
      scales[group] = Math.abs(scale);
    }
    const max = grid.largestScale(16);
    if (max === 0) continue;
    const d = f(max / 31);
    putHalf(out, to, f(d * f(0.9875)));
    putScales(out, to + 74, f(1 / d));
  }
};

export const iq2Quantizers: Readonly<Record<string, RowQuantizer>> = {
  IQ2_XXS: iq2_xxs,
  IQ2_XS: iq2_xs,
  IQ2_S: iq2_s,
};
