/** Host side of shift.wgsl: each row becomes the one before it. */
import { type KernelCall, kernel, type Place, perRow } from "./call.ts";
import { Inputs, type StateCall } from "./inputs.ts";

export interface ShiftCall extends StateCall {
  readonly x: Place;
}

export function shift(call: ShiftCall): KernelCall {
  const { x, out, state } = call;
  const inputs = new Inputs();
  return kernel("shift", call, {
    params: {
      width: x.width,
      out_offset: out.offset,
      out_stride: out.stride,
      state_offset: state.offset,
      state_size: state.size,
      x: inputs.source(x),
    },
    bindings: inputs.bindings(call),
    grid: perRow(Math.ceil(x.width / 64), x.domain),
    bytes: 8 * x.width,
  });
}
