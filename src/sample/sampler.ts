/**
 * Choosing the next token from logits, as llama.cpp does it: the same samplers, names, defaults and
 * order; each sampler stands in a file of its own as a function on {@link Candidates}.
 *
 * - **Order.** Logit bias first; then penalties, dry, top_n_sigma, top_k, typ_p, top_p, min_p, xtc,
 *   temperature (the option `samplers` changes this list); then one token is sampled. With mirostat
 *   the list is replaced by temperature and mirostat.
 * - **History.** Penalties and DRY know the tokens given to `accept`: prompt and answer alike.
 * - **Randomness** is counter-based (random.ts): it depends on seed, sequence and step only, so the
 *   same seed gives the same text on every runtime, whatever is batched, retried or sampled ahead.
 *   llama.cpp's own generator (mt19937) is not reproduced: its texts for a seed differ.
 * - **Ties** go to the lower token id everywhere, where llama.cpp leaves them to its sort.
 * - **-Infinity** is an impossible token and is never sampled; NaN counts as -Infinity; if nothing is
 *   possible, `sample` throws.
 * - Logits are f32 between samplers; sums and exponentials are taken in double precision.
 */
import { WebggufError } from "../base/errors.ts";
import type { DeviceSampling } from "../graph/requests.ts";
import { type Candidates, createCandidates, loadLogits } from "./candidates.ts";
import { type ChainEntry, chain } from "./chain.ts";
import { deviceSamplingOf, isGreedy } from "./device.ts";
import { entriesOf, resolveOptions, type SamplerContext } from "./options.ts";
import { randomSeed, uniform, xtcStream } from "./random.ts";
import { sampleToken } from "./sample-token.ts";
import type { SamplingOptions } from "./types.ts";

export interface Sampler {
  /** The seed in use; the one given, or the random one chosen in its place. */
  readonly seed: number;
  /** One token is possible whatever the seed (temperature 0 or less). */
  readonly greedy: boolean;
  /** The active samplers in order, as llama.cpp's constructors would have them. */
  readonly entries: readonly ChainEntry[];
  /**
   * The next token. Changes neither `logits` nor the sampler: the same step gives the same token
   * again. `sequence` and `step` select the random numbers; for a text that
   * can be repeated, count steps by the token's position in it.
   */
  sample(logits: Float32Array, sequence: number, step: number): number;
  /** A token joined the text: one of the prompt, or the one that was sampled. */
  accept(token: number): void;
  /** Forgets the text. */
  reset(): void;
  /** The same chain for an executor that samples by itself; undefined if it cannot. */
  deviceSampling(): DeviceSampling | undefined;
}

/**
 * Makes a sampler; errors `input/invalid` for options that make no sense and `model/no-tokenizer`
 * for DRY breakers without a tokenizer. Takes 24 bytes a token of the vocabulary, on first use.
 */
export function createSampler(options: SamplingOptions, context: SamplerContext): Sampler {
  const resolved = resolveOptions(options);
  const seed = resolved.seed === -1 ? randomSeed() : resolved.seed;
  const entries = entriesOf(resolved, context);
  const device = deviceSamplingOf(entries, seed, context.contextLength);
  const steps = chain(entries, {
    vocabulary: context.vocabulary,
    contextLength: context.contextLength,
    random: (sequence, step) => uniform(seed, sequence, step, xtcStream),
  });
  let candidates: Candidates | undefined;
  return {
    seed,
    greedy: isGreedy(entries),
    entries,
    sample(logits, sequence, step) {
      if (logits.length !== context.vocabulary)
        throw new WebggufError(
          "input/invalid",
          `Cannot sample from ${logits.length} logits: the vocabulary has ${context.vocabulary} tokens; pass one row`,
          { expected: context.vocabulary, actual: logits.length },
        );
      candidates ??= createCandidates(context.vocabulary);
      loadLogits(candidates, logits);
      for (const sampler of steps) sampler.apply(candidates, sequence, step);
      const sampled = sampleToken(candidates, uniform(seed, sequence, step));
      for (const sampler of steps) sampler.sampled?.(sampled);
      return sampled.token;
    },
    accept(token) {
      for (const sampler of steps) sampler.accept?.(token);
    },
    reset() {
      for (const sampler of steps) sampler.reset?.();
    },
    deviceSampling: () => device,
  };
}
