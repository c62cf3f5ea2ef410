/** Which layers attend to a sliding window. */
import type { Hyper } from "./hyper.ts";

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
