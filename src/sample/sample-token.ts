/**
 * The choice of a token at the end of a chain.
 *
 * Candidates stand in descending order of their logits, equal ones by ascending id. With weights
 * w = exp(logit − highest) and u in [0, 1), the token is the first whose running sum of weights
 * exceeds u · (sum of all weights). The rule names no order of computing, so a GPU may sum as it
 * likes: in f32 it agrees wherever u lies further than 1e-5 from a border between two tokens.
 * Since u is below 1 and the comparison strict, a token of weight 0 is never sampled.
 */
import { WebggufError } from "../base/errors.ts";
import { best, type Candidates, highest, weight } from "./candidates.ts";

/** The token sampled, and its probability among the candidates. */
export interface SampledToken {
  readonly token: number;
  readonly probability: number;
}

/** Samples by the rule above; `model/invalid` when every logit is -Infinity. */
export function sampleToken(c: Candidates, u: number): SampledToken {
  const max = highest(c);
  requirePossible(max);
  let sum = 0;
  for (let i = 0; i < c.size; i++) sum += weight(c.logits[i], max);
  const target = u * sum;
  let running = 0;
  let chosen = 0;
  // Nearly always the first few hundred decide; the rest is ordered only when needed.
  for (let done = 0, reach = 256; done < c.size && running <= target; reach *= 16) {
    const order = best(c, reach);
    for (; done < order.length && running <= target; done++) {
      const w = weight(c.logits[order[done]], max);
      if (w === 0) return tokenAt(c, chosen, max, sum); // rounding left a gap at the end
      chosen = order[done];
      running += w;
    }
  }
  return tokenAt(c, chosen, max, sum);
}

function tokenAt(c: Candidates, position: number, max: number, sum: number): SampledToken {
  return { token: c.ids[position], probability: weight(c.logits[position], max) / sum };
}

function requirePossible(max: number): void {
  if (max === Number.NEGATIVE_INFINITY)
    throw new WebggufError(
      "model/invalid",
      "Cannot sample a token: every logit is -Infinity or NaN; check the logit bias and the model file",
    );
}
