/** F32, F16 and BF16: each weight by itself. */
import { floatToHalf } from "../base/half.ts";
import { bitsOf } from "./floats.ts";
import type { RowQuantizer } from "./types.ts";

const f32: RowQuantizer = (x, out) => {
  out.set(new Uint8Array(x.buffer, x.byteOffset, x.byteLength));
};

const f16: RowQuantizer = (x, out) => {
  for (let i = 0; i < x.length; i++) {
    const half = floatToHalf(x[i]);
    out[2 * i] = half;
    out[2 * i + 1] = half >> 8;
  }
};

/** The upper half of the float, to the nearest, the even one of two; a NaN is made quiet. */
const bf16: RowQuantizer = (x, out) => {
  for (let i = 0; i < x.length; i++) {
    const bits = bitsOf(x[i]);
    const notANumber = (bits & 0x7fffffff) > 0x7f800000;
    const upper = notANumber ? (bits >> 16) | 64 : (bits + (0x7fff + ((bits >> 16) & 1))) >> 16;
    out[2 * i] = upper;
    out[2 * i + 1] = upper >> 8;
  }
};

export const plainQuantizers: Readonly<Record<string, RowQuantizer>> = {
  F32: f32,
  F16: f16,
  BF16: bf16,
};
