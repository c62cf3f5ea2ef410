/** Host side of embed.wgsl. */
import type { QuantType } from "../file/quants.ts";
import { type Binding, type KernelCall, type Place, perRow, read, u, write } from "./call.ts";
import { quantKernel } from "./quants.ts";

export interface EmbedCall {
  readonly type: QuantType;
  readonly weights: Binding;
  /** Word in the binding of the first held row, its number, and how many are held. */
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
  return {
    kernel: "embed",
    snippets: ["lib/step", ...(quant.usesTables ? ["lib/tables"] : []), quant.snippet],
    params: [
      u(call.out.width),
      u(call.base),
      u(call.first),
      u(call.rows),
      u(call.out.width),
      u(call.out.stride),
      u(["token", "position", "first"].indexOf(call.by)),
      u(call.offset),
      u(call.out.offset),
      u(call.contextLength),
    ],
    bindings: [call.weights, write(call.out.buffer), read("sampled"), write("history")],
    tables: quant.usesTables,
    grid: perRow(Math.ceil(call.out.width / 1024), 0),
    label: call.label,
    layer: -1,
    variant: call.type.name,
    bytes: (call.out.width / call.type.elements) * call.type.bytes,
  };
}
