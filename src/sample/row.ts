/** What executors draw by themselves, as a function: the oracle of the GPU's kernels, and the CPU's way. */
import type { DeviceSampling } from "../graph/executor.ts";
import { type Candidates, createCandidates, loadLogits } from "./candidates.ts";
import { draw } from "./draw.ts";
import { minP } from "./min-p.ts";
import { uniform } from "./random.ts";
import { temperature } from "./temperature.ts";
import { topK } from "./top-k.ts";
import { topP } from "./top-p.ts";

/** Draws the token of a row of logits; `position` is the one that it will have in its text. */
export type RowSampler = (
  logits: Float32Array,
  sampling: DeviceSampling,
  position: number,
) => number;

/**
 * Makes a row sampler; takes 24 bytes a token of the vocabulary, on first use. The random number is
 * that of sequence 0, as a session's own sampler has it, whichever sequence the row belongs to.
 */
export function createRowSampler(vocabulary: number): RowSampler {
  let candidates: Candidates | undefined;
  return (logits, sampling, position) => {
    candidates ??= createCandidates(vocabulary);
    loadLogits(candidates, logits);
    topK(candidates, sampling.topK);
    topP(candidates, sampling.topP, 0);
    minP(candidates, sampling.minP, 0);
    temperature(candidates, sampling.temperature);
    return draw(candidates, uniform(sampling.seed, 0, position)).token;
  };
}
