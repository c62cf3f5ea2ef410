/** Host side of dot.wgsl: products of runs. */
import { type KernelCall, type Place, perRow, read, u, write } from "./call.ts";

export interface DotCall {
  readonly a: Place;
  readonly b: Place;
  /** One element a run. */
  readonly out: Place;
  readonly group: number;
  readonly label: string;
  readonly layer: number;
}

export function dot(call: DotCall): KernelCall {
  const { a, b, out } = call;
  return {
    kernel: "dot",
    snippets: ["lib/step"],
    params: [
      u(out.width),
      u(call.group),
      u(a.domain),
      u(a.offset),
      u(a.stride),
      u(b.offset),
      u(b.stride),
      u(out.offset),
      u(out.stride),
    ],
    bindings: [read(a.buffer), read(b.buffer), write(out.buffer)],
    tables: false,
    grid: perRow(Math.ceil(out.width / 64), a.domain),
    label: call.label,
    layer: call.layer,
    variant: "",
    bytes: 0,
  };
}
