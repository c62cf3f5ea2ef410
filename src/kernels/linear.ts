/** Host side of matvec.wgsl (1 to 8 rows), matmul.wgsl and matmulInt8.wgsl (many rows). */

import type { QuantType } from "../file/quants.ts";
import type { Activation } from "../graph/ops.ts";
import { SMALL_ROWS } from "../graph/requests.ts";
import { activationNumber } from "./activation.ts";
import {
  type Binding,
  folded,
  type Grid,
  type KernelCall,
  kernel,
  NONE,
  type Place,
  read,
  write,
} from "./call.ts";
import { pairConsts, quantKernel } from "./quants.ts";
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

/** What the linker is told: absent where loops stay, so that variants have few constants. */
export const unrolling = ({ unroll }: LinearTuning): { UNROLL?: true } =>
  unroll ? { UNROLL: true } : {};

/** Lanes without 32 columns would idle; the count depends on k alone, so that sums never change. */
export function lanesFor(k: number, tuning: LinearTuning): number {
  let { lanes } = tuning;
  while (lanes > 1 && lanes * 32 > k) lanes /= 2;
  return lanes;
}

export function linear(call: LinearCall, rows: number, tuning: LinearTuning): KernelCall {
  const quant = quantKernel(call.type);
  const matvec = rows <= SMALL_ROWS;
  const gated = call.gate !== undefined;
  const four = (
    pick: (s: LinearSegment) => number,
    fill: number,
  ): [number, number, number, number] => {
    const at = (i: number): number => (call.segments[i] ? pick(call.segments[i]) : fill);
    return [at(0), at(1), at(2), at(3)];
  };
  const consts: Record<string, number | boolean | string> = {
    PARTS: gated ? 2 : 1,
    GATED: gated,
    RESIDUAL: call.residual !== undefined,
    TAIL: call.k % (matvec ? 32 : 16) !== 0,
    MINIMUM: quant.minimum,
    ACT: call.gate ? activationNumber(call.gate.kind) : 99,
  };
  let grid: Grid;
  let subgroups = false;
  if (matvec) {
    const lanes = lanesFor(call.k, tuning);
    subgroups = lanes > 1 && lanes <= tuning.subgroup;
    consts["SUBGROUPS"] = subgroups;
    consts["NORM"] = call.norm !== undefined;
    consts["WG"] = tuning.threads;
    consts["LANES"] = lanes;
    const weightRows = rows === 1 ? tuning.weightRows : tuning.batchWeightRows;
    consts["WEIGHT_ROWS"] = weightRows;
    consts["ROWS"] = rows === 1 ? 1 : SMALL_ROWS;
    Object.assign(consts, pairConsts(quant, call.k, lanes), unrolling(tuning));
    const perGroup = (tuning.threads / lanes) * (weightRows / (gated ? 2 : 1));
    grid = { ...folded(Math.ceil(call.count / perGroup)), z: 1, tile: 1, domain: call.x.domain };
  } else {
    const { tile } = tuning;
    Object.assign(consts, { TILE_Y: tile / 8 }, unrolling(tuning));
    if (call.int8) Object.assign(consts, pairConsts(quant, 0, 1));
    const outputs = 4096 / tile / (gated ? 2 : 1);
    const x = Math.ceil(call.count / outputs);
    grid = { x, y: 1, z: 1, rows: "y", tile, domain: call.x.domain };
  }
  const { x, out, residual, norm, gate } = call;
  return kernel(matvec ? "matvec" : call.int8 ? "matmulInt8" : "matmul", call, {
    snippets: [
      quant.snippet,
      residual ? "lib/residual" : "lib/no-residual",
      ...(matvec
        ? [
            subgroups ? "lib/lanes-subgroup" : "lib/lanes-shared",
            ...(call.int8
              ? ["lib/products-i8"]
              : [
                  quant.runs,
                  rows > 1 && tuning.unroll ? "lib/products-quarters" : "lib/products-f32",
                ]),
          ]
        : []),
    ],
    consts,
    params: {
      k: call.k,
      first: call.first,
      count: call.count,
      domain: x.domain,
      x_offset: x.offset / 4,
      x_stride: x.stride / 4,
      out_offset: out.offset,
      out_stride: out.stride,
      residual_offset: residual?.offset ?? 0,
      residual_stride: residual?.stride ?? 0,
      norm: norm ? norm.weight / 4 : NONE,
      eps: norm?.eps ?? 0,
      scale: call.scale,
      alpha: gate?.alpha ?? 0,
      limit: gate?.limit ?? 0,
      ends: four((s) => s.end, NONE),
      bases: four((s) => s.base, 0),
      starts: four((s) => s.start, 0),
      biases: four((s) => s.bias, NONE),
    },
    bindings: [
      call.weights,
      read(x.buffer),
      read("small"),
      write(out.buffer),
      ...(residual ? [read(residual.buffer)] : []),
    ],
    grid,
    variant: [
      call.type.name,
      norm && "norm",
      gated && "gated",
      residual && "residual",
      call.int8 && "int8",
    ]
      .filter(Boolean)
      .join(" "),
    bytes: ((call.count * call.k) / call.type.elements) * call.type.bytes * (gated ? 2 : 1),
  });
}
