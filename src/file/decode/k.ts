/**
 * Decoders of the K types: super-blocks of 256 weights with 16-bit scales, cut into groups of 16 or
 * 32 whose own scales (and minima) are small integers.
 */
import { halfTable } from "../../base/half.ts";
import type { Decoder } from "../quants.ts";

/** w = d·s · q − dmin·m: 16 groups, s and m of 4 bits, q of 2 bits. */
const q2_k: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 84, to += 256) {
    const d = halves[bytes[at + 80] | (bytes[at + 81] << 8)];
    const dmin = halves[bytes[at + 82] | (bytes[at + 83] << 8)];
    for (let group = 0; group < 16; group++) {
      const scale = d * (bytes[at + group] & 15);
      const minimum = dmin * (bytes[at + group] >> 4);
      // 32 bytes hold 128 weights: the two low bits of all, then the next two bits of all.
      const from = at + 16 + 32 * (group >> 3) + 16 * (group & 1);
      const shift = group & 6;
      for (let i = 0; i < 16; i++)
        out[to + 16 * group + i] = scale * ((bytes[from + i] >> shift) & 3) - minimum;
    }
  }
};

/** w = d·(s − 32) · (q − 4): 16 groups, s of 6 bits, q of 2 bits and a third in a mask. */
const q3_k: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 110, to += 256) {
    const d = halves[bytes[at + 108] | (bytes[at + 109] << 8)];
    for (let group = 0; group < 16; group++) {
      // Low nibbles of 8 bytes, then their high nibbles; 2 more bits of four scales a byte.
      const low = (bytes[at + 96 + (group & 7)] >> (4 * (group >> 3))) & 15;
      const high = (bytes[at + 104 + (group & 3)] >> (2 * (group >> 2))) & 3;
      const scale = d * ((low | (high << 4)) - 32);
      const column = 16 * (group & 1);
      const from = at + 32 + 32 * (group >> 3) + column;
      const shift = group & 6;
      const bit = group >> 1;
      for (let i = 0; i < 16; i++) {
        const third = (bytes[at + column + i] >> bit) & 1;
        out[to + 16 * group + i] = scale * (((bytes[from + i] >> shift) & 3) + 4 * third - 4);
      }
    }
  }
};

/**
 * Scale and minimum of a group of 32 in Q4_K and Q5_K, 6 bits each, in the 12 bytes at `at`: those of
 * groups 0–3 are the low bits of bytes 0–3 and 4–7; those of groups 4–7 have their low halves in bytes
 * 8–11 and their upper two bits in the tops of bytes 0–7.
 */
function groupScale(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group] & 63;
  return (bytes[at + group + 4] & 15) | ((bytes[at + group - 4] >> 6) << 4);
}
function groupMinimum(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group + 4] & 63;
  return (bytes[at + group + 4] >> 4) | ((bytes[at + group] >> 6) << 4);
}

/** w = d·s · q − dmin·m: 8 groups, s and m of 6 bits, q of 4 bits. */
const q4_k: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 144, to += 256) {
    const d = halves[bytes[at] | (bytes[at + 1] << 8)];
    const dmin = halves[bytes[at + 2] | (bytes[at + 3] << 8)];
    for (let group = 0; group < 8; group++) {
      const scale = d * groupScale(bytes, at + 4, group);
      const minimum = dmin * groupMinimum(bytes, at + 4, group);
      const from = at + 16 + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      for (let i = 0; i < 32; i++)
        out[to + 32 * group + i] = scale * ((bytes[from + i] >> shift) & 15) - minimum;
    }
  }
};

/** As Q4_K with q of 5 bits: the fifth bit of group g is bit g of 32 bytes. */
const q5_k: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 176, to += 256) {
    const d = halves[bytes[at] | (bytes[at + 1] << 8)];
    const dmin = halves[bytes[at + 2] | (bytes[at + 3] << 8)];
    for (let group = 0; group < 8; group++) {
      const scale = d * groupScale(bytes, at + 4, group);
      const minimum = dmin * groupMinimum(bytes, at + 4, group);
      const from = at + 48 + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      for (let i = 0; i < 32; i++) {
        const fifth = (bytes[at + 16 + i] >> group) & 1;
        const q = ((bytes[from + i] >> shift) & 15) | (fifth << 4);
        out[to + 32 * group + i] = scale * q - minimum;
      }
    }
  }
};

/** w = d·s · (q − 32): 16 groups, s a signed byte, q of 4 and 2 bits. */
const q6_k: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 210, to += 256) {
    const d = halves[bytes[at + 208] | (bytes[at + 209] << 8)];
    for (let group = 0; group < 16; group++) {
      const scale = d * ((bytes[at + 192 + group] << 24) >> 24);
      // Each half of 128 weights: 64 bytes of nibbles (low ones first), 32 bytes of upper bits.
      const half = group >> 3;
      const low = at + 64 * half + 16 * (group & 3);
      const high = at + 128 + 32 * half + 16 * (group & 1);
      const nibble = 4 * ((group >> 2) & 1);
      const pair = group & 6;
      for (let i = 0; i < 16; i++) {
        const q = ((bytes[low + i] >> nibble) & 15) | (((bytes[high + i] >> pair) & 3) << 4);
        out[to + 16 * group + i] = scale * (q - 32);
      }
    }
  }
};

export const superBlockDecoders: Readonly<Record<string, Decoder>> = {
  Q2_K: q2_k,
  Q3_K: q3_k,
  Q4_K: q4_k,
  Q5_K: q5_k,
  Q6_K: q6_k,
};
