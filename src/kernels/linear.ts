/** Host side of matvec.wgsl (1 to 8 rows), matmul.wgsl and matmulInt8.wgsl (many rows). */

import type { QuantType } from "../file/quants.ts";
import type { Activation } from "../graph/ops.ts";
import { activationNumber } from "./activation.ts";
import {
  type Binding,
  f,
  folded,
  type Grid,
  type KernelCall,
  NONE,
  type Place,
  read,
  u,
  write,
} from "./call.ts";
import { quantKernel } from "./quants.ts";
import type { LinearTuning } from "./tuning.ts";

/** One weight of a group, or the rows of it that one binding holds. */
export interface LinearSegment {
  /** Word in the binding of the first row that the binding holds. */
  readonly base: number;
  /** Output (of the whole group) that this row makes. */
  readonly start: number;
  /** One past the last output of the segment. */
  readonly end: number;
  /** f32 index in the small buffer of the bias of output `start`, or NONE. */
  readonly bias: number;
}

export interface LinearCall {
  readonly type: QuantType;
  readonly weights: Binding;
  readonly segments: readonly LinearSegment[];
  /** Input width. */
  readonly k: number;
  /** Outputs [first, first + count) of the group are made by this dispatch. */
  readonly first: number;
  readonly count: number;
  readonly x: Place;
  /** Whether x is signed bytes as quantize.wgsl makes them; not all types can ({@link hasInt8}). */
  readonly int8?: boolean;
  readonly out: Place;
  readonly residual?: Place;
  /** f32 index of the norm weight in the small buffer, and eps. */
  readonly norm?: { readonly weight: number; readonly eps: number };
  readonly gate?: {
    readonly kind: Activation | "swigluOai";
    readonly alpha: number;
    readonly limit: number;
  };
  readonly scale: number;
  readonly label: string;
  readonly layer: number;
}

/** Rows a step may have for the mat-vec kernel to be used. */
export const MATVEC_ROWS = 8;

/** Lanes without 32 columns would idle; the count depends on k alone, so that sums never change. */
export function lanesFor(k: number, tuning: LinearTuning): number {
  let { lanes } = tuning;
  while (lanes > 1 && lanes * 32 > k) lanes /= 2;
  return lanes;
}

export function linear(call: LinearCall, rows: number, tuning: LinearTuning): KernelCall {
  const quant = quantKernel(call.type);
  const matvec = rows <= MATVEC_ROWS;
  const gated = call.gate !== undefined;
  const segments = [...call.segments];
  const four = (pick: (s: LinearSegment) => number, fill: number): { u: number }[] =>
    [0, 1, 2, 3].map((i) => ({ u: segments[i] ? pick(segments[i]) : fill }));
  const consts: Record<string, number | boolean | string> = {
    PARTS: gated ? "2u" : "1u",
    GATED: gated,
    RESIDUAL: call.residual !== undefined,
    TAIL: call.k % (matvec ? 32 : 16) !== 0,
    MINIMUM: quant.minimum,
    ACT: `${call.gate ? activationNumber(call.gate.kind) : 99}u`,
  };
  let grid: Grid;
  let subgroups = false;
  if (matvec) {
    const lanes = lanesFor(call.k, tuning);
    subgroups = lanes > 1 && lanes <= tuning.subgroup;
    consts["SUBGROUPS"] = subgroups;
    consts["NORM"] = call.norm !== undefined;
    consts["WG"] = `${tuning.threads}u`;
    consts["LANES"] = `${lanes}u`;
    const weightRows = rows === 1 ? tuning.weightRows : 4;
    consts["WEIGHT_ROWS"] = `${weightRows}u`;
    consts["ROWS"] = `${rows === 1 ? 1 : MATVEC_ROWS}u`;
    const perGroup = (tuning.threads / lanes) * (weightRows / (gated ? 2 : 1));
    grid = { ...folded(Math.ceil(call.count / perGroup)), z: 1, tile: 1, domain: call.x.domain };
  } else {
    const { tile } = tuning;
    consts["TILE_Y"] = `${tile / 8}u`;
    const outputs = 4096 / tile / (gated ? 2 : 1);
    const x = Math.ceil(call.count / outputs);
    grid = { x, y: 1, z: 1, rows: "y", tile, domain: call.x.domain };
  }
  return {
    kernel: matvec ? "matvec" : call.int8 ? "matmulInt8" : "matmul",
    snippets: [
      "lib/step",
      ...(quant.usesTables ? ["lib/tables"] : []),
      quant.snippet,
      "lib/activation",
      call.residual ? "lib/residual" : "lib/no_residual",
      ...(matvec
        ? [
            subgroups ? "lib/lanes_subgroup" : "lib/lanes_shared",
            ...(call.int8 ? ["lib/products_i8"] : [quant.runs, "lib/products_f32"]),
          ]
        : []),
    ],
    ...(subgroups && { enables: ["subgroups"] }),
    consts,
    params: [
      u(call.k),
      u(segments.at(-1)!.end),
      u(call.first),
      u(call.count),
      u(call.x.domain),
      u(call.x.offset / 4),
      u(call.x.stride / 4),
      u(call.out.offset),
      u(call.out.stride),
      u(call.residual?.offset ?? 0),
      u(call.residual?.stride ?? 0),
      u(call.norm ? call.norm.weight / 4 : NONE),
      f(call.norm?.eps ?? 0),
      f(call.scale),
      f(call.gate?.alpha ?? 0),
      f(call.gate?.limit ?? 0),
      ...four((s) => s.end, NONE),
      ...four((s) => s.base, 0),
      ...four((s) => s.start, 0),
      ...four((s) => s.bias, NONE),
    ],
    bindings: [
      call.weights,
      read(call.x.buffer),
      read("small"),
      write(call.out.buffer),
      ...(call.residual ? [read(call.residual.buffer)] : []),
    ],
    tables: quant.usesTables,
    grid,
    label: call.label,
    layer: call.layer,
    variant: [
      call.type.name,
      call.norm && "norm",
      gated && "gated",
      call.residual && "residual",
      call.int8 && "int8",
    ]
      .filter(Boolean)
      .join(" "),
    bytes: ((call.count * call.k) / call.type.elements) * call.type.bytes * (gated ? 2 : 1),
  };
}
