/** What the GPU kernels know of each tensor type: what its snippet offers. */
import { wgsl } from "../../wgsl/mod.ts";
import { WebggufError } from "../base/errors.ts";
import type { QuantType } from "../file/quants.ts";
import { includes } from "./compose.ts";

/** How a kernel that reads weights of one type is composed. */
export interface QuantKernel {
  /** Defines `decode(base, element)`. */
  readonly snippet: string;
  /** Whether the snippet reads the lookup tables. */
  readonly usesTables: boolean;
  /** Whether the snippet defines `decode_i8` too: weights as signed bytes with a scale. */
  readonly int8: boolean;
  /** Snippet that gives the mat-vec its runs of 16 weights, and whether these have minima. */
  readonly runs: string;
  readonly minimum: boolean;
  /** Columns between the two runs of 16 of a unit as the type stores it, and whether any other distance is as good. */
  readonly pair: number;
  readonly spread: boolean;
}

/** Whether the GPU can multiply by tensors of this type. */
export function hasQuantKernel(type: QuantType): boolean {
  return Object.hasOwn(wgsl, snippetName(type));
}

/** Whether weights of a type can be multiplied by activations of signed bytes; the others take floats. */
export const hasInt8 = (type: QuantType): boolean => quantKernel(type).int8;

/** The GPU facts of a type. Throws `model/unsupported` for types that hold data, not weights (I8 … F64). */
export function quantKernel(type: QuantType): QuantKernel {
  const snippet = snippetName(type);
  if (!hasQuantKernel(type)) {
    throw new WebggufError("model/unsupported", `${type.name} tensors cannot be used as weights`, {
      actual: type.name,
    });
  }
  const offers = wgsl[snippet].offers ?? [];
  return {
    snippet,
    usesTables: includes({ kernel: snippet, snippets: [] }, "lib/tables"),
    int8: offers.includes("i8"),
    runs: offers.includes("scaled") ? "lib/run-i8" : "lib/run-f32",
    minimum: offers.includes("minimum"),
    pair: offers.includes("pairs-64") ? 64 : offers.includes("pairs-32") ? 32 : 16,
    spread: offers.includes("spread"),
  };
}

/**
 * Constants of lib/pairs.wgsl for rows of `k` weights that `lanes` threads share. Types that keep their runs apart are read
 * in the order in which they stand: neighbouring threads take neighbouring runs.
 */
export function pairConsts(
  quant: QuantKernel,
  k: number,
  lanes: number,
): Record<string, number | boolean> {
  let { pair } = quant;
  if (quant.spread) while (pair < 16 * lanes && k % (4 * pair) === 0) pair *= 2;
  return { PAIR: pair, SPREAD: quant.spread };
}

function snippetName(type: QuantType): string {
  return `quant/${type.name.toLowerCase()}`;
}
