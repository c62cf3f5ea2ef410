/** Sampling options under llama.cpp's names (camel case) and defaults. */

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
  /** 0 = greedy. @default 0.8 */
  temperature?: number;
  /** 0 = all. @default 40 */
  topK?: number;
  /** 1 = off. @default 0.95 */
  topP?: number;
  /** 0 = off. @default 0.05 */
  minP?: number;
  /** Locally typical sampling; 1 = off. @default 1 */
  typicalP?: number;
  /** -1 = off. @default -1 */
  topNSigma?: number;
  xtcProbability?: number;
  xtcThreshold?: number;
  /** Tokens looked back at by the penalties; -1 = the context, 0 = off. @default 64 */
  repeatLastN?: number;
  /** 1 = off. @default 1 */
  repeatPenalty?: number;
  frequencyPenalty?: number;
  presencePenalty?: number;
  dryMultiplier?: number;
  dryBase?: number;
  dryAllowedLength?: number;
  dryPenaltyLastN?: number;
  drySequenceBreakers?: readonly string[];
  dynatempRange?: number;
  dynatempExponent?: number;
  /** 0 = off, 1 or 2. */
  mirostat?: 0 | 1 | 2;
  mirostatLearningRate?: number;
  mirostatEntropy?: number;
  /** Added to the logits of these tokens. */
  logitBias?: ReadonlyMap<number, number> | Readonly<Record<number, number>>;
  /** At least this many candidates stay. @default 0 */
  minKeep?: number;
  samplers?: readonly SamplerName[];
  /** The same seed gives the same text on every runtime. @default a random one */
  seed?: number;
}
