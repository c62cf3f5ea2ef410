import { type Candidates, find, orderById } from "./candidates.ts";

/** Adds to the logits of single tokens; -Infinity forbids. Tokens that are no candidates are passed over. */
export function logitBias(c: Candidates, biases: Iterable<readonly [number, number]>): void {
  orderById(c);
  for (const [id, bias] of biases) {
    const at = find(c, id);
    if (at < 0) continue;
    if (bias === Number.NEGATIVE_INFINITY) c.logits[at] = bias;
    else c.logits[at] += bias;
  }
}
