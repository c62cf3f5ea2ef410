/** Host side of elementwise.wgsl. */
import { type KernelCall, kernel, type Place, perRow, read, write } from "./call.ts";
import { type ElementwiseKind, elementwiseKinds } from "./elementwise-kinds.ts";

export interface ElementwiseCall {
  readonly kind: ElementwiseKind;
  readonly a: Place;
  /** Second operand: a value, or `small` with stride 0. */
  readonly b?: {
    readonly buffer: string;
    readonly offset: number;
    readonly stride: number;
    readonly period: number;
  };
  /** Elements of a that one element of b covers. */
  readonly repeat?: number;
  readonly out: Place;
  /** Number of an activation. */
  readonly act?: number;
  readonly constants?: readonly number[];
  readonly label: string;
  readonly layer: number;
}

export function elementwise(call: ElementwiseCall): KernelCall {
  const { a, b, out } = call;
  const c = (i: number): number => call.constants?.[i] ?? 0;
  return kernel("elementwise", call, {
    params: {
      width: a.width,
      domain: a.domain,
      a_offset: a.offset,
      a_stride: a.stride,
      b_offset: b?.offset ?? 0,
      b_stride: b?.stride ?? 0,
      out_offset: out.offset,
      out_stride: out.stride,
      repeat: call.repeat ?? 1,
      period: b?.period ?? 1,
      kind: elementwiseKinds.indexOf(call.kind),
      act: call.act ?? 0,
      c: [c(0), c(1), c(2), c(3)],
    },
    bindings: [read(a.buffer), read(b?.buffer ?? "small"), write(out.buffer)],
    grid: perRow(Math.ceil(a.width / 64), a.domain),
    variant: call.kind,
  });
}
