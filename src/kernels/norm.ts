/** Host side of norm.wgsl. */
import { f, type KernelCall, NONE, type Place, perRow, read, u, write } from "./call.ts";

export interface NormCall {
  readonly kind: "rmsNorm" | "layerNorm" | "l2Norm";
  readonly x: Place;
  readonly out: Place;
  readonly group: number;
  readonly eps: number;
  /** f32 indices in the small buffer, or NONE. */
  readonly weight: number;
  readonly bias: number;
  /** The weight has an entry for each element of the row, not of the group. */
  readonly perElement: boolean;
  /** What the result is added to. */
  readonly residual?: Place;
  readonly label: string;
  readonly layer: number;
}

export function norm(call: NormCall): KernelCall {
  return {
    kernel: "norm",
    snippets: ["lib/step"],
    consts: {
      KIND: `${["rmsNorm", "layerNorm", "l2Norm"].indexOf(call.kind)}u`,
      RESIDUAL: call.residual !== undefined,
      WG: call.group >= 512 ? "64u" : "32u",
    },
    params: [
      u(call.group),
      u(call.x.domain),
      u(call.x.offset),
      u(call.x.stride),
      u(call.out.offset),
      u(call.out.stride),
      u(call.weight),
      u(call.bias),
      u(call.perElement ? call.group : 0),
      f(call.eps),
      u(call.residual?.offset ?? 0),
      u(call.residual?.stride ?? 0),
    ],
    bindings: [
      read(call.x.buffer),
      read("small"),
      read((call.residual ?? call.x).buffer),
      write(call.out.buffer),
    ],
    tables: false,
    grid: perRow(call.x.width / call.group, call.x.domain),
    label: call.label,
    layer: call.layer,
    variant: [call.kind, call.weight === NONE && "plain", call.residual && "residual"]
      .filter(Boolean)
      .join(" "),
    bytes: 0,
  };
}
