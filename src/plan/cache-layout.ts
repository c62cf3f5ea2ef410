/** How cache slots are laid out in GPU slabs: pure numbers, no device. */
import { WebggufError } from "../base/errors.ts";
import type { CacheSlot } from "../graph/graph.ts";
import type { CacheType } from "../graph/settings.ts";
import { kvKind, kvQuads, type SlotLayout, type StateLayout } from "../kernels/slot.ts";
import type { Settings } from "./settings.ts";

/** Positions a page. */
export const PAGE = 32;

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

export const pagesPerSequence = (contextLength: number): number => Math.ceil(contextLength / PAGE);

export function layoutSlot(
  slot: CacheSlot,
  index: number,
  settings: CacheSettings,
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
  const paged = pagesPerSequence(settings.contextLength) * PAGE;
  const ring =
    slot.window > 0 ? Math.ceil((slot.window + settings.chunk + settings.slack) / PAGE) * PAGE : 0;
  const windowed = ring > 0 && ring < paged;
  const rows = (windowed ? ring : paged) * settings.maxSequences;
  return {
    kind: "kv",
    buffer,
    heads: slot.heads,
    keyWidth: slot.keyWidth,
    valueWidth: slot.valueWidth,
    valueIsKeyPrefix: slot.valueIsKeyPrefix,
    rowWords,
    valueWord: keys.all,
    keyScales: keys.elements,
    valueScales: slot.valueIsKeyPrefix ? keys.elements : keys.all + values.elements,
    ring: windowed ? ring : 0,
    bytes: 4 * rows * rowWords,
    typeName: typeK === typeV ? typeK : `${typeK}/${typeV}`,
    consts: {
      RING: windowed ? ring : 0,
      PAGE,
      MAX_PAGES: pagesPerSequence(settings.contextLength),
      K_HEAD: keys.head,
      V_HEAD: values.head,
      K_KIND: kvKind(typeK),
      V_KIND: kvKind(typeV),
    },
  };
}
