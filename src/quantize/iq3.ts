/** IQ3_XXS and IQ3_S: four weights by a grid entry, with signs apart. */
import { meanSquare, putHalf, weigh, weighBySquare } from "./floats.ts";
import * as grid from "./grid.ts";
import { latticeOf } from "./lattice.ts";
import type { RowQuantizer } from "./types.ts";

const f = Math.fround;

const { scales, signs, weights } = grid;

function weighGroup(x: Float32Array, at: number, sigma2: number, importance?: Float32Array): void {
  if (importance) weigh(x, at, 32, importance, at, sigma2, weights);
  else weighBySquare(x, at, 32, weights);
}

/** w = d/2 · (½ + s) · entry: 64 entry numbers, then for 32 weights 4 × 7 sign bits and s of 4 bits. */
const iq3_xxs: RowQuantizer = (x, out, importance) => {
  const lattice = latticeOf("IQ3_XXS");
  const how: grid.Search = {
    ...{ lattice, count: 32, top: 7, steps: 15, by: f(0.2), again: "off grid", trusting: true },
  };
  for (let at = 0, to = 0; at < x.length; at += 256, to += 98) {
    out.fill(0, to, to + 98);
    const sigma2 = meanSquare(x, at, 256, 2);
    for (let group = 0; group < 8; group++) {
      const from = at + 32 * group;
      weighGroup(x, from, sigma2, importance);
      grid.split(x, from, 32, true);
      const max = grid.largestOf(32);
      scales[group] = 0;
      if (max < f(1e-8)) continue;
      grid.levels.fill(0);
      const scale = grid.search(how, max, f(max / 15));
      if (scale < 0) grid.flipSigns(32, true);
      for (let k = 0; k < 8; k++) out[to + 2 + 8 * group + k] = grid.entryAt(lattice, 4 * k);
      let word = 0;
      for (let k = 0; k < 4; k++) word |= signs[k] << (7 * k);
      for (let k = 0; k < 4; k++) out[to + 66 + 4 * group + k] = word >> (8 * k);
      scales[group] = Math.abs(scale);
    }
    const max = grid.largestScale(8);
    if (max === 0) {
      out.fill(0, to, to + 98);
      continue;
    }
    const d = f(max / 31);
    putHalf(out, to, f(d * f(1.0125)));
    const inverse = f(1 / d);
    for (let group = 0; group < 8; group++)
      out[to + 69 + 4 * group] |= grid.scaleLevel(group, inverse) << 4;
  }
};

/** w = d · (1 + 2s) · entry: low 8 bits of 64 entry numbers, 8 bytes of their high bits, 32 of signs, scales. */
const iq3_s: RowQuantizer = (x, out, importance) => {
  const lattice = latticeOf("IQ3_S");
  const how: grid.Search = {
    ...{ lattice, count: 32, top: 7, steps: 9, by: f(0.2), again: "all", trusting: false },
  };
  for (let at = 0, to = 0; at < x.length; at += 256, to += 110) {
    out.fill(0, to, to + 110);
    const sigma2 = meanSquare(x, at, 256, 2);
    for (let group = 0; group < 8; group++) {
      const from = at + 32 * group;
      weighGroup(x, from, sigma2, importance);
      grid.split(x, from, 32, false);
      const max = grid.largestOf(32);
      scales[group] = 0;
      if (max === 0) continue;
      grid.levels.fill(0);
      const scale = grid.search(how, max, f(max / 15));
      if (scale < 0) grid.flipSigns(32, false);
      for (let k = 0; k < 8; k++) {
        const entry = grid.entryAt(lattice, 4 * k);
        out[to + 2 + 8 * group + k] = entry;
        out[to + 66 + group] |= (entry >> 8) << k;
      }
      for (let k = 0; k < 4; k++) out[to + 74 + 4 * group + k] = signs[k];
      scales[group] = Math.abs(scale);
    }
    const max = grid.largestScale(8);
    if (max === 0) continue;
    const d = f(max / 31);
    putHalf(out, to, f(d * f(1.033)));
    const inverse = f(1 / d);
    for (let i = 0; i < 4; i++)
      out[to + 106 + i] =
        grid.scaleLevel(2 * i, inverse) | (grid.scaleLevel(2 * i + 1, inverse) << 4);
  }
};

export const iq3Quantizers: Readonly<Record<string, RowQuantizer>> = {
  IQ3_XXS: iq3_xxs,
  IQ3_S: iq3_s,
};
