import { best, type Candidates, highest, keepSorted, keepWhere } from "./candidates.ts";

/**
 * Keeps the candidates at least `p` times as likely as the most likely one, and at least
 * max(1, minKeep); 0 or less keeps all. Compared by logits: no probability is computed.
 */
export function minP(c: Candidates, p: number, minKeep: number): void {
  if (p <= 0) return;
  const lowest = Math.fround(highest(c) + Math.fround(Math.log(Math.fround(p))));
  const needed = Math.max(1, minKeep);
  let count = 0;
  for (let i = 0; i < c.size; i++) if (c.logits[i] >= lowest) count++;
  if (count >= needed) keepWhere(c, (i) => c.logits[i] >= lowest);
  else keepSorted(c, best(c, needed));
}
