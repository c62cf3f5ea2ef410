/** Host side of ropeStore.wgsl: query/key norm, rotary embedding and the write into the cache. */

import { f, type KernelCall, NONE, type Place, perRow, read, u, write } from "./call.ts";
import type { SlotLayout } from "./slot.ts";

export interface RopeStoreCall {
  readonly slot: SlotLayout;
  /** One arena buffer holds all three; absent parts have no heads. */
  readonly q?: Place;
  readonly k?: Place;
  readonly v?: Place;
  readonly out?: Place;
  readonly rope?: {
    readonly start: number;
    readonly rotated: number;
    readonly style: "norm" | "neox";
    readonly angles: number;
  };
  /** f32 indices in the small buffer, or NONE. */
  readonly qNorm: number;
  readonly kNorm: number;
  readonly eps: number;
  readonly label: string;
  readonly layer: number;
}

export function ropeStore(call: RopeStoreCall): KernelCall {
  const { slot, q, k, v, out, rope } = call;
  const source = (q ?? k ?? v)!;
  const heads = (place: Place | undefined, width: number): number =>
    place ? place.width / width : 0;
  const qHeads = heads(q, slot.keyWidth);
  const kHeads = heads(k, slot.keyWidth);
  const vHeads = heads(v, slot.valueWidth);
  return {
    kernel: "ropeStore",
    snippets: ["lib/step", "lib/cache", "lib/heads", "lib/kv_store"],
    consts: {
      ...slot.consts,
      NEOX: rope?.style === "neox",
      HEAD: `${Math.max(slot.keyWidth, slot.valueWidth)}u`,
      HEADS: "1u",
    },
    params: [
      u(qHeads),
      u(kHeads),
      u(vHeads),
      u(slot.keyWidth),
      u(slot.valueWidth),
      u(0),
      u(q?.offset ?? 0),
      u(k?.offset ?? 0),
      u(v?.offset ?? 0),
      u(source.stride),
      u(out?.offset ?? 0),
      u(out?.stride ?? 0),
      u(slot.rowWords),
      u(slot.valueWord),
      u(rope?.start ?? 0),
      u((rope?.rotated ?? 0) / 2),
      u(rope?.angles ?? 0),
      u(call.qNorm),
      u(call.kNorm),
      f(call.eps),
    ],
    bindings: [
      read(source.buffer),
      write(out?.buffer ?? "spare"),
      write(slot.buffer),
      read("angles"),
      read("small"),
    ],
    tables: false,
    grid: perRow(qHeads + kHeads + vHeads, 0),
    label: call.label,
    layer: call.layer,
    variant: [
      q && "q",
      k && "k",
      v && "v",
      (call.qNorm !== NONE || call.kNorm !== NONE) && "norm",
      rope?.style,
    ]
      .filter(Boolean)
      .join(" "),
    bytes: 0,
  };
}
