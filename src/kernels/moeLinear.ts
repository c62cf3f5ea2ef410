/** Host side of moeMatvec.wgsl, moeMatmul.wgsl and moeGroup.wgsl: linear maps by expert. */
import type { QuantType } from "../file/quants.ts";
import type { Activation } from "../graph/ops.ts";
import { activationNumber } from "./activation.ts";
import { type Binding, f, type Grid, type KernelCall, type Place, read, u, write } from "./call.ts";
import { lanesFor } from "./linear.ts";
import { quantKernel } from "./quants.ts";
import type { LinearTuning } from "./tuning.ts";

/** Pairs of a tile of moeMatmul. */
const TILE = 32;

/** Tiles that `pairs` pairs of rows and experts make at the most. */
const mostTiles = (pairs: number, experts: number): number =>
  Math.min(experts, pairs) + Math.floor(pairs / TILE);

/** 32-bit words a row that the lists of moeGroup need, whatever the number of rows. */
export const groupWidth = (used: number): number => used + 3 * (used + Math.ceil(used / TILE)) + 4;

export interface MoeGroupCall {
  readonly route: Place;
  readonly lists: Place;
  readonly experts: number;
  readonly used: number;
  /** Rows at the most. */
  readonly rows: number;
  readonly layer: number;
}

export function moeGroup(call: MoeGroupCall): KernelCall {
  const { route, lists, experts, used } = call;
  return {
    kernel: "moeGroup",
    snippets: ["lib/step"],
    consts: { EXPERTS: `${experts}u`, USED: `${used}u`, TILE: `${TILE}u`, WG: "256u" },
    params: [
      u(route.domain),
      u(route.offset),
      u(route.stride),
      u(lists.offset),
      u(mostTiles(call.rows * used, experts)),
    ],
    bindings: [read(route.buffer), write(lists.buffer)],
    tables: false,
    grid: { x: 1, y: 1, z: 1, tile: 1, domain: route.domain },
    label: "group by expert",
    layer: call.layer,
    variant: `${used} of ${experts}`,
    bytes: 0,
  };
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
  /** Rows at the most. */
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
  const two = (pick: (part: ExpertPart) => number) => [
    u(pick(parts[0])),
    u(pick(parts[1] ?? parts[0])),
  ];
  const most = mostTiles(call.rows * used, experts);
  const source = lists ?? route ?? x;
  const consts: Record<string, number | boolean | string> = {
    ROUTED: route !== undefined,
    PARTS: `${parts.length}u`,
    GATED: gate !== undefined,
    TAIL: k % (tiled ? 16 : 32) !== 0,
    MINIMUM: quant.minimum,
    ACT: `${gate ? activationNumber(gate.kind) : 99}u`,
  };
  const lanes = lanesFor(k, tuning);
  let subgroups = false;
  if (!tiled) {
    subgroups = lanes > 1 && lanes <= tuning.subgroup;
    consts["SUBGROUPS"] = subgroups;
    consts["WG"] = `${tuning.threads}u`;
    consts["LANES"] = `${lanes}u`;
    consts["EXPERTS"] = `${experts}u`;
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
  return {
    kernel: tiled ? "moeMatmul" : "moeMatvec",
    snippets: [
      "lib/step",
      ...(quant.usesTables ? ["lib/tables"] : []),
      quant.snippet,
      "lib/activation",
      ...(tiled ? [] : [subgroups ? "lib/lanes_subgroup" : "lib/lanes_shared", quant.runs]),
    ],
    ...(subgroups && { enables: ["subgroups"] }),
    consts,
    params: [
      u(k),
      u(count),
      u(used),
      u(x.domain),
      u(x.offset / 4),
      u(x.stride / 4),
      u(call.perExpert ? k / 4 : 0),
      u(out.offset),
      u(out.stride),
      u(source.offset),
      u(source.stride),
      u(most),
      f(gate?.alpha ?? 0),
      f(gate?.limit ?? 0),
      ...two((p) => p.height),
      ...two((p) => p.first),
      ...two((p) => p.base),
      ...two((p) => p.pieceFirst),
      ...two((p) => p.pieceRows),
      ...two((p) => p.bias),
      ...two((p) => p.scale),
    ],
    bindings: [call.weights, read(x.buffer), read("small"), read(source.buffer), write(out.buffer)],
    tables: quant.usesTables,
    grid: grid(),
    label: call.label,
    layer: call.layer,
    variant: [call.type.name, gate && "gated", !route && "by head"].filter(Boolean).join(" "),
    bytes:
      ((Math.min(call.rows * used, experts) * count * k) / call.type.elements) *
      call.type.bytes *
      parts.length,
  };
}
