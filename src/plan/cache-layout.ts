/** How cache slots are laid out in GPU slabs: pure numbers, no device. */
import { WebggufError } from "../base/errors.ts";
import type { CacheSlot } from "../graph/ops.ts";
import {
  type CacheTypeName,
  cacheTypes,
  type SlotLayout,
  type StateLayout,
} from "../kernels/slot.ts";

/** Positions a page. */
export const PAGE = 32;

export interface CacheOptions {
  readonly contextLength: number;
  readonly maxSequences: number;
  readonly typeK: CacheTypeName;
  readonly typeV: CacheTypeName;
  /** Rows of the largest step: a window must survive a whole chunk being written. */
  readonly chunk: number;
  /** Tokens that may have to be taken back from a windowed slot. */
  readonly slack: number;
}

const wordsPer32 = { f32: 32, f16: 16, q8_0: 9, q4_0: 5 };

/** Quantised types need heads of whole blocks of 32; others keep f16. */
const effective = (type: CacheTypeName, width: number): CacheTypeName =>
  (type === "q8_0" || type === "q4_0") && width % 32 !== 0 ? "f16" : type;

export const pagesPerSequence = (contextLength: number): number => Math.ceil(contextLength / PAGE);

export function layoutSlot(
  slot: CacheSlot,
  index: number,
  options: CacheOptions,
): SlotLayout | StateLayout {
  const buffer = `cache:${index}`;
  if (slot.kind === "state") {
    return { kind: "state", buffer, size: slot.size, bytes: 4 * slot.size * options.maxSequences };
  }
  if (slot.keyWidth % 4 !== 0 || slot.valueWidth % 4 !== 0) {
    throw new WebggufError(
      "model/unsupported",
      `Cannot cache layer ${slot.layer}: head widths ${slot.keyWidth} and ${slot.valueWidth} are not multiples of 4; use --device cpu`,
      { expected: "multiples of 4", actual: [slot.keyWidth, slot.valueWidth] },
    );
  }
  const typeK = effective(options.typeK, slot.keyWidth);
  const typeV = slot.valueIsKeyPrefix ? typeK : effective(options.typeV, slot.valueWidth);
  const keyWords = (slot.heads * slot.keyWidth * wordsPer32[typeK]) / 32;
  const valueWords = slot.valueIsKeyPrefix
    ? 0
    : (slot.heads * slot.valueWidth * wordsPer32[typeV]) / 32;
  const paged = pagesPerSequence(options.contextLength) * PAGE;
  const ring =
    slot.window > 0 ? Math.ceil((slot.window + options.chunk + options.slack) / PAGE) * PAGE : 0;
  const windowed = ring > 0 && ring < paged;
  const rows = (windowed ? ring : paged) * options.maxSequences;
  return {
    kind: "kv",
    buffer,
    heads: slot.heads,
    keyWidth: slot.keyWidth,
    valueWidth: slot.valueWidth,
    valueIsKeyPrefix: slot.valueIsKeyPrefix,
    rowWords: keyWords + valueWords,
    valueWord: keyWords,
    ring: windowed ? ring : 0,
    bytes: 4 * rows * (keyWords + valueWords),
    typeName: typeK === typeV ? typeK : `${typeK}/${typeV}`,
    consts: {
      RING: `${windowed ? ring : 0}u`,
      PAGE: `${PAGE}u`,
      MAX_PAGES: `${pagesPerSequence(options.contextLength)}u`,
      K_KIND: `${cacheTypes.indexOf(typeK)}u`,
      V_KIND: `${cacheTypes.indexOf(typeV)}u`,
    },
  };
}
