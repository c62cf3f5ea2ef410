import { type Candidates, keepWhere, softmax } from "./candidates.ts";
import { topOrder } from "./order.ts";

/**
 * Locally typical sampling (Meister et al. 2022): candidates in the order of how far their
 * information content −ln p is from the entropy, nearest first, kept until their probabilities exceed `p`, and at least
 * `minKeep`; 1 or more keeps all.
 */
export function typicalP(c: Candidates, p: number, minKeep: number): void {
  if (p >= 1) return;
  softmax(c);
  let entropy = 0;
  for (let i = 0; i < c.size; i++) if (c.probs[i] > 0) entropy -= c.probs[i] * Math.log(c.probs[i]);
  // Nearness as a descending order; an impossible candidate (p = 0) is infinitely far.
  const nearness = new Float32Array(c.size);
  for (let i = 0; i < c.size; i++) nearness[i] = -Math.abs(Math.log(c.probs[i]) + entropy);
  const kept = new Uint8Array(c.size);
  let sum = 0;
  for (let done = 0, reach = 256, enough = false; done < c.size && !enough; reach *= 16) {
    const order = topOrder(nearness, c.size, reach, c.scratch);
    while (done < order.length && !enough) {
      const position = order[done++];
      kept[position] = 1;
      sum += c.probs[position];
      enough = sum > Math.fround(p) && done >= minKeep;
    }
  }
  keepWhere(c, (i) => kept[i] === 1);
}
