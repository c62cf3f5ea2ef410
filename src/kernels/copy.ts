/** Host side of copy.wgsl: slices, concatenations, and the choice of output rows. */
import { type KernelCall, type Place, perRow, read, u, write } from "./call.ts";

export interface CopyCall {
  readonly x: Place;
  readonly out: Place;
  /** Elements of a run that move, runs, and where runs begin (f32, relative to the place). */
  readonly width: number;
  readonly groups: number;
  readonly from: number;
  readonly fromRun: number;
  readonly to: number;
  readonly toRun: number;
  readonly select: boolean;
  readonly label: string;
  readonly layer: number;
}

export function copy(call: CopyCall): KernelCall {
  return {
    kernel: "copy",
    snippets: ["lib/step"],
    consts: { SELECT: call.select },
    params: [
      u(call.width),
      u(call.groups),
      u(call.out.domain),
      u(call.x.offset + call.from),
      u(call.x.stride),
      u(call.fromRun),
      u(call.out.offset + call.to),
      u(call.out.stride),
      u(call.toRun),
    ],
    bindings: [read(call.x.buffer), write(call.out.buffer)],
    tables: false,
    grid: perRow(Math.ceil((call.width * call.groups) / 64), call.out.domain),
    label: call.label,
    layer: call.layer,
    variant: call.select ? "select" : "",
    bytes: 0,
  };
}
