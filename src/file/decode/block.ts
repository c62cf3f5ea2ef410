/**
 * Decoders of the simple block types: a scale (and for the `_1` types a minimum), then codes.
 * A nibble block of 32 keeps weight i in the low half of byte i and weight i + 16 in the high half.
 */
import { halfTable } from "../../base/half.ts";
import type { Decoder } from "../quants.ts";

/** w = d · (q − 8), q of 4 bits. */
const q4_0: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 18, to += 32) {
    const d = halves[bytes[at] | (bytes[at + 1] << 8)];
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 2 + i];
      out[to + i] = d * ((pair & 15) - 8);
      out[to + 16 + i] = d * ((pair >> 4) - 8);
    }
  }
};

/** w = d · q + m, q of 4 bits. */
const q4_1: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 20, to += 32) {
    const d = halves[bytes[at] | (bytes[at + 1] << 8)];
    const m = halves[bytes[at + 2] | (bytes[at + 3] << 8)];
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 4 + i];
      out[to + i] = d * (pair & 15) + m;
      out[to + 16 + i] = d * (pair >> 4) + m;
    }
  }
};

/** w = d · (q − 16), q of 5 bits: the fifth bit of weight i is bit i of a word. */
const q5_0: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 22, to += 32) {
    const d = halves[bytes[at] | (bytes[at + 1] << 8)];
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 6 + i];
      const low = (bytes[at + 2 + (i >> 3)] >> (i & 7)) & 1;
      const high = (bytes[at + 4 + (i >> 3)] >> (i & 7)) & 1;
      out[to + i] = d * (((pair & 15) | (low << 4)) - 16);
      out[to + 16 + i] = d * (((pair >> 4) | (high << 4)) - 16);
    }
  }
};

/** w = d · q + m, q of 5 bits as in Q5_0. */
const q5_1: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 24, to += 32) {
    const d = halves[bytes[at] | (bytes[at + 1] << 8)];
    const m = halves[bytes[at + 2] | (bytes[at + 3] << 8)];
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 8 + i];
      const low = (bytes[at + 4 + (i >> 3)] >> (i & 7)) & 1;
      const high = (bytes[at + 6 + (i >> 3)] >> (i & 7)) & 1;
      out[to + i] = d * ((pair & 15) | (low << 4)) + m;
      out[to + 16 + i] = d * ((pair >> 4) | (high << 4)) + m;
    }
  }
};

/** w = d · q, q a signed byte. */
const q8_0: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 34, to += 32) {
    const d = halves[bytes[at] | (bytes[at + 1] << 8)];
    for (let i = 0; i < 32; i++) out[to + i] = d * ((bytes[at + 2 + i] << 24) >> 24);
  }
};

export const blockDecoders: Readonly<Record<string, Decoder>> = {
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
};
