/** Host side of shift.wgsl: each row becomes the one before it. */
import { type KernelCall, type Place, perRow, u } from "./call.ts";
import { Inputs, type StateCall } from "./inputs.ts";

export interface ShiftCall extends StateCall {
  readonly x: Place;
}

export function shift(call: ShiftCall): KernelCall {
  const { x, out, state } = call;
  const inputs = new Inputs();
  return {
    kernel: "shift",
    snippets: [],
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
    ],
    bindings: inputs.bindings(call),
    tables: false,
    grid: perRow(Math.ceil(x.width / 64), x.domain),
    label: call.label,
    layer: call.layer,
    variant: "",
    bytes: 8 * x.width,
  };
}
