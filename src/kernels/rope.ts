/** Host side of rope.wgsl. */
import { type KernelCall, kernel, type Place, perRow, read, write } from "./call.ts";

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
  return kernel("rope", call, {
    consts: { NEOX: call.style === "neox", WG: 32 },
    params: {
      head_width: call.headWidth,
      start: call.start,
      half: call.rotated / 2,
      domain: call.x.domain,
      x_offset: call.x.offset,
      x_stride: call.x.stride,
      out_offset: call.out.offset,
      out_stride: call.out.stride,
      angles: call.angles,
    },
    bindings: [read(call.x.buffer), read("angles"), write(call.out.buffer)],
    grid: perRow(call.x.width / call.headWidth, call.x.domain),
    variant: call.style,
  });
}
