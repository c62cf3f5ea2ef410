/** Host side of attention.wgsl and attentionReduce.wgsl. */

import { f, type Grid, type KernelCall, NONE, type Place, perRow, read, u, write } from "./call.ts";
import type { RopeStoreCall } from "./ropeStore.ts";
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

/** Columns of four values that a thread must take at the least, with 64 threads. */
const leastColumns = (slot: SlotLayout): number => Math.ceil(slot.valueWidth / 256);

/** Columns that a thread takes where `group` heads share what it loads. */
const columnsFor = (slot: SlotLayout, group: number): number =>
  Math.max(leastColumns(slot), Math.min(MOST_COLUMNS, Math.floor(MOST_SUMS / group)));

/** Floats of the 16 KiB of workgroup memory that every device has. */
const ROOM = 4096;

/** Floats of it that a group of heads takes. */
const roomFor = (slot: SlotLayout, group: number, positions: number): number =>
  4 * 64 * columnsFor(slot, group) + group * (slot.keyWidth + 64 * positions + 64 + 8);

/** Query heads that share what is loaded of a key head: as many as fit a workgroup's memory. */
function groupFor(slot: SlotLayout, perKv: number, positions: number): number {
  let group = Math.min(perKv, Math.floor(MOST_SUMS / leastColumns(slot)));
  while (group > 1 && roomFor(slot, group, positions) > ROOM) group--;
  return Math.max(1, group);
}

/** Whether one workgroup can take all queries of a key head and store that key besides. */
export function canAppend(slot: SlotLayout, heads: number, positions: number): boolean {
  const perKv = heads / slot.heads;
  const turned = (perKv + 2) * (Math.max(slot.keyWidth, slot.valueWidth) + 32);
  return (
    !slot.valueIsKeyPrefix &&
    groupFor(slot, perKv, positions) === perKv &&
    roomFor(slot, perKv, positions) + turned <= ROOM
  );
}

export function attention(call: AttentionCall): KernelCall[] {
  const { slot, q, out, scratch, splits, heads, tiled, positions, append } = call;
  const perKv = heads / slot.heads;
  const group = groupFor(slot, perKv, positions);
  const window = `${["sliding", "chunked", "symmetric"].indexOf(call.windowKind)}u`;
  const grid: Grid = tiled
    ? { x: 1, y: heads, z: 1, rows: "x", tile: TILE_ROWS, domain: 0 }
    : {
        x: splits,
        y: slot.heads * Math.ceil(perKv / group),
        z: 1,
        rows: "z",
        tile: 1,
        domain: 0,
      };
  const columns = slot.valueWidth / 4;
  const common = { tables: false, layer: call.layer, bytes: 0 };
  const target = splits > 1 ? scratch! : out;
  const calls: KernelCall[] = [
    {
      ...common,
      kernel: tiled ? "attentionTile" : "attention",
      snippets: [
        ...["lib/step", "lib/cache", "lib/kv_load", "lib/attention_range"],
        ...(tiled ? [] : [append ? "lib/queries_made" : "lib/queries_given"]),
      ],
      consts: {
        ...slot.consts,
        WINDOW: window,
        ...(tiled
          ? { ROW_SHARE: `${Math.ceil(TILE_ROWS / Math.floor(64 / Math.min(columns, 64)))}u` }
          : { SPLITS: `${splits}u`, POSITIONS: `${positions}u`, GROUP: `${group}u` }),
        ...(append && {
          HEADS: `${group + 2}u`,
          HEAD: `${Math.max(slot.keyWidth, slot.valueWidth)}u`,
          NEOX: append.rope?.style === "neox",
        }),
        KEY4: `${slot.keyWidth / 4}u`,
        ...(tiled
          ? { VALUE_LANES: `${leastColumns(slot)}u` }
          : { COLUMNS: `${columnsFor(slot, group)}u` }),
        VALUE_STEP: `${slot.valueIsKeyPrefix ? slot.keyWidth : slot.valueWidth}u`,
      },
      params: [
        u(heads),
        u(perKv),
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
        ...(tiled
          ? []
          : [
              u(append?.k.offset ?? 0),
              u(append?.v.offset ?? 0),
              u(append?.rope?.start ?? 0),
              u((append?.rope?.rotated ?? 0) / 2),
              u(append?.rope?.angles ?? 0),
              u(append?.qNorm ?? NONE),
              u(append?.kNorm ?? NONE),
              f(append?.eps ?? 0),
            ]),
      ],
      bindings: [
        read(q.buffer),
        append ? write(slot.buffer) : read(slot.buffer),
        read("small"),
        write(target.buffer, 4 * (splits > 1 ? target.offset : 0)),
        ...(append ? [read("angles")] : []),
      ],
      grid,
      label: call.label,
      variant: tiled
        ? slot.typeName
        : [
            slot.typeName,
            `${splits} splits`,
            append && "append",
            append && (append.qNorm !== NONE || append.kNorm !== NONE) && "norm",
            append?.rope?.style,
          ]
            .filter(Boolean)
            .join(" "),
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
