/**
 * Decoders of the IQ types. Most store the number of a grid entry (see grids.ts) for every 8 or 4
 * weights, with signs apart; IQ4 stores codes of 4 bits into one table of 16 values.
 */
import { halfTable } from "../../base/half.ts";
import { quantTables } from "../grids.ts";
import type { Decoder } from "../quants.ts";
import { iq4Values, type TableName, tableOffsets } from "../tables.ts";

const half = (bytes: Uint8Array, at: number): number =>
  halfTable()[bytes[at] | (bytes[at + 1] << 8)];
const u16 = (bytes: Uint8Array, at: number): number => bytes[at] | (bytes[at + 1] << 8);
const u32 = (bytes: Uint8Array, at: number): number =>
  (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0;

/** A grid as bytes: entry `n` of `width` values starts at n · width. */
function gridBytes(name: TableName): Uint8Array {
  return new Uint8Array(quantTables().buffer, 4 * tableOffsets[name]);
}

/** Eight signs from 7 bits: the eighth makes the number of minus signs even. */
function evenSigns(bits: number): number {
  const seven = bits & 127;
  const folded = seven ^ (seven >> 4);
  return seven | (((0x6996 >> (folded & 15)) & 1) << 7);
}

/** Writes `width` grid values times `scale`, negative where a sign bit is set. */
function writeEntry(
  grid: Uint8Array,
  entry: number,
  width: number,
  scale: number,
  signs: number,
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < width; i++) {
    const value = scale * grid[entry * width + i];
    out[to + i] = (signs >> i) & 1 ? -value : value;
  }
}

/** w = d/4 · (½ + s) · entry: a group of 32 is 4 entry numbers, then 4 × 7 sign bits and s of 4 bits. */
const iq2_xxs: Decoder = (bytes, out, blocks) => {
  const grid = gridBytes("IQ2_XXS");
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 66) {
    const d = half(bytes, at);
    for (let from = at + 2; from < at + 66; from += 8) {
      const word = u32(bytes, from + 4);
      const scale = d * (0.5 + (word >>> 28)) * 0.25;
      for (let k = 0; k < 4; k++, to += 8)
        writeEntry(grid, bytes[from + k], 8, scale, evenSigns(word >>> (7 * k)), out, to);
    }
  }
};

/** w = d/4 · (½ + s) · entry: 9 bits of entry number and 7 sign bits in 16; s of 4 bits for 16 weights. */
const iq2_xs: Decoder = (bytes, out, blocks) => {
  const grid = gridBytes("IQ2_XS");
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 74) {
    const d = half(bytes, at);
    for (let k = 0; k < 32; k++, to += 8) {
      const code = u16(bytes, at + 2 + 2 * k);
      const nibble = (bytes[at + 66 + (k >> 2)] >> (4 * ((k >> 1) & 1))) & 15;
      const scale = d * (0.5 + nibble) * 0.25;
      writeEntry(grid, code & 511, 8, scale, evenSigns(code >> 9), out, to);
    }
  }
};

/** As IQ2_XS with 10 bits of entry number (8 and 2 apart) and all 8 sign bits stored. */
const iq2_s: Decoder = (bytes, out, blocks) => {
  const grid = gridBytes("IQ2_S");
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 82) {
    const d = half(bytes, at);
    for (let k = 0; k < 32; k++, to += 8) {
      const high = (bytes[at + 66 + (k >> 2)] >> (2 * (k & 3))) & 3;
      const nibble = (bytes[at + 74 + (k >> 2)] >> (4 * ((k >> 1) & 1))) & 15;
      const scale = d * (0.5 + nibble) * 0.25;
      const entry = bytes[at + 2 + k] | (high << 8);
      writeEntry(grid, entry, 8, scale, bytes[at + 34 + k], out, to);
    }
  }
};

/** w = d/2 · (½ + s) · entry: 64 entry numbers of 4 weights, then a word of signs and s for each 32. */
const iq3_xxs: Decoder = (bytes, out, blocks) => {
  const grid = gridBytes("IQ3_XXS");
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 98) {
    const d = half(bytes, at);
    for (let group = 0; group < 8; group++) {
      const word = u32(bytes, at + 66 + 4 * group);
      const scale = d * (0.5 + (word >>> 28)) * 0.5;
      for (let k = 0; k < 8; k++, to += 4) {
        const signs = evenSigns(word >>> (7 * (k >> 1))) >> (4 * (k & 1));
        writeEntry(grid, bytes[at + 2 + 8 * group + k], 4, scale, signs, out, to);
      }
    }
  }
};

/** w = d · (1 + 2s) · entry: 9 bits of entry number (8 and 1 apart), all signs, s of 4 bits for 32 weights. */
const iq3_s: Decoder = (bytes, out, blocks) => {
  const grid = gridBytes("IQ3_S");
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 110) {
    const d = half(bytes, at);
    for (let k = 0; k < 64; k++, to += 4) {
      const high = (bytes[at + 66 + (k >> 3)] >> (k & 7)) & 1;
      const signs = bytes[at + 74 + (k >> 1)] >> (4 * (k & 1));
      const nibble = (bytes[at + 106 + (k >> 4)] >> (4 * ((k >> 3) & 1))) & 15;
      const entry = bytes[at + 2 + k] | (high << 8);
      writeEntry(grid, entry, 4, d * (1 + 2 * nibble), signs, out, to);
    }
  }
};

/** Writes 8 values of IQ1's grid, which are signed, moved by ± 1/8. */
function writeTernary(
  grid: Uint8Array,
  entry: number,
  scale: number,
  delta: number,
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < 8; i++) out[to + i] = scale * (((grid[8 * entry + i] << 24) >> 24) + delta);
}

/** w = d · (2s + 1) · (entry ± 1/8): a group of 32 has 16 bits: 4 × 3 bits of entry numbers, s, a sign. */
const iq1_s: Decoder = (bytes, out, blocks) => {
  const grid = gridBytes("IQ1_S");
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 50) {
    const d = half(bytes, at);
    for (let k = 0; k < 32; k++, to += 8) {
      const head = u16(bytes, at + 34 + 2 * (k >> 2));
      const entry = bytes[at + 2 + k] | (((head >> (3 * (k & 3))) & 7) << 8);
      const scale = d * (2 * ((head >> 12) & 7) + 1);
      writeTernary(grid, entry, scale, head & 0x8000 ? -0.125 : 0.125, out, to);
    }
  }
};

/**
 * As IQ1_S with s of 3 bits for 16 weights and a sign for 8. The 16-bit d is spread over the top
 * nibbles of the four words that hold the s.
 */
const iq1_m: Decoder = (bytes, out, blocks) => {
  const grid = gridBytes("IQ1_S");
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 56) {
    const top = (word: number): number => bytes[at + 49 + 2 * word] >> 4;
    const d = halves[top(0) | (top(1) << 4) | (top(2) << 8) | (top(3) << 12)];
    for (let k = 0; k < 32; k++, to += 8) {
      const high = bytes[at + 32 + (k >> 1)] >> (4 * (k & 1));
      const s = (u16(bytes, at + 48 + 2 * (k >> 3)) >> (3 * ((k >> 1) & 3))) & 7;
      const entry = bytes[at + k] | ((high & 7) << 8);
      writeTernary(grid, entry, d * (2 * s + 1), high & 8 ? -0.125 : 0.125, out, to);
    }
  }
};

/** 32 weights of 4-bit codes, the first 16 in the low nibbles. */
function writeCodes(
  bytes: Uint8Array,
  from: number,
  scale: number,
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < 16; i++) {
    out[to + i] = scale * iq4Values[bytes[from + i] & 15];
    out[to + 16 + i] = scale * iq4Values[bytes[from + i] >> 4];
  }
}

/** w = d · value[q]. */
const iq4_nl: Decoder = (bytes, out, blocks) => {
  for (let block = 0, at = 0; block < blocks; block++, at += 18)
    writeCodes(bytes, at + 2, half(bytes, at), out, 32 * block);
};

/** w = d · (s − 32) · value[q]: s of 6 bits for 32 weights, 4 and 2 apart. */
const iq4_xs: Decoder = (bytes, out, blocks) => {
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 136) {
    const d = half(bytes, at);
    for (let group = 0; group < 8; group++, to += 32) {
      const low = (bytes[at + 4 + (group >> 1)] >> (4 * (group & 1))) & 15;
      const high = (u16(bytes, at + 2) >> (2 * group)) & 3;
      writeCodes(bytes, at + 8 + 16 * group, d * ((low | (high << 4)) - 32), out, to);
    }
  }
};

export const gridDecoders: Readonly<Record<string, Decoder>> = {
  IQ1_M: iq1_m,
  IQ1_S: iq1_s,
  IQ2_S: iq2_s,
  IQ2_XS: iq2_xs,
  IQ2_XXS: iq2_xxs,
  IQ3_S: iq3_s,
  IQ3_XXS: iq3_xxs,
  IQ4_NL: iq4_nl,
  IQ4_XS: iq4_xs,
};
