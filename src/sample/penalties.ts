import { type Candidates, find, orderById } from "./candidates.ts";

/** Strengths of the three penalties; 1, 0 and 0 are off. */
export interface Penalties {
  readonly repeat: number;
  readonly frequency: number;
  readonly presence: number;
}

/**
 * Lowers the logits of tokens that occurred, by `counts` over the last tokens: a positive logit is
 * divided by `repeat`, any other multiplied; then count · frequency + presence is subtracted. All
 * in single precision, as llama.cpp does it.
 */
export function penalize(
  c: Candidates,
  counts: ReadonlyMap<number, number>,
  penalties: Penalties,
): void {
  if (counts.size === 0) return;
  const [repeat, frequency, presence] = [
    penalties.repeat,
    penalties.frequency,
    penalties.presence,
  ].map(Math.fround);
  orderById(c);
  for (const [id, count] of counts) {
    const at = find(c, id);
    if (at < 0) continue;
    const logit = c.logits[at];
    const scaled = Math.fround(logit <= 0 ? logit * repeat : logit / repeat);
    c.logits[at] = scaled - Math.fround(Math.fround(count * frequency) + presence);
  }
}
