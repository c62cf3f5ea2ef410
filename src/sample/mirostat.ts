/**
 * Mirostat (Basu et al. 2020): keeps the surprise of the text near a target. Its state is mu, the
 * surprise in bits that is allowed now; it starts at twice the target and follows what is sampled.
 */
import { best, type Candidates, keepSorted, keepWhere, softmax } from "./candidates.ts";
import { topK } from "./top-k.ts";

/** Tokens by which version 1 estimates the distribution's exponent; llama.cpp's constant. */
export const mirostatTokens = 100;

/**
 * Version 1: fits Zipf's exponent s to the `m` most likely candidates, and keeps the k most likely
 * with k = ((ε · 2^mu) / (1 − V^−ε))^(1/s), ε = s − 1, V the size of the vocabulary.
 */
export function mirostat(c: Candidates, mu: number, vocabulary: number, m: number): void {
  softmax(c);
  const order = best(c, m);
  let sumTB = 0;
  let sumTT = 0;
  for (let i = 0; i + 1 < order.length && c.probs[order[i + 1]] > 0; i++) {
    const t = Math.log((i + 2) / (i + 1));
    sumTB += t * Math.log(c.probs[order[i]] / c.probs[order[i + 1]]);
    sumTT += t * t;
  }
  const s = sumTB / sumTT;
  const epsilon = s - 1;
  const k = ((epsilon * 2 ** mu) / (1 - vocabulary ** -epsilon)) ** (1 / s);
  // One possible candidate gives no slope, and a flat distribution an infinite k.
  topK(c, Number.isNaN(k) ? 1 : Math.max(1, Math.trunc(Math.min(k, c.size))));
}

/** Version 2: keeps the candidates whose surprise −log2 p is at most mu, and at least the best. */
export function mirostatV2(c: Candidates, mu: number): void {
  softmax(c);
  let count = 0;
  for (let i = 0; i < c.size; i++) if (-Math.log2(c.probs[i]) <= mu) count++;
  if (count > 0) keepWhere(c, (i) => -Math.log2(c.probs[i]) <= mu);
  else keepSorted(c, best(c, 1));
}

/** The new mu after a token of this probability among the candidates left. */
export function nextMu(mu: number, probability: number, tau: number, eta: number): number {
  return mu - eta * (-Math.log2(probability) - tau);
}
