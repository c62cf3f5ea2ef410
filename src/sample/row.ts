/**
 * The sampling that executors do by themselves, as a function: the CPU executor's, and what the GPU's
 * kernels are compared with.
 */
import type { DeviceSampling } from "../graph/requests.ts";
import { type Candidates, createCandidates, loadLogits } from "./candidates.ts";
import { minP } from "./min-p.ts";
import { penalize } from "./penalties.ts";
import { uniform } from "./random.ts";
import { sampleToken } from "./sample-token.ts";
import { temperature } from "./temperature.ts";
import { topK } from "./top-k.ts";
import { topP } from "./top-p.ts";

/**
 * Samples the next token from a row of logits. `text` is what the sequence holds so far, `position` the
 * place that the new token will have in it.
 */
export type RowSampler = (
  logits: Float32Array,
  sampling: DeviceSampling,
  position: number,
  text: ArrayLike<number>,
) => number;

/**
 * Makes a row sampler; takes 24 bytes a token of the vocabulary, on first use. The random number is
 * that of sequence 0, as a session's own sampler has it, whichever sequence the row belongs to.
 */
export function createRowSampler(vocabulary: number): RowSampler {
  let candidates: Candidates | undefined;
  return (logits, sampling, position, text) => {
    candidates ??= createCandidates(vocabulary);
    loadLogits(candidates, logits);
    const { penalties } = sampling;
    if (penalties)
      penalize(candidates, countsOf(text, position - penalties.lastN, position), penalties);
    topK(candidates, sampling.temperature > 0 ? sampling.topK : 1);
    if (sampling.temperature <= 0) return candidates.ids[0];
    topP(candidates, sampling.topP, 0);
    minP(candidates, sampling.minP, 0);
    temperature(candidates, sampling.temperature);
    return sampleToken(candidates, uniform(sampling.seed, 0, position)).token;
  };
}

/** How often each token occurs at the places from `start` (0 if less) to before `end`. */
function countsOf(text: ArrayLike<number>, start: number, end: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (let i = Math.max(0, start); i < end; i++)
    counts.set(text[i], (counts.get(text[i]) ?? 0) + 1);
  return counts;
}
