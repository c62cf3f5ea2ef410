/** Sampling options under llama.cpp's names (camel case) and defaults; the meaning of each sampler stands in its file. */

/** Names usable in `samplers`, in llama.cpp's default order. */
export type SamplerName =
  | "penalties"
  | "dry"
  | "top_n_sigma"
  | "top_k"
  | "typ_p"
  | "top_p"
  | "min_p"
  | "xtc"
  | "temperature";

export interface SamplingOptions {
  /** Divides the logits; 0 or less = greedy. @default 0.8 */
  temperature?: number;
  /** Keep the K most likely tokens; 0 = all. @default 40 */
  topK?: number;
  /** Keep the most likely tokens that together reach this probability; 1 = off. @default 0.95 */
  topP?: number;
  /** Keep tokens at least this fraction as likely as the most likely one; 0 = off. @default 0.05 */
  minP?: number;
  /** Locally typical sampling: keep the tokens whose information content is nearest to the entropy, up to this probability together; 1 = off. @default 1 */
  typicalP?: number;
  /** Keep logits within this many standard deviations of the highest; 0 or less = off. @default -1 */
  topNSigma?: number;
  /** Probability that XTC removes the most likely tokens in a step; 0 = off. @default 0 */
  xtcProbability?: number;
  /** XTC removes all tokens at least this likely but the least likely of them; above 0.5 = off. @default 0.1 */
  xtcThreshold?: number;
  /** Tokens looked back at by the penalties; -1 = the context, 0 = off. @default 64 */
  repeatLastN?: number;
  /** Divides positive and multiplies negative logits of repeated tokens; 1 = off. @default 1 */
  repeatPenalty?: number;
  /** Subtracted from a logit once for every occurrence; 0 = off. @default 0 */
  frequencyPenalty?: number;
  /** Subtracted from a logit once if the token occurred; 0 = off. @default 0 */
  presencePenalty?: number;
  /** Strength of DRY, the penalty on repeating sequences; 0 = off. @default 0 */
  dryMultiplier?: number;
  /** The DRY penalty grows with this power of the repetition's length; below 1 = off. @default 1.75 */
  dryBase?: number;
  /** Repetitions shorter than this many tokens are free. @default 2 */
  dryAllowedLength?: number;
  /** Tokens that DRY looks back at; -1 = the context, 0 = off. @default -1 */
  dryPenaltyLastN?: number;
  /** Texts that a repetition does not reach across. @default ["\n", ":", "\"", "*"] */
  drySequenceBreakers?: readonly string[];
  /** Dynamic temperature: temperature ± this, by the entropy of the distribution; 0 = off. @default 0 */
  dynatempRange?: number;
  /** Power applied to the normalised entropy. @default 1 */
  dynatempExponent?: number;
  /**
   * 0 = off, 1 or 2 = that version. As in llama.cpp, mirostat replaces all of `samplers`: the chain
   * is logit bias, temperature, mirostat. @default 0
   */
  mirostat?: 0 | 1 | 2;
  /** Mirostat's learning rate, eta. @default 0.1 */
  mirostatLearningRate?: number;
  /** Mirostat's target surprise in bits, tau. @default 5 */
  mirostatEntropy?: number;
  /** Added to the logits of these tokens before all samplers; -Infinity forbids a token. @default none */
  logitBias?: ReadonlyMap<number, number> | Readonly<Record<number, number>>;
  /** At least this many candidates stay in typical, top-p, min-p and XTC. @default 0 */
  minKeep?: number;
  /** The samplers used, in this order; a sampler that is left out is off. @default all, in the order of {@link SamplerName} */
  samplers?: readonly SamplerName[];
  /** The same seed gives the same text on every runtime; -1 = a random one. @default -1 */
  seed?: number;
}

/** llama.cpp's defaults. */
export const samplingDefaults: Required<SamplingOptions> = {
  temperature: 0.8,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  typicalP: 1,
  topNSigma: -1,
  xtcProbability: 0,
  xtcThreshold: 0.1,
  repeatLastN: 64,
  repeatPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  dryMultiplier: 0,
  dryBase: 1.75,
  dryAllowedLength: 2,
  dryPenaltyLastN: -1,
  drySequenceBreakers: ["\n", ":", '"', "*"],
  dynatempRange: 0,
  dynatempExponent: 1,
  mirostat: 0,
  mirostatLearningRate: 0.1,
  mirostatEntropy: 5,
  logitBias: {},
  minKeep: 0,
  samplers: [
    "penalties",
    "dry",
    "top_n_sigma",
    "top_k",
    "typ_p",
    "top_p",
    "min_p",
    "xtc",
    "temperature",
  ],
  seed: -1,
};
