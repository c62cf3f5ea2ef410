import { best, type Candidates, keepSorted, softmax } from "./candidates.ts";

/**
 * Nucleus sampling: keeps the most likely candidates up to and with the one at which their
 * probabilities together reach `p`, and at least `minKeep`; 1 or more keeps all.
 */
export function topP(c: Candidates, p: number, minKeep: number): void {
  if (p >= 1) return;
  softmax(c);
  const threshold = Math.fround(p);
  let sum = 0;
  let done = 0;
  for (let reach = 256; ; reach *= 16) {
    const order = best(c, reach);
    while (done < order.length) {
      sum += c.probs[order[done++]];
      if (sum >= threshold && done >= minKeep) {
        keepSorted(c, order.subarray(0, done));
        return;
      }
    }
    if (done === c.size) {
      keepSorted(c, order);
      return;
    }
  }
}
