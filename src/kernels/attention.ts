/** Host side of attention.wgsl and attentionReduce.wgsl. */

import {
  ALL_ROWS,
  type Grid,
  type KernelCall,
  kernel,
  NONE,
  type Place,
  perRow,
  read,
  write,
} from "./call.ts";
import type { RopeStoreCall } from "./ropeStore.ts";
import { kvQuads, type SlotLayout } from "./slot.ts";

export interface AttentionCall {
  readonly slot: SlotLayout;
  readonly q: Place;
  readonly out: Place;
  /** Room for the splits' results: [rows][heads][splits][4 + value width]; needed when splits > 1. */
  readonly scratch?: Place;
  readonly splits: number;
  /** Positions of a tile for each thread; several rows at a time have their own number. */
  readonly positions: number;
  /** Threads of the smallest subgroup of the device; 0 = it has none. */
  readonly subgroup: number;
  /** Whether loops over registers are written out (as in tuning.ts). */
  readonly unroll: boolean;
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
  /** For q, k and v as their projections leave them, in one arena buffer; one row, no tiles ({@link canAppend}). */
  readonly append?: AppendCall;
  readonly label: string;
  readonly layer: number;
}

/** What is done to q and k first, and what is stored. */
export interface AppendCall extends Pick<RopeStoreCall, "rope" | "qNorm" | "kNorm" | "eps"> {
  readonly k: Place;
  readonly v: Place;
}

/** Floats that one row needs of the scratch. */
export const scratchWidth = (heads: number, splits: number, valueWidth: number): number =>
  heads * splits * (valueWidth + 4);

/** Rows of a tile in attentionTile.wgsl. */
const TILE_ROWS = 8;

/** Whether the queries of a tile fit workgroup memory (half of the 16 KiB that every device has). */
export const fitsTile = (keyWidth: number): boolean => TILE_ROWS * keyWidth * 4 <= 8192;

/** Most sums of four values that a thread has, heads by columns, so that they stay in registers. */
const MOST_SUMS = 8;
const MOST_COLUMNS = 4;

/** Columns of four values that a thread must take at the least, with 64 threads; a power of 2, as all such numbers. */
const leastColumns = (slot: SlotLayout): number =>
  2 ** Math.ceil(Math.log2(Math.max(1, slot.valueWidth / 256)));

/** Columns that a thread takes where `group` heads share what it loads. */
const columnsFor = (slot: SlotLayout, group: number): number =>
  Math.max(
    leastColumns(slot),
    Math.min(MOST_COLUMNS, 2 ** Math.floor(Math.log2(MOST_SUMS / group))),
  );

/** Floats of the 16 KiB of workgroup memory that every device has. */
const ROOM = 4096;

/** Floats of it that a group of heads takes. */
const roomFor = (slot: SlotLayout, group: number, positions: number): number =>
  4 * 64 * columnsFor(slot, group) + group * (slot.keyWidth + 64 * positions + 64 + 8);

/** Keys that a thread scores at a time where threads share keys: with four, some GPUs hold too few threads. */
const SHARED_KEYS = 2;

/** Threads that share a key, whose loads are then neighbours: a number that divides the loads of a key. */
function lanesFor(slot: SlotLayout, positions: number, subgroup: number): number {
  const lanes = Math.max(1, SHARED_KEYS / positions);
  return lanes <= subgroup && slot.consts.K_HEAD % lanes === 0 ? lanes : 1;
}

/** Quads that a thread takes of one load of the values: all of it, or fewer where it has fewer sums. */
function pieceFor(slot: SlotLayout, most: number): number {
  let piece = kvQuads[slot.consts.V_KIND];
  while (piece > most) piece /= 2;
  return piece;
}

/** Query heads that share what is loaded of a key head: as many as fit a workgroup's memory. */
function groupFor(slot: SlotLayout, perKv: number, positions: number): number {
  let group = Math.min(perKv, Math.floor(MOST_SUMS / leastColumns(slot)));
  while (group > 1 && roomFor(slot, group, positions) > ROOM) group--;
  return Math.max(1, group);
}

/** Whether one workgroup can take all queries of a key head and store the key and value as well. */
export function canAppend(slot: SlotLayout, heads: number, positions: number): boolean {
  const perKv = heads / slot.heads;
  const rotated = (perKv + 2) * (Math.max(slot.keyWidth, slot.valueWidth) + 32);
  return (
    !slot.valueIsKeyPrefix &&
    groupFor(slot, perKv, positions) === perKv &&
    roomFor(slot, perKv, positions) + rotated <= ROOM &&
    // A thread stores whole vec4s of scales.
    (!/q/.test(slot.typeName) || (slot.keyWidth % 128 === 0 && slot.valueWidth % 128 === 0))
  );
}

export function attention(call: AttentionCall): KernelCall[] {
  const { slot, q, out, scratch, splits, heads, tiled, positions, append } = call;
  const perKv = heads / slot.heads;
  const group = groupFor(slot, perKv, positions);
  const grid: Grid = tiled
    ? { x: 1, y: heads, z: 1, rows: "x", tile: TILE_ROWS, domain: ALL_ROWS }
    : {
        x: splits,
        y: slot.heads * Math.ceil(perKv / group),
        z: 1,
        rows: "z",
        tile: 1,
        domain: ALL_ROWS,
      };
  const quads = slot.valueWidth / 4;
  const target = splits > 1 ? scratch! : out;
  const consts = {
    ...(call.unroll && { UNROLL: true }),
    ...slot.consts,
    WINDOW: call.windowKind.toUpperCase(),
    KEY4: slot.keyWidth / 4,
  };
  const params = {
    per_kv: perKv,
    key_width: slot.keyWidth,
    value_width: slot.valueWidth,
    q_offset: q.offset,
    q_stride: q.stride,
    out_offset: out.offset,
    out_stride: out.stride,
    row_size: slot.rowWords / 4,
    value_start: slot.valueIsKeyPrefix ? 0 : slot.valueWord / 4,
    key_scales: slot.keyScales,
    value_scales: slot.valueScales,
    window: call.window,
    sinks: call.sinks,
    slopes: call.slopes,
    scale: call.scale,
    softcap: call.softcap,
  };
  const bindings = [
    read(q.buffer),
    append ? write(slot.buffer) : read(slot.buffer),
    read("small"),
    write(target.buffer, 4 * (splits > 1 ? target.offset : 0)),
  ];
  if (tiled) {
    // As many threads share a row's columns as the tile has rows, or more.
    const PIECE = pieceFor(slot, Math.max(1, quads / TILE_ROWS));
    const pieces = Math.ceil(quads / PIECE);
    return [
      kernel("attentionTile", call, {
        consts: {
          ...consts,
          ROW_SHARE: Math.ceil(TILE_ROWS / Math.floor(64 / Math.min(pieces, 64))),
          PIECES: Math.ceil(pieces / 64),
          PIECE,
          COLUMNS: Math.ceil(pieces / 64) * PIECE,
        },
        params,
        bindings,
        grid,
        variant: slot.typeName,
      }),
    ];
  }
  const rope = append?.rope;
  const lanes = lanesFor(slot, positions, call.subgroup);
  const columns = columnsFor(slot, group);
  const piece = pieceFor(slot, columns);
  const calls = [
    kernel("attention", call, {
      snippets: [
        append ? "lib/queries-append" : "lib/queries-ready",
        lanes > 1 ? "lib/lanes-subgroup" : "lib/lanes-shared",
      ],
      consts: {
        ...consts,
        SPLITS: splits,
        SHARE: positions * lanes,
        LANES: lanes,
        GROUP: group,
        PIECES: columns / piece,
        PIECE: piece,
        COLUMNS: columns,
        ...(append && {
          HEADS: group + 2,
          HEAD: Math.max(slot.keyWidth, slot.valueWidth),
          NEOX: rope?.style === "neox",
        }),
      },
      params: {
        ...params,
        heads,
        k_offset: append?.k.offset ?? 0,
        v_offset: append?.v.offset ?? 0,
        start: rope?.start ?? 0,
        half: (rope?.rotated ?? 0) / 2,
        angles: rope?.angles ?? 0,
        q_norm: append?.qNorm ?? NONE,
        k_norm: append?.kNorm ?? NONE,
        eps: append?.eps ?? 0,
      },
      bindings: append ? [...bindings, read("angles")] : bindings,
      grid,
      variant: [
        slot.typeName,
        `${splits} splits`,
        append && "append",
        append && (append.qNorm !== NONE || append.kNorm !== NONE) && "norm",
        rope?.style,
      ]
        .filter(Boolean)
        .join(" "),
    }),
  ];
  if (splits > 1) {
    const about = { label: `${call.label} reduce`, layer: call.layer };
    calls.push(
      kernel("attentionReduce", about, {
        consts: { SPLITS: splits },
        params: {
          heads,
          value_width: slot.valueWidth,
          out_offset: out.offset,
          out_stride: out.stride,
          sinks: call.sinks,
        },
        bindings: [read(scratch!.buffer, 4 * scratch!.offset), read("small"), write(out.buffer)],
        grid: perRow(heads, 0),
        variant: `${splits} splits`,
      }),
    );
  }
  return calls;
}
