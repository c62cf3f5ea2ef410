/** Host side of dot.wgsl: products of runs. */
import { type KernelCall, kernel, type Place, perRow, read, write } from "./call.ts";

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
  return kernel("dot", call, {
    params: {
      count: out.width,
      group: call.group,
      domain: a.domain,
      a_offset: a.offset,
      a_stride: a.stride,
      b_offset: b.offset,
      b_stride: b.stride,
      out_offset: out.offset,
      out_stride: out.stride,
    },
    bindings: [read(a.buffer), read(b.buffer), write(out.buffer)],
    grid: perRow(Math.ceil(out.width / 64), a.domain),
  });
}
