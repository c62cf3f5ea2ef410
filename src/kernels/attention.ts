/** Host side of attention.wgsl and attentionReduce.wgsl. */

import { f, type Grid, type KernelCall, type Place, perRow, read, u, write } from "./call.ts";
import type { SlotLayout } from "./slot.ts";

export interface AttentionCall {
  readonly slot: SlotLayout;
  readonly q: Place;
  readonly out: Place;
  /** Room for the splits' results: [rows][heads][splits][4 + value width]; needed when splits > 1. */
  readonly scratch?: Place;
  readonly splits: number;
  /** Positions of a tile that a thread scores; several rows at a time have their own number. */
  readonly positions: number;
  /** Several rows at a time (prefill); takes no splits. */
  readonly tiled: boolean;
  readonly heads: number;
  readonly scale: number;
  readonly softcap: number;
  readonly window: number;
  readonly windowKind: "sliding" | "chunked" | "symmetric";
  /** f32 indices in the small buffer, or NONE. */
  readonly sinks: number;
  readonly slopes: number;
  readonly label: string;
  readonly layer: number;
}

/** Floats that one row needs of the scratch. */
export const scratchWidth = (heads: number, splits: number, valueWidth: number): number =>
  heads * splits * (valueWidth + 4);

/** Rows of a tile in attentionTile.wgsl. */
const TILE_ROWS = 8;

/** Whether the queries of a tile fit workgroup memory (half of the 16 KiB that every device has). */
export const fitsTile = (keyWidth: number): boolean => TILE_ROWS * keyWidth * 4 <= 8192;

export function attention(call: AttentionCall): KernelCall[] {
  const { slot, q, out, scratch, splits, heads, tiled } = call;
  const window = `${["sliding", "chunked", "symmetric"].indexOf(call.windowKind)}u`;
  const grid: Grid = tiled
    ? { x: 1, y: heads, z: 1, rows: "x", tile: TILE_ROWS, domain: 0 }
    : { x: splits, y: heads, z: 1, rows: "z", tile: 1, domain: 0 };
  const columns = slot.valueWidth / 4;
  const common = { tables: false, layer: call.layer, bytes: 0 };
  const target = splits > 1 ? scratch! : out;
  const calls: KernelCall[] = [
    {
      ...common,
      kernel: tiled ? "attentionTile" : "attention",
      snippets: ["lib/step", "lib/cache", "lib/kv_load", "lib/attention_range"],
      consts: {
        ...slot.consts,
        WINDOW: window,
        ...(tiled
          ? { ROW_SHARE: `${Math.ceil(TILE_ROWS / Math.floor(64 / Math.min(columns, 64)))}u` }
          : { SPLITS: `${splits}u`, POSITIONS: `${call.positions}u` }),
        KEY4: `${slot.keyWidth / 4}u`,
        VALUE_LANES: `${Math.ceil(slot.valueWidth / 256)}u`,
        VALUE_STEP: `${slot.valueIsKeyPrefix ? slot.keyWidth : slot.valueWidth}u`,
      },
      params: [
        u(heads),
        u(heads / slot.heads),
        u(slot.keyWidth),
        u(slot.valueWidth),
        u(0),
        u(q.offset),
        u(q.stride),
        u(out.offset),
        u(out.stride),
        u(slot.rowWords),
        u(slot.valueIsKeyPrefix ? 0 : slot.valueWord),
        u(call.window),
        u(call.sinks),
        u(call.slopes),
        f(call.scale),
        f(call.softcap),
      ],
      bindings: [
        read(q.buffer),
        read(slot.buffer),
        read("small"),
        write(target.buffer, 4 * (splits > 1 ? target.offset : 0)),
      ],
      grid,
      label: call.label,
      variant: tiled ? slot.typeName : `${slot.typeName} ${splits} splits`,
    },
  ];
  if (splits > 1) {
    calls.push({
      ...common,
      kernel: "attentionReduce",
      snippets: ["lib/step"],
      consts: { SPLITS: `${splits}u` },
      params: [u(heads), u(slot.valueWidth), u(0), u(out.offset), u(out.stride), u(call.sinks)],
      bindings: [read(scratch!.buffer, 4 * scratch!.offset), read("small"), write(out.buffer)],
      grid: perRow(heads, 0),
      label: `${call.label} reduce`,
      variant: `${splits} splits`,
    });
  }
  return calls;
}

/** ALiBi slopes of `heads` heads (Press et al. 2021; for counts that are no power of two as ggml does). */
export function alibiSlopes(heads: number, maxBias: number): Float32Array {
  const power = 2 ** Math.floor(Math.log2(heads));
  const m0 = 2 ** (-maxBias / power);
  const m1 = 2 ** (-maxBias / 2 / power);
  return Float32Array.from({ length: heads }, (_, h) =>
    h < power ? m0 ** (h + 1) : m1 ** (2 * (h - power) + 1),
  );
}
