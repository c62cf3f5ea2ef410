/** How cache slots are laid out in GPU slabs: pure numbers, no device. */
import { WebggufError } from "../base/errors.ts";
import type { CacheSlot } from "../graph/graph.ts";
import { PAGE, pagesPerSequence, type Ring, ringPages, tableStride } from "../graph/pool.ts";
import type { CacheType } from "../graph/settings.ts";
import { kvKind, kvQuads, type SlotLayout, type StateLayout } from "../kernels/slot.ts";
import type { Settings } from "./settings.ts";

export { PAGE };

/** The settings that decide a cache's size. */
export type CacheSettings = Pick<
  Settings,
  "contextLength" | "maxSequences" | "cacheTypeK" | "cacheTypeV" | "chunk" | "slack"
>;

/** 16-byte words of a head's elements, and words of the elements and the scales of all heads. */
function sizes(type: CacheType, width: number, heads: number) {
  const head = Math.ceil(width / (4 * kvQuads[kvKind(type)]));
  const scales = type === "q8_0" || type === "q4_0" ? Math.ceil((heads * width) / 128) * 4 : 0;
  return { head, elements: 4 * heads * head, all: 4 * heads * head + scales };
}

/** Quantised types need heads of whole blocks of 32; others keep f16. */
const effective = (type: CacheType, width: number): CacheType =>
  (type === "q8_0" || type === "q4_0") && width % 32 !== 0 ? "f16" : type;

/** The window that a slot is kept by, where that takes less than all rows. */
function ringOf(slot: CacheSlot, settings: CacheSettings): Ring | undefined {
  if (slot.kind === "state" || slot.window === 0) return undefined;
  const { window } = slot;
  const rows = Math.ceil((window + settings.chunk + settings.slack) / PAGE) * PAGE;
  return rows < pagesPerSequence(settings.contextLength) * PAGE ? { rows, window } : undefined;
}

/** The different windows of slots, in order. */
export function ringsOf(slots: readonly CacheSlot[], settings: CacheSettings): Ring[] {
  const rings = new Map<number, Ring>();
  for (const slot of slots) {
    const ring = ringOf(slot, settings);
    if (ring) rings.set(ring.window, ring);
  }
  return [...rings.values()];
}

/** @param rings of all slots of the model */
export function layoutSlot(
  slot: CacheSlot,
  index: number,
  settings: CacheSettings,
  rings: readonly Ring[] = ringsOf([slot], settings),
): SlotLayout | StateLayout {
  const buffer = `cache:${index}`;
  if (slot.kind === "state") {
    return { kind: "state", buffer, size: slot.size, bytes: 4 * slot.size * settings.maxSequences };
  }
  if (slot.keyWidth % 4 !== 0 || slot.valueWidth % 4 !== 0) {
    throw new WebggufError(
      "model/unsupported",
      `Cannot cache layer ${slot.layer}: head widths ${slot.keyWidth} and ${slot.valueWidth} are not multiples of 4; load with device "cpu"`,
      { expected: "multiples of 4", actual: [slot.keyWidth, slot.valueWidth] },
    );
  }
  const typeK = effective(settings.cacheTypeK, slot.keyWidth);
  const typeV = slot.valueIsKeyPrefix ? typeK : effective(settings.cacheTypeV, slot.valueWidth);
  const keys = sizes(typeK, slot.keyWidth, slot.heads);
  const values = slot.valueIsKeyPrefix
    ? { head: keys.head, elements: 0, all: 0 }
    : sizes(typeV, slot.valueWidth, slot.heads);
  const rowWords = keys.all + values.all;
  const { contextLength, maxSequences } = settings;
  const ring = ringOf(slot, settings);
  const kind = ring ? 1 + rings.findIndex(({ window }) => window === ring.window) : 0;
  const pages = ring ? ringPages(ring, maxSequences) : pagesPerSequence(contextLength);
  return {
    kind: "kv",
    buffer,
    pageKind: kind,
    heads: slot.heads,
    keyWidth: slot.keyWidth,
    valueWidth: slot.valueWidth,
    valueIsKeyPrefix: slot.valueIsKeyPrefix,
    rowWords,
    valueWord: keys.all,
    keyScales: keys.elements,
    valueScales: slot.valueIsKeyPrefix ? keys.elements : keys.all + values.elements,
    ring: ring?.rows ?? 0,
    bytes: 4 * pages * PAGE * rowWords,
    typeName: typeK === typeV ? typeK : `${typeK}/${typeV}`,
    consts: {
      RING: ring?.rows ?? 0,
      PAGE,
      TABLE: tableStride(contextLength, rings),
      FIRST_PAGE: kind === 0 ? 0 : tableStride(contextLength, rings.slice(0, kind - 1)),
      K_HEAD: keys.head,
      V_HEAD: values.head,
      K_KIND: kvKind(typeK),
      V_KIND: kvKind(typeV),
    },
  };
}
