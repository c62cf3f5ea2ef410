import { best, type Candidates, keepSorted } from "./candidates.ts";

/** Keeps the k candidates of the highest logits; 0 or less keeps all. */
export function topK(c: Candidates, k: number): void {
  if (k > 0) keepSorted(c, best(c, k));
}
