/** Host side of rope.wgsl. */
import { type KernelCall, type Place, perRow, read, u, write } from "./call.ts";

export interface RopeCall {
  readonly x: Place;
  readonly out: Place;
  readonly headWidth: number;
  readonly start: number;
  readonly rotated: number;
  readonly style: "norm" | "neox";
  /** First entry of the table in the angles buffer, in (cos, sin) pairs. */
  readonly angles: number;
  readonly label: string;
  readonly layer: number;
}

export function rope(call: RopeCall): KernelCall {
  return {
    kernel: "rope",
    snippets: ["lib/step"],
    consts: { NEOX: call.style === "neox", WG: "32u" },
    params: [
      u(call.headWidth),
      u(call.start),
      u(call.rotated / 2),
      u(call.x.domain),
      u(call.x.offset),
      u(call.x.stride),
      u(call.out.offset),
      u(call.out.stride),
      u(call.angles),
    ],
    bindings: [read(call.x.buffer), read("angles"), write(call.out.buffer)],
    tables: false,
    grid: perRow(call.x.width / call.headWidth, call.x.domain),
    label: call.label,
    layer: call.layer,
    variant: call.style,
    bytes: 0,
  };
}
