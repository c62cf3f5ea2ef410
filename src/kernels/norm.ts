/** Host side of norm.wgsl. */
import { type KernelCall, kernel, NONE, type Place, perRow, read, write } from "./call.ts";

/** By the names of norm.wgsl. */
const kinds = { rmsNorm: "RMS_NORM", layerNorm: "LAYER_NORM", l2Norm: "L2_NORM" } as const;

export interface NormCall {
  readonly kind: keyof typeof kinds;
  readonly x: Place;
  readonly out: Place;
  readonly group: number;
  readonly eps: number;
  /** f32 indices in the small buffer, or NONE. */
  readonly weight: number;
  readonly bias: number;
  /** The weight has an entry for each element of the row, not of the group. */
  readonly perElement: boolean;
  /** What the result is added to. */
  readonly residual?: Place;
  readonly label: string;
  readonly layer: number;
}

export function norm(call: NormCall): KernelCall {
  return kernel("norm", call, {
    consts: {
      KIND: kinds[call.kind],
      RESIDUAL: call.residual !== undefined,
      WG: call.group >= 512 ? 64 : 32,
    },
    params: {
      group: call.group,
      domain: call.x.domain,
      x_offset: call.x.offset,
      x_stride: call.x.stride,
      out_offset: call.out.offset,
      out_stride: call.out.stride,
      weight: call.weight,
      bias: call.bias,
      weight_step: call.perElement ? call.group : 0,
      eps: call.eps,
      residual_offset: call.residual?.offset ?? 0,
      residual_stride: call.residual?.stride ?? 0,
    },
    bindings: [
      read(call.x.buffer),
      read("small"),
      read((call.residual ?? call.x).buffer),
      write(call.out.buffer),
    ],
    grid: perRow(call.x.width / call.group, call.x.domain),
    variant: [call.kind, call.weight === NONE && "plain", call.residual && "residual"]
      .filter(Boolean)
      .join(" "),
  });
}
