/** Host side of quantize.wgsl: activations as signed bytes. */
import { type KernelCall, type Place, perRow, read, u, write } from "./call.ts";

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
  return {
    kernel: "quantize",
    snippets: ["lib/step"],
    consts: { NORM: norm !== undefined, WG: `${threads}u` },
    params: [
      u(x.width),
      u(x.domain),
      u(x.offset / 4),
      u(x.stride / 4),
      u(out.offset / 4),
      u(out.stride / 4),
      u((norm ?? 0) / 4),
    ],
    bindings: [read(x.buffer), read("small"), write(out.buffer)],
    tables: false,
    grid: perRow(Math.ceil(x.width / BLOCK / threads), x.domain),
    label: call.label,
    layer: call.layer,
    variant: norm === undefined ? "int8" : "int8 norm",
    bytes: 0,
  };
}
