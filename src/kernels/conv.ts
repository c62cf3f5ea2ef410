/** Host side of conv.wgsl: causal depthwise convolution. */
import { type KernelCall, kernel, type Place, perRow } from "./call.ts";
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
  return kernel("conv", call, {
    consts: { K: call.kernel },
    params: {
      width: x.width,
      out_offset: out.offset,
      out_stride: out.stride,
      state_offset: state.offset,
      state_size: state.size,
      x: inputs.source(x),
      weight: inputs.source(call.weight),
      bias: inputs.source(call.bias),
    },
    bindings: inputs.bindings(call),
    grid: perRow(Math.ceil(x.width / 64), x.domain),
    variant: `${call.kernel}`,
    bytes: 8 * (call.kernel - 1) * x.width,
  });
}
