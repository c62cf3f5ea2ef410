/** Host side of embed.wgsl. */
import type { QuantType } from "../file/quants.ts";
import { type Binding, type KernelCall, kernel, type Place, perRow, read, write } from "./call.ts";
import { quantKernel } from "./quants.ts";

export interface EmbedCall {
  readonly type: QuantType;
  readonly weights: Binding;
  /** The rows of the table that the binding holds: the word of the first, its number, and how many. */
  readonly base: number;
  readonly first: number;
  readonly rows: number;
  readonly by: "token" | "position" | "first";
  readonly offset: number;
  readonly out: Place;
  /** Words of a sequence's history. */
  readonly contextLength: number;
  readonly label: string;
}

export function embed(call: EmbedCall): KernelCall {
  const quant = quantKernel(call.type);
  return kernel("embed", call.label, {
    snippets: [quant.snippet],
    params: {
      width: call.out.width,
      base: call.base,
      first_row: call.first,
      row_count: call.rows,
      out_stride: call.out.stride,
      by: ["token", "position", "first"].indexOf(call.by),
      offset: call.offset,
      out_offset: call.out.offset,
      context: call.contextLength,
    },
    bindings: [call.weights, write(call.out.buffer), read("sampled"), write("history")],
    grid: perRow(Math.ceil(call.out.width / 1024), 0),
    variant: call.type.name,
    bytes: (call.out.width / call.type.elements) * call.type.bytes,
  });
}
