/** Host side of copy.wgsl: slices, concatenations, and the choice of output rows. */
import { type KernelCall, kernel, type Place, perRow, read, write } from "./call.ts";

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
  return kernel("copy", call, {
    consts: { SELECT: call.select },
    params: {
      width: call.width,
      groups: call.groups,
      domain: call.out.domain,
      x_offset: call.x.offset + call.from,
      x_stride: call.x.stride,
      x_run: call.fromRun,
      out_offset: call.out.offset + call.to,
      out_stride: call.out.stride,
      out_run: call.toRun,
    },
    bindings: [read(call.x.buffer), write(call.out.buffer)],
    grid: perRow(Math.ceil((call.width * call.groups) / 64), call.out.domain),
    variant: call.select ? "select" : "",
  });
}
