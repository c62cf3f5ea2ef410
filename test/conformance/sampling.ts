/** llama.cpp's sampler chains, compared before any random draw. */
import {
  best,
  type Candidates,
  createCandidates,
  loadLogits,
  softmax,
} from "../../src/sample/candidates.ts";
import { type ChainEntry, chain } from "../../src/sample/chain.ts";
import { sampleToken } from "../../src/sample/sample-token.ts";

/** The parts of `sampling/cases.json` that are compared. */
export interface SamplingCases {
  readonly n_vocab: number;
  readonly cases: readonly SamplingCase[];
}

export interface SamplingCase {
  readonly name: string;
  /** File name below `sampling/`. */
  readonly logits: string;
  readonly history: readonly number[];
  /** As {@link ChainEntry}, with "-inf" for -Infinity. */
  readonly chain: readonly (readonly unknown[])[];
  readonly n_positive: number;
  readonly id_sum_positive: number;
  readonly candidates: readonly {
    readonly id: number;
    readonly logit: number | null;
    readonly p: number;
  }[];
  /** The token that a chain ending in `greedy` chooses. */
  readonly selected?: number;
}

export interface SamplingCheck {
  readonly name: string;
  readonly pass: boolean;
  readonly metric: string;
  readonly value: number;
  readonly bound: number;
}

/**
 * Largest relative difference of a probability. The reference sums in f32: its entropy of 1,000
 * candidates alone moves a dynamic temperature by 3e-6 of itself, and so a probability by 2e-5.
 */
const bound = 5e-5;

/**
 * Runs every chain. `value` is the largest relative difference of a listed probability, Infinity
 * when the number of possible candidates, the sum of their ids, a listed candidate or the chosen
 * token differs.
 *
 * @param readLogits the f32 values of a file that a case names
 */
export function checkSamplingCases(
  cases: SamplingCases,
  readLogits: (file: string) => Float32Array,
): SamplingCheck[] {
  return cases.cases.map((item) => {
    const value = difference(item, cases.n_vocab, readLogits(item.logits));
    const file = item.logits.replace(/^logits_|\.f32$/g, "");
    return {
      name: `sampling/${item.name}/${file}`,
      pass: value <= bound,
      metric: "max relative difference of p",
      value,
      bound,
    };
  });
}

function difference(item: SamplingCase, vocabulary: number, logits: Float32Array): number {
  const entries = item.chain.map(entryOf);
  const steps = chain(entries, {
    vocabulary,
    contextLength: 4096,
    random: () => 0.5, // the cases have XTC with a probability of 0 or 1 only
  });
  for (const token of item.history) for (const step of steps) step.accept?.(token);
  const c = createCandidates(logits.length);
  loadLogits(c, logits);
  for (const step of steps) step.apply(c, 0, 0);
  if (item.selected !== undefined && sampleToken(c, 0).token !== item.selected) return Infinity;
  return compare(c, item);
}

function compare(c: Candidates, item: SamplingCase): number {
  softmax(c);
  const probability = new Map<number, number>();
  let idSum = 0;
  for (let i = 0; i < c.size; i++) {
    if (c.probs[i] === 0) continue;
    probability.set(c.ids[i], c.probs[i]);
    idSum += c.ids[i];
  }
  if (probability.size !== item.n_positive || idSum !== item.id_sum_positive) return Infinity;
  const order = best(c, item.candidates.length);
  let worst = 0;
  item.candidates.forEach(({ id, p }, place) => {
    if (p === 0) return;
    // By id, and by place: equal logits may change places, not their probability.
    for (const mine of [probability.get(id) ?? Infinity, c.probs[order[place]]])
      worst = Math.max(worst, Math.abs(mine - p) / p);
  });
  return worst;
}

function entryOf(entry: readonly unknown[]): ChainEntry {
  return JSON.parse(JSON.stringify(entry), (_, value) =>
    value === "-inf" ? Number.NEGATIVE_INFINITY : value,
  );
}
