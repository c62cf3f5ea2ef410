import { type Candidates, highest, softmax } from "./candidates.ts";

/** Divides the logits by `t`; 0 or less leaves only the highest one possible (the lowest id among equals). */
export function temperature(c: Candidates, t: number): void {
  if (t <= 0) {
    const max = highest(c);
    let kept = false;
    for (let i = 0; i < c.size; i++) {
      if (!kept && c.logits[i] === max) kept = true;
      else c.logits[i] = Number.NEGATIVE_INFINITY;
    }
    return;
  }
  const divisor = Math.fround(t);
  if (divisor === 1) return;
  for (let i = 0; i < c.size; i++) c.logits[i] /= divisor;
}

/**
 * Dynamic temperature: from t − range (at least 0) for a certain distribution to t + range for a
 * uniform one, by the entropy over its maximum ln(candidates), raised to `exponent`. A range of 0
 * or less is plain {@link temperature}.
 */
export function dynamicTemperature(
  c: Candidates,
  t: number,
  range: number,
  exponent: number,
): void {
  if (range <= 0) {
    temperature(c, t);
    return;
  }
  if (c.size <= 1) return;
  softmax(c);
  let entropy = 0;
  for (let i = 0; i < c.size; i++) if (c.probs[i] > 0) entropy -= c.probs[i] * Math.log(c.probs[i]);
  const low = Math.max(0, t - range);
  const share = (entropy / Math.log(c.size)) ** exponent;
  temperature(c, low + (t + range - low) * share);
}
