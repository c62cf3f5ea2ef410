/** Host side of quantize.wgsl: activations as signed bytes. */
import { type KernelCall, kernel, type Place, perRow, read, write } from "./call.ts";

/** Activations of two runs, and the 32-bit words that they take. */
const BLOCK = 32;
const BLOCK_WORDS = 12;

/** 32-bit words of a quantised row of `k` activations, a multiple of 32. */
export const quantizedWidth = (k: number): number => (k / BLOCK) * BLOCK_WORDS;

export interface QuantizeCall {
  readonly x: Place;
  /** Rows of {@link quantizedWidth}; offset and stride are multiples of 4. */
  readonly out: Place;
  /** f32 index in the small buffer of the weight of the RMS norm in front. */
  readonly norm?: number;
  readonly label: string;
  readonly layer: number;
}

export function quantize(call: QuantizeCall): KernelCall {
  const { x, out, norm } = call;
  const threads = 64;
  return kernel("quantize", call, {
    consts: { NORM: norm !== undefined, WG: threads },
    params: {
      k: x.width,
      domain: x.domain,
      x_offset: x.offset / 4,
      x_stride: x.stride / 4,
      out_offset: out.offset / 4,
      out_stride: out.stride / 4,
      norm: (norm ?? 0) / 4,
    },
    bindings: [read(x.buffer), read("small"), write(out.buffer)],
    grid: perRow(Math.ceil(x.width / BLOCK / threads), x.domain),
    variant: norm === undefined ? "int8" : "int8 norm",
  });
}
