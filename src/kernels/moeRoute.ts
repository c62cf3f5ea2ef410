/** Host side of moeRoute.wgsl: the choice of experts. */
import type { RouteParams } from "../graph/ops.ts";
import { type KernelCall, kernel, type Place, perRow, read, write } from "./call.ts";

/** By the names of moeRoute.wgsl. */
const gates: Readonly<Record<RouteParams["gate"], string>> = {
  softmax: "GATE_SOFTMAX",
  sigmoid: "GATE_SIGMOID",
  softmaxChosen: "GATE_SOFTMAX_CHOSEN",
  none: "GATE_NONE",
};

export interface MoeRouteCall {
  readonly params: RouteParams;
  readonly x: Place;
  readonly out: Place;
  /** f32 index of the selection bias in the small buffer, or NONE. */
  readonly bias: number;
  readonly label: string;
  readonly layer: number;
}

export function moeRoute(call: MoeRouteCall): KernelCall {
  const { x, out } = call;
  const { experts, used, gate, groups, groupsUsed, normalize, scale } = call.params;
  return kernel("moeRoute", call, {
    consts: {
      EXPERTS: experts,
      USED: used,
      GROUPS: groupsUsed < groups ? groups : 1,
      GATE: gates[gate],
      NORMALIZE: normalize,
      WG: experts > 128 ? 256 : 64,
    },
    params: {
      domain: x.domain,
      x_offset: x.offset,
      x_stride: x.stride,
      out_offset: out.offset,
      out_stride: out.stride,
      bias: call.bias,
      groups_used: groupsUsed,
      scale,
    },
    bindings: [read(x.buffer), read("small"), write(out.buffer)],
    grid: perRow(1, x.domain),
    variant: `${used} of ${experts}`,
  });
}
