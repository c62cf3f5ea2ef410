import { type Candidates, keepWhere, softmax } from "./candidates.ts";

/**
 * "Exclude top choices": with `probability`, drops all candidates whose probability is
 * at least `threshold` except the least likely of them, if at least `minKeep` remain. Off when the
 * probability is 0 or the threshold above 0.5, where only one candidate could reach it.
 *
 * @param random the random number in [0, 1) of this step, asked for only when it matters
 */
export function xtc(
  c: Candidates,
  probability: number,
  threshold: number,
  minKeep: number,
  random: () => number,
): void {
  if (probability <= 0 || threshold > 0.5 || c.size < 2 || random() > probability) return;
  softmax(c);
  const likely = Math.fround(threshold);
  let count = 0;
  let least = -1;
  for (let i = 0; i < c.size; i++) {
    if (c.probs[i] < likely) continue;
    count++;
    // Of equal ones the last stays: it has the highest id.
    if (least < 0 || c.logits[i] <= c.logits[least]) least = i;
  }
  if (count < 2 || c.size - (count - 1) < minKeep) return;
  keepWhere(c, (i) => c.probs[i] < likely || i === least);
}
