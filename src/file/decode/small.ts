/** Decoders of the one- and two-bit, ternary and 4-bit float types. */
import { halfTable } from "../../base/half.ts";
import type { Decoder } from "../quants.ts";
import { fp4Values } from "../tables.ts";

/** w = ± d: 128 signs, a set bit is plus. */
const q1_0: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 18, to += 128) {
    const d = halves[bytes[at] | (bytes[at + 1] << 8)];
    for (let i = 0; i < 128; i++) out[to + i] = (bytes[at + 2 + (i >> 3)] >> (i & 7)) & 1 ? d : -d;
  }
};

/** w = d · (q − 1): four weights of 2 bits a byte, in order. */
const q2_0: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 18, to += 64) {
    const d = halves[bytes[at] | (bytes[at + 1] << 8)];
    for (let i = 0; i < 64; i++)
      out[to + i] = d * (((bytes[at + 2 + (i >> 2)] >> (2 * (i & 3))) & 3) - 1);
  }
};

/** Powers of three that move a digit of a TQ1_0 byte to the top. */
const powers = [1, 3, 9, 27, 81];

/**
 * w = d · (digit − 1): five base-3 digits a byte, the byte being the number of five digits times
 * 256/243, rounded up. Multiplied by 3^k modulo 256, its upper part is digit k: (byte · 3) >> 8.
 * 32 bytes hold digits 0 of 32 weights, then digits 1 …; 16 bytes the same; 4 bytes four digits each.
 */
const tq1_0: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  const runs = [
    { from: 0, width: 32, digits: 5 },
    { from: 32, width: 16, digits: 5 },
    { from: 48, width: 4, digits: 4 },
  ];
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 54) {
    const d = halves[bytes[at + 52] | (bytes[at + 53] << 8)];
    for (const { from, width, digits } of runs)
      for (let digit = 0; digit < digits; digit++)
        for (let i = 0; i < width; i++) {
          const shifted = (bytes[at + from + i] * powers[digit]) & 255;
          out[to++] = d * (((shifted * 3) >> 8) - 1);
        }
  }
};

/** w = d · (q − 1): 32 bytes hold the low two bits of 32 weights, then the next two … */
const tq2_0: Decoder = (bytes, out, blocks) => {
  const halves = halfTable();
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 66) {
    const d = halves[bytes[at + 64] | (bytes[at + 65] << 8)];
    for (let from = at; from < at + 64; from += 32)
      for (let shift = 0; shift < 8; shift += 2)
        for (let i = 0; i < 32; i++) out[to++] = d * (((bytes[from + i] >> shift) & 3) - 1);
  }
};

/** w = 2^(e − 128) · value: half of the OCP scale 2^(e − 127), because the values are doubled. */
const mxfp4: Decoder = (bytes, out, blocks) => {
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 17, to += 32) {
    const d = 2 ** (bytes[at] - 128);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 1 + i];
      out[to + i] = d * fp4Values[pair & 15];
      out[to + 16 + i] = d * fp4Values[pair >> 4];
    }
  }
};

/** An unsigned 8-bit float of 4 exponent bits (bias 7) and 3 mantissa bits; 0x7f is not a number and counts as 0. */
function ue4m3(byte: number): number {
  if (byte === 0 || byte === 0x7f) return 0;
  const exponent = (byte >> 3) & 15;
  const mantissa = byte & 7;
  return exponent === 0 ? mantissa * 2 ** -9 : (8 + mantissa) * 2 ** (exponent - 10);
}

/** w = scale/2 · value: four groups of 16, each 8 bytes with the first 8 weights in the low nibbles. */
const nvfp4: Decoder = (bytes, out, blocks) => {
  for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 36, to += 64) {
    for (let group = 0; group < 4; group++) {
      const d = ue4m3(bytes[at + group]) / 2;
      for (let i = 0; i < 8; i++) {
        const pair = bytes[at + 4 + 8 * group + i];
        out[to + 16 * group + i] = d * fp4Values[pair & 15];
        out[to + 16 * group + 8 + i] = d * fp4Values[pair >> 4];
      }
    }
  }
};

export const smallDecoders: Readonly<Record<string, Decoder>> = {
  Q1_0: q1_0,
  Q2_0: q2_0,
  TQ1_0: tq1_0,
  TQ2_0: tq2_0,
  MXFP4: mxfp4,
  NVFP4: nvfp4,
};
