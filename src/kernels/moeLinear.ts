/** Host side of moeMatvec.wgsl, moeMatmul.wgsl and moeGroup.wgsl: linear maps by expert. */
import type { QuantType } from "../file/quants.ts";
import type { Activation } from "../graph/ops.ts";
import { activationNumber } from "./activation.ts";
import {
  type Binding,
  type Grid,
  type KernelCall,
  kernel,
  type Place,
  read,
  write,
} from "./call.ts";
import { lanesFor, unrolling } from "./linear.ts";
import { pairConsts, quantKernel } from "./quants.ts";
import type { LinearTuning } from "./tuning.ts";

/** Pairs of a tile of moeMatmul. */
const TILE = 32;

/** The most tiles that `pairs` pairs of rows and experts can make. */
const mostTiles = (pairs: number, experts: number): number =>
  Math.min(experts, pairs) + Math.floor(pairs / TILE);

/** 32-bit words a row that the lists of moeGroup need, whatever the number of rows. */
export const groupWidth = (used: number): number => used + 3 * (used + Math.ceil(used / TILE)) + 4;

export interface MoeGroupCall {
  readonly route: Place;
  readonly lists: Place;
  readonly experts: number;
  readonly used: number;
  /** The most rows of a step. */
  readonly rows: number;
  readonly layer: number;
}

export function moeGroup(call: MoeGroupCall): KernelCall {
  const { route, lists, experts, used } = call;
  return kernel(
    "moeGroup",
    { label: "group by expert", layer: call.layer },
    {
      consts: { EXPERTS: experts, USED: used, TILE, WG: 256 },
      params: {
        domain: route.domain,
        route_offset: route.offset,
        route_stride: route.stride,
        list_offset: lists.offset,
        max_tiles: mostTiles(call.rows * used, experts),
      },
      bindings: [read(route.buffer), write(lists.buffer)],
      grid: { x: 1, y: 1, z: 1, tile: 1, domain: route.domain },
      variant: `${used} of ${experts}`,
    },
  );
}

/** One of the matrices of a call, or the rows of it that one buffer holds. */
export interface ExpertPart {
  /** Rows of one expert, and which of them makes output 0. */
  readonly height: number;
  readonly first: number;
  /** Word in the binding where the piece begins, its first row and its number of rows, over all experts. */
  readonly base: number;
  readonly pieceFirst: number;
  readonly pieceRows: number;
  /** f32 index in the small buffer of the bias [experts][height] and of the factors [experts], or NONE. */
  readonly bias: number;
  readonly scale: number;
}

export interface MoeLinearCall {
  readonly type: QuantType;
  readonly weights: Binding;
  /** One, or gate and up. */
  readonly parts: readonly ExpertPart[];
  readonly k: number;
  /** Outputs of a pair. */
  readonly count: number;
  readonly x: Place;
  /** Whether x has a run of k for each choice. */
  readonly perExpert: boolean;
  /** The chosen experts; without it, choice c of every row is expert c. */
  readonly route?: Place;
  /** The pairs by expert. */
  readonly lists?: Place;
  /** Whether to go expert by expert, which needs `lists` or no route, not pair by pair. */
  readonly tiled: boolean;
  readonly out: Place;
  readonly experts: number;
  readonly used: number;
  /** The most rows of a step. */
  readonly rows: number;
  readonly gate?: {
    readonly kind: Activation | "swigluOai";
    readonly alpha: number;
    readonly limit: number;
  };
  readonly label: string;
  readonly layer: number;
}

export function moeLinear(call: MoeLinearCall, tuning: LinearTuning): KernelCall {
  const { x, out, route, lists, gate, k, count, experts, used, parts, tiled } = call;
  const quant = quantKernel(call.type);
  const two = (pick: (part: ExpertPart) => number): [number, number] => [
    pick(parts[0]),
    pick(parts[1] ?? parts[0]),
  ];
  const most = mostTiles(call.rows * used, experts);
  const source = lists ?? route ?? x;
  const consts: Record<string, number | boolean | string> = {
    ROUTED: route !== undefined,
    PARTS: parts.length,
    GATED: gate !== undefined,
    TAIL: k % (tiled ? 16 : 32) !== 0,
    MINIMUM: quant.minimum,
    ACT: gate ? activationNumber(gate.kind) : 99,
  };
  const lanes = lanesFor(k, tuning);
  let subgroups = false;
  if (!tiled) {
    subgroups = lanes > 1 && lanes <= tuning.subgroup;
    consts["SUBGROUPS"] = subgroups;
    consts["WG"] = tuning.threads;
    consts["LANES"] = lanes;
    consts["EXPERTS"] = experts;
    Object.assign(consts, pairConsts(quant, k, lanes), unrolling(tuning));
  }
  const perGroup = (tuning.threads / lanes) * (4 / parts.length);
  const grid = (): Grid => {
    const { domain } = x;
    const tiles = { x: Math.ceil(count / TILE), z: 1, tile: 1, domain };
    if (!tiled)
      return { x: Math.ceil(count / perGroup), y: 1, z: used, rows: "y", tile: 1, domain };
    if (lists) return { ...tiles, y: most };
    return { ...tiles, y: 1, z: used, rows: "y", tile: TILE };
  };
  return kernel(tiled ? "moeMatmul" : "moeMatvec", call, {
    snippets: [
      quant.snippet,
      ...(tiled ? [] : [subgroups ? "lib/lanes-subgroup" : "lib/lanes-shared", quant.runs]),
    ],
    consts,
    params: {
      k,
      count,
      used,
      domain: x.domain,
      x_offset: x.offset / 4,
      x_stride: x.stride / 4,
      x_choice: call.perExpert ? k / 4 : 0,
      out_offset: out.offset,
      out_stride: out.stride,
      route_offset: source.offset,
      route_stride: source.stride,
      max_tiles: most,
      alpha: gate?.alpha ?? 0,
      limit: gate?.limit ?? 0,
      heights: two((p) => p.height),
      firsts: two((p) => p.first),
      bases: two((p) => p.base),
      piece_firsts: two((p) => p.pieceFirst),
      piece_rows: two((p) => p.pieceRows),
      biases: two((p) => p.bias),
      scales: two((p) => p.scale),
    },
    bindings: [call.weights, read(x.buffer), read("small"), read(source.buffer), write(out.buffer)],
    grid: grid(),
    variant: [call.type.name, gate && "gated", !route && "by head"].filter(Boolean).join(" "),
    bytes:
      ((Math.min(call.rows * used, experts) * count * k) / call.type.elements) *
      call.type.bytes *
      parts.length,
  });
}
