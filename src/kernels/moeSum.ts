/** Host side of moeSum.wgsl and moeScale.wgsl: the experts' weights on their outputs or on their input. */
import { type KernelCall, type Place, perRow, read, u, write } from "./call.ts";

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
  return {
    kernel: "moeSum",
    snippets: ["lib/step"],
    consts: { WEIGHTED: call.weighted, RESIDUAL: residual !== undefined },
    params: [
      u(out.width),
      u(used),
      u(x.domain),
      u(x.offset),
      u(x.stride),
      u(route.offset),
      u(route.stride),
      u(residual?.offset ?? 0),
      u(residual?.stride ?? 0),
      u(out.offset),
      u(out.stride),
    ],
    bindings: [
      read(x.buffer),
      read(route.buffer),
      read(residual?.buffer ?? x.buffer),
      write(out.buffer),
    ],
    tables: false,
    grid: perRow(Math.ceil(out.width / 64), x.domain),
    label: call.label,
    layer: call.layer,
    variant: residual ? "residual" : "",
    bytes: 0,
  };
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
  return {
    kernel: "moeScale",
    snippets: ["lib/step"],
    params: [
      u(x.width),
      u(used),
      u(x.domain),
      u(x.offset),
      u(x.stride),
      u(route.offset),
      u(route.stride),
      u(out.offset),
      u(out.stride),
    ],
    bindings: [read(x.buffer), read(route.buffer), write(out.buffer)],
    tables: false,
    grid: { ...perRow(Math.ceil(x.width / 64), x.domain), z: used },
    label: call.label,
    layer: call.layer,
    variant: "",
    bytes: 0,
  };
}
