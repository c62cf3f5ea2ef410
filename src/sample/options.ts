/** From sampling options to a chain: what they may be, defaults, and llama.cpp's order of samplers. */
import { WebggufError } from "../base/errors.ts";
import {
  finite,
  isObject,
  listOf,
  oneOf,
  type Rules,
  refuse,
  rule,
  text,
  whole,
} from "../base/options.ts";
import { findBreakers } from "./breakers.ts";
import { type ChainEntry, isActive } from "./chain.ts";
import { mirostatTokens } from "./mirostat.ts";
import { type SamplerName, type SamplingOptions, samplingDefaults } from "./types.ts";

/** What a sampler needs to know of the model. */
export interface SamplerContext {
  /** Number of tokens = length of the logits. */
  readonly vocabulary: number;
  /** Tokens of context; what a look-back of -1 means. */
  readonly contextLength: number;
  /** Text of a token, special ones included; only DRY with sequence breakers asks for it. */
  readonly tokenText?: (id: number) => string;
  /** Tokens of a text, without BOS and without reading special tokens; as `tokenText`. */
  readonly tokenize?: (text: string) => ArrayLike<number>;
}

/** What {@link SamplingOptions} may be. */
export const samplingRules: Rules<SamplingOptions> = {
  temperature: finite,
  topK: whole(),
  topP: finite,
  minP: finite,
  typicalP: finite,
  topNSigma: finite,
  xtcProbability: finite,
  xtcThreshold: finite,
  repeatLastN: whole(-1),
  repeatPenalty: rule("a number more than 0", (n) => Number.isFinite(n) && Number(n) > 0),
  frequencyPenalty: finite,
  presencePenalty: finite,
  dryMultiplier: finite,
  dryBase: finite,
  dryAllowedLength: whole(),
  dryPenaltyLastN: whole(-1),
  drySequenceBreakers: listOf(text),
  dynatempRange: finite,
  dynatempExponent: finite,
  mirostat: oneOf(0, 1, 2),
  mirostatLearningRate: finite,
  mirostatEntropy: finite,
  logitBias: rule("a mapping of token ids to numbers", isObject),
  minKeep: whole(),
  samplers: listOf(oneOf(...samplingDefaults.samplers)),
  seed: whole(-1),
};

/** Options with defaults filled in; `undefined` counts as left out. */
export function resolveOptions(options: SamplingOptions): Required<SamplingOptions> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...samplingDefaults, ...Object.fromEntries(given) };
}

/** The chain that the options stand for, without its inactive entries. */
export function entriesOf(
  options: Required<SamplingOptions>,
  context: SamplerContext,
): ChainEntry[] {
  const entries: ChainEntry[] = [["logit_bias", biasesOf(options.logitBias, context.vocabulary)]];
  if (options.mirostat === 0)
    for (const name of options.samplers) entries.push(entryOf(name, options, context));
  else entries.push(["temp", options.temperature], mirostatEntry(options));
  return entries.filter(isActive);
}

function entryOf(
  name: SamplerName,
  o: Required<SamplingOptions>,
  context: SamplerContext,
): ChainEntry {
  switch (name) {
    case "penalties":
      return [name, o.repeatLastN, o.repeatPenalty, o.frequencyPenalty, o.presencePenalty];
    case "dry":
      return dryEntry(o, context);
    case "top_n_sigma":
      return [name, o.topNSigma];
    case "top_k":
      return [name, o.topK];
    case "typ_p":
      return ["typical", o.typicalP, o.minKeep];
    case "top_p":
      return [name, o.topP, o.minKeep];
    case "min_p":
      return [name, o.minP, o.minKeep];
    case "xtc":
      return [name, o.xtcProbability, o.xtcThreshold, o.minKeep];
    case "temperature":
      return ["temp_ext", o.temperature, o.dynatempRange, o.dynatempExponent];
  }
}

function dryEntry(o: Required<SamplingOptions>, context: SamplerContext): ChainEntry {
  const entry = (breakers: number[][]): ChainEntry => [
    "dry",
    o.dryMultiplier,
    o.dryBase,
    o.dryAllowedLength,
    o.dryPenaltyLastN,
    breakers,
  ];
  if (o.drySequenceBreakers.length === 0 || !isActive(entry([]))) return entry([]);
  const { vocabulary, tokenText, tokenize } = context;
  if (tokenText === undefined || tokenize === undefined)
    throw new WebggufError(
      "model/no-tokenizer",
      "Cannot sample with DRY's sequence breakers: the model file has no tokenizer; pass drySequenceBreakers: [] to go without",
    );
  return entry(findBreakers(o.drySequenceBreakers, vocabulary, tokenText, tokenize));
}

function mirostatEntry(o: Required<SamplingOptions>): ChainEntry {
  const { mirostatEntropy: tau, mirostatLearningRate: eta } = o;
  return o.mirostat === 1 ? ["mirostat", tau, eta, mirostatTokens] : ["mirostat_v2", tau, eta];
}

function biasesOf(
  biases: Required<SamplingOptions>["logitBias"],
  vocabulary: number,
): [number, number][] {
  const pairs: [number, number][] =
    biases instanceof Map
      ? [...biases]
      : Object.entries(biases).map(([id, bias]) => [Number(id), bias]);
  for (const [id, bias] of pairs) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabulary)
      refuse("logitBias", `a mapping of token ids below ${vocabulary}`, id);
    if (!Number.isFinite(bias) && bias !== Number.NEGATIVE_INFINITY)
      refuse("logitBias", "a mapping to numbers or -Infinity", bias);
  }
  return pairs;
}
