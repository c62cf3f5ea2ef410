import type { Candidates } from "./candidates.ts";

/**
 * Forbids (logit -Infinity) what lies more than `n` standard deviations of the possible logits
 * below the highest one (Tang et al. 2024, "Top-nσ"); 0 or less changes nothing.
 */
export function topNSigma(c: Candidates, n: number): void {
  if (n <= 0 || c.size <= 1) return;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let count = 0;
  for (let i = 0; i < c.size; i++) {
    const logit = c.logits[i];
    if (logit === Number.NEGATIVE_INFINITY) continue;
    if (logit > max) max = logit;
    sum += logit;
    count++;
  }
  if (count === 0) return;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < c.size; i++)
    if (c.logits[i] !== Number.NEGATIVE_INFINITY) squares += (c.logits[i] - mean) ** 2;
  const lowest = Math.fround(max - Math.fround(n) * Math.sqrt(squares / count));
  for (let i = 0; i < c.size; i++) if (c.logits[i] < lowest) c.logits[i] = Number.NEGATIVE_INFINITY;
}
