/** Host side of ropeStore.wgsl: query/key norm, rotary embedding and the write into the cache. */

import { type KernelCall, kernel, NONE, type Place, perRow, read, write } from "./call.ts";
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
  return kernel("ropeStore", call, {
    consts: {
      ...slot.consts,
      NEOX: rope?.style === "neox",
      HEAD: Math.max(slot.keyWidth, slot.valueWidth),
      HEADS: 1,
    },
    params: {
      q_heads: qHeads,
      k_heads: kHeads,
      key_width: slot.keyWidth,
      value_width: slot.valueWidth,
      q_offset: q?.offset ?? 0,
      k_offset: k?.offset ?? 0,
      v_offset: v?.offset ?? 0,
      x_stride: source.stride,
      out_offset: out?.offset ?? 0,
      out_stride: out?.stride ?? 0,
      row_words: slot.rowWords,
      value_word: slot.valueWord,
      key_scales: slot.keyScales,
      value_scales: slot.valueScales,
      start: rope?.start ?? 0,
      half: (rope?.rotated ?? 0) / 2,
      angles: rope?.angles ?? 0,
      q_norm: call.qNorm,
      k_norm: call.kNorm,
      eps: call.eps,
    },
    bindings: [
      read(source.buffer),
      write(out?.buffer ?? "spare"),
      write(slot.buffer),
      read("angles"),
      read("small"),
    ],
    grid: perRow(qHeads + kHeads + vHeads, 0),
    variant: [
      q && "q",
      k && "k",
      v && "v",
      (call.qNorm !== NONE || call.kNorm !== NONE) && "norm",
      rope?.style,
    ]
      .filter(Boolean)
      .join(" "),
  });
}
