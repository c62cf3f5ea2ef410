/** Host side of moeSum.wgsl and moeScale.wgsl: the experts' weights on their outputs or on their input. */
import { type KernelCall, kernel, type Place, perRow, read, write } from "./call.ts";

export interface MoeSumCall {
  /** [rows][used · width]. */
  readonly x: Place;
  readonly route: Place;
  readonly residual?: Place;
  readonly out: Place;
  readonly used: number;
  readonly weighted: boolean;
  readonly label: string;
  readonly layer: number;
}

export function moeSum(call: MoeSumCall): KernelCall {
  const { x, route, residual, out, used } = call;
  return kernel("moeSum", call, {
    consts: { WEIGHTED: call.weighted, RESIDUAL: residual !== undefined },
    params: {
      width: out.width,
      used,
      domain: x.domain,
      x_offset: x.offset,
      x_stride: x.stride,
      route_offset: route.offset,
      route_stride: route.stride,
      residual_offset: residual?.offset ?? 0,
      residual_stride: residual?.stride ?? 0,
      out_offset: out.offset,
      out_stride: out.stride,
    },
    bindings: [
      read(x.buffer),
      read(route.buffer),
      read(residual?.buffer ?? x.buffer),
      write(out.buffer),
    ],
    grid: perRow(Math.ceil(out.width / 64), x.domain),
    variant: residual ? "residual" : "",
  });
}

export interface MoeScaleCall {
  /** [rows][width]. */
  readonly x: Place;
  readonly route: Place;
  /** [rows][used · width]. */
  readonly out: Place;
  readonly used: number;
  readonly label: string;
  readonly layer: number;
}

export function moeScale(call: MoeScaleCall): KernelCall {
  const { x, route, out, used } = call;
  return kernel("moeScale", call, {
    params: {
      width: x.width,
      used,
      domain: x.domain,
      x_offset: x.offset,
      x_stride: x.stride,
      route_offset: route.offset,
      route_stride: route.stride,
      out_offset: out.offset,
      out_stride: out.stride,
    },
    bindings: [read(x.buffer), read(route.buffer), write(out.buffer)],
    grid: { ...perRow(Math.ceil(x.width / 64), x.domain), z: used },
  });
}
