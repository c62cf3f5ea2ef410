/** Host side of moeRoute.wgsl: the choice of experts. */
import type { RouteParams } from "../graph/ops.ts";
import { f, type KernelCall, type Place, perRow, read, u, write } from "./call.ts";

const gates = ["softmax", "sigmoid", "softmaxChosen", "none"] as const;

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
  return {
    kernel: "moeRoute",
    snippets: ["lib/step", "lib/activation"],
    consts: {
      EXPERTS: `${experts}u`,
      USED: `${used}u`,
      GROUPS: groupsUsed < groups ? `${groups}u` : "1u",
      GATE: `${gates.indexOf(gate)}u`,
      NORMALIZE: normalize,
      WG: `${experts > 128 ? 256 : 64}u`,
    },
    params: [
      u(x.domain),
      u(x.offset),
      u(x.stride),
      u(out.offset),
      u(out.stride),
      u(call.bias),
      u(groupsUsed),
      f(scale),
    ],
    bindings: [read(x.buffer), read("small"), write(out.buffer)],
    tables: false,
    grid: perRow(1, x.domain),
    label: call.label,
    layer: call.layer,
    variant: `${used} of ${experts}`,
    bytes: 0,
  };
}
