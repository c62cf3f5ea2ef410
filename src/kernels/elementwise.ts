/** Host side of elementwise.wgsl. */
import { f, type KernelCall, type Place, perRow, read, u, write } from "./call.ts";

/** In the order of the kernel's `kind`; one pipeline does them all. */
const kinds = [
  "add",
  "mul",
  "scale",
  "clamp",
  "activation",
  "softcap",
  "gated",
  "positionScale",
  "xielu",
] as const;

export interface ElementwiseCall {
  readonly kind: (typeof kinds)[number];
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
  const constants = [0, 1, 2, 3].map((i) => f(call.constants?.[i] ?? 0));
  return {
    kernel: "elementwise",
    snippets: ["lib/step", "lib/activation"],
    params: [
      u(a.width),
      u(a.domain),
      u(a.offset),
      u(a.stride),
      u(b?.offset ?? 0),
      u(b?.stride ?? 0),
      u(out.offset),
      u(out.stride),
      u(call.repeat ?? 1),
      u(b?.period ?? 1),
      u(kinds.indexOf(call.kind)),
      u(call.act ?? 0),
      ...constants,
    ],
    bindings: [read(a.buffer), read(b?.buffer ?? "small"), write(out.buffer)],
    tables: false,
    grid: perRow(Math.ceil(a.width / 64), a.domain),
    label: call.label,
    layer: call.layer,
    variant: call.kind,
    bytes: 0,
  };
}
