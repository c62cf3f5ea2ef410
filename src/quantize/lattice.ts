/**
 * The grids of the IQ types for searching: which entry has given levels, and which entries are nearest to levels that no
 * entry has. A level is the digit of a value, 0 … 2 (0 … 7 in IQ3); a code is levels of 2 (3) bits each, the first lowest.
 */
import { quantTables } from "../file/grids.ts";
import { gridSizes, type TableName, tableOffsets } from "../file/tables.ts";
import { largest } from "./floats.ts";

const f = Math.fround;

export interface Lattice {
  /** Levels of an entry. */
  readonly width: number;
  /** Bits of a level in a code. */
  readonly bits: number;
  /** By code: the number of the entry, or −1 − where its neighbours begin in `neighbours`. */
  readonly map: Int32Array;
  /** Runs of entry numbers, nearest first; each run begins with its length. */
  readonly neighbours: Uint16Array;
  /** Levels, `width` an entry. */
  readonly levels: Uint8Array;
}

/** How many different distances the neighbours of a code have. */
const distances: Readonly<Record<TableName, number>> = {
  IQ2_XXS: 2,
  IQ2_XS: 2,
  IQ2_S: 1,
  IQ1_S: 3,
  IQ3_XXS: 2,
  IQ3_S: 3,
};

const made = new Map<TableName, Lattice>();

/** The lattice of a type, made on first use. */
export function latticeOf(name: TableName): Lattice {
  const found = made.get(name);
  if (found) return found;
  const { width, entries } = gridSizes[name];
  const bits = width === 8 ? 2 : 3;
  const bytes = new Uint8Array(quantTables().buffer, 4 * tableOffsets[name], width * entries);
  // A byte of 255 is −1.
  const order = (byte: number): number => (byte << 24) >> 24;
  const values = [...new Set(bytes)].sort((a, b) => order(a) - order(b));
  const levels = Uint8Array.from(bytes, (byte) => values.indexOf(byte));
  const lattice = {
    ...{ width, bits, levels },
    ...neighboursOf(levels, width, bits, values.length, distances[name]),
  };
  made.set(name, lattice);
  return lattice;
}

function neighboursOf(
  levels: Uint8Array,
  width: number,
  bits: number,
  base: number,
  want: number,
): Pick<Lattice, "map" | "neighbours"> {
  const entries = levels.length / width;
  const map = new Int32Array(1 << (bits * width));
  for (let entry = 0; entry < entries; entry++) {
    let code = 0;
    for (let i = 0; i < width; i++) code |= levels[entry * width + i] << (bits * i);
    map[code] = entry + 1;
  }
  const far = new Uint16Array(entries);
  const point = new Uint8Array(width);
  const runs: number[] = [];
  for (let number = 0; number < base ** width; number++) {
    let code = 0;
    for (let i = 0, rest = number; i < width; i++, rest = Math.floor(rest / base)) {
      point[i] = rest % base;
      code |= point[i] << (bits * i);
    }
    if (map[code] > 0) {
      map[code]--;
      continue;
    }
    const counts = new Uint16Array(width * (base - 1) ** 2 + 1);
    for (let entry = 0, at = 0; entry < entries; entry++) {
      let distance = 0;
      for (let i = 0; i < width; i++, at++) distance += (levels[at] - point[i]) ** 2;
      far[entry] = distance;
      counts[distance]++;
    }
    map[code] = -1 - runs.length;
    const start = runs.push(0);
    for (let distance = 0, have = 0; have < want && distance < counts.length; distance++) {
      if (counts[distance] === 0) continue;
      have++;
      for (let entry = 0; entry < entries; entry++) if (far[entry] === distance) runs.push(entry);
    }
    runs[start - 1] = runs.length - start;
  }
  return { map, neighbours: Uint16Array.from(runs) };
}

/** The code of the levels at `at`. */
export function codeOf(lattice: Lattice, levels: Uint8Array, at: number): number {
  let code = 0;
  for (let i = 0; i < lattice.width; i++) code |= levels[at + i] << (lattice.bits * i);
  return code;
}

/** Makes the levels at `to` those of an entry. */
export function setEntry(lattice: Lattice, entry: number, levels: Uint8Array, to: number): void {
  const { width } = lattice;
  for (let i = 0; i < width; i++) levels[to + i] = lattice.levels[entry * width + i];
}

/**
 * Makes the levels at `at` those of an entry, if they are none's: of the neighbours that whose values 2 · level + 1 times
 * `scale` are nearest to x by `weights`. Returns whether they were an entry's.
 */
export function toGrid(
  lattice: Lattice,
  levels: Uint8Array,
  at: number,
  x: Float32Array,
  weights: Float32Array,
  scale: number,
): boolean {
  const code = lattice.map[codeOf(lattice, levels, at)];
  if (code >= 0) return true;
  const { width, neighbours, levels: all } = lattice;
  const start = -code;
  const end = start + neighbours[start - 1];
  let best = neighbours[start];
  let error = largest;
  for (let j = start; j < end; j++) {
    const entry = neighbours[j] * width;
    let sum = 0;
    for (let i = 0; i < width; i++) {
      const diff = f(f(scale * (2 * all[entry + i] + 1)) - x[at + i]);
      sum = f(sum + f(f(weights[at + i] * diff) * diff));
    }
    if (sum < error) {
      error = sum;
      best = neighbours[j];
    }
  }
  setEntry(lattice, best, levels, at);
  return false;
}
