/** Host side of conv.wgsl: causal depthwise convolution. */
import { type KernelCall, type Place, perRow, u } from "./call.ts";
import { Inputs, type StateCall } from "./inputs.ts";

export interface ConvCall extends StateCall {
  readonly x: Place;
  /** f32 indices in the small buffer; a bias may be NONE. */
  readonly weight: number;
  readonly bias: number;
  readonly kernel: number;
}

export function conv(call: ConvCall): KernelCall {
  const { x, out, state } = call;
  const inputs = new Inputs();
  return {
    kernel: "conv",
    snippets: [],
    consts: { K: `${call.kernel}u` },
    params: [
      u(x.width),
      u(out.offset),
      u(out.stride),
      u(state.offset),
      u(state.size),
      u(0),
      u(0),
      u(0),
      ...inputs.source(x),
      ...inputs.source(call.weight),
      ...inputs.source(call.bias),
    ],
    bindings: inputs.bindings(call),
    tables: false,
    grid: perRow(Math.ceil(x.width / 64), x.domain),
    label: call.label,
    layer: call.layer,
    variant: `${call.kernel}`,
    bytes: 8 * (call.kernel - 1) * x.width,
  };
}
