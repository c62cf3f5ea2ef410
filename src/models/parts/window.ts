/** Which layers attend to a sliding window, and how those rotate. */
import type { Hyper } from "./hyper.ts";
import type { ModelBuilder } from "./model.ts";
import { type Rope, type RopeSettings, ropeOf } from "./rope.ts";

/**
 * By `attention.sliding_window_pattern`: an array says it layer by layer; a number n (or `fallback`)
 * means n − 1 sliding layers and a full one, in turn (a full one first when `fullFirst`).
 */
export function slidingLayers(h: Hyper, fallback: number, fullFirst = false): boolean[] {
  const key = "attention.sliding_window_pattern";
  const value = h.file.metadata.get(h.key(key));
  if (typeof value === "object") return h.perLayer(key).map((flag) => flag !== 0);
  const every = h.within(key, 0, h.layers + 2 ** 16, fallback);
  return Array.from({ length: h.layers }, (_, layer) => {
    if (every === 0) return false;
    return fullFirst ? layer % every !== 0 : layer % every < every - 1;
  });
}

/** What sets a rotation free of linear scaling and YaRN. */
export const unstretched: RopeSettings = { freqScale: 1, extFactor: 0, attnFactor: 1 };

/**
 * The rotation of sliding layers: that of the full ones, with a base of its own where the file names
 * one (default: `base`, else that of the full ones).
 */
export function slidingRopeOf(
  m: ModelBuilder,
  style: Rope["style"],
  { base = m.h.number("rope.freq_base", 10000), ...settings }: RopeSettings = {},
): Rope {
  return ropeOf(m, style, { ...settings, base: m.h.number("rope.freq_base_swa", base) });
}

/** Sliding and full layers in turn; the rotation's settings are those of the sliding ones. */
export interface Turns extends RopeSettings {
  /** One layer in so many is a full one, where the file does not say. */
  readonly every: number;
  readonly fullFirst?: boolean;
  /** Positions of the window where the file does not say; 0 = all layers are full. @default it must */
  readonly window?: number;
  /** Full layers know no positions. */
  readonly unrotated?: boolean;
}

/** The rotation and the window of each layer. */
export function slidingTurns(
  m: ModelBuilder,
  style: Rope["style"],
  { every, fullFirst, window: fallback, unrotated, ...settings }: Turns,
): (layer: number) => { readonly rope?: Rope; readonly window: number } {
  const window = m.h.integer("attention.sliding_window", fallback);
  const layers = slidingLayers(m.h, every, fullFirst);
  const sliding = { rope: slidingRopeOf(m, style, settings), window };
  const full = { rope: unrotated ? undefined : ropeOf(m, style), window: 0 };
  return (layer) => (layers[layer] && window > 0 ? sliding : full);
}
