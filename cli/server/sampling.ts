/** Sampling as llama-server and OpenAI name it, as the engine takes it. */
import type { GenerateOptions, SamplerName, Tokenizer } from "../../mod.ts";
import { refuse } from "./errors.ts";
import type { Fields } from "./fields.ts";

/** llama-server's names of the numbers, the engine's, and what they may be. */
const NUMBERS = [
  ["temperature", "temperature", 0, 100],
  ["dynatemp_range", "dynatempRange", 0],
  ["dynatemp_exponent", "dynatempExponent", 0],
  ["top_p", "topP", 0, 1],
  ["min_p", "minP", 0, 1],
  ["top_n_sigma", "topNSigma"],
  ["xtc_probability", "xtcProbability", 0, 1],
  ["xtc_threshold", "xtcThreshold", 0, 1],
  ["typical_p", "typicalP", 0, 1],
  ["repeat_penalty", "repeatPenalty", 1e-6],
  ["presence_penalty", "presencePenalty"],
  ["frequency_penalty", "frequencyPenalty"],
  ["dry_multiplier", "dryMultiplier", 0],
  ["dry_base", "dryBase"],
  ["mirostat_tau", "mirostatEntropy", 0],
  ["mirostat_eta", "mirostatLearningRate", 0],
] as const;

const WHOLES = [
  ["top_k", "topK", 0],
  ["repeat_last_n", "repeatLastN", -1],
  ["dry_allowed_length", "dryAllowedLength", 0],
  ["dry_penalty_last_n", "dryPenaltyLastN", -1],
  ["min_keep", "minKeep", 0],
  ["seed", "seed", -1],
] as const;

/** Other spellings of llama.cpp's. */
const SAMPLERS: Readonly<Record<string, SamplerName>> = {
  penalties: "penalties",
  dry: "dry",
  top_n_sigma: "top_n_sigma",
  top_k: "top_k",
  typ_p: "typ_p",
  typical_p: "typ_p",
  top_p: "top_p",
  min_p: "min_p",
  xtc: "xtc",
  temperature: "temperature",
};

/** Every sampler's settings that the request names. */
export function samplingFrom(body: Fields, tokenizer: () => Tokenizer): GenerateOptions {
  const options: Record<string, unknown> = {};
  for (const [name, own, least, most] of NUMBERS) {
    const value = body.number(name, least, most);
    if (value !== undefined) options[own] = value;
  }
  for (const [name, own, least] of WHOLES) {
    const value = body.whole(name, least, name === "seed" ? Number.MAX_SAFE_INTEGER : undefined);
    if (value !== undefined) options[own] = value;
  }
  const mirostat = body.whole("mirostat", 0, 2);
  if (mirostat !== undefined) options.mirostat = mirostat;
  const breakers = body.texts("dry_sequence_breakers");
  if (breakers) options.drySequenceBreakers = breakers;
  const samplers = body.texts("samplers");
  if (samplers)
    options.samplers = samplers.map(
      (name) =>
        SAMPLERS[name] ??
        refuse(body.name("samplers"), `a list of ${Object.keys(SAMPLERS).join(", ")}`, name),
    );
  const ignoreEos = body.flag("ignore_eos");
  if (ignoreEos !== undefined) options.ignoreEos = ignoreEos;
  const bias = biasFrom(body, tokenizer);
  if (bias) options.logitBias = bias;
  const stop = body.textOrTexts("stop")?.filter((text) => text !== "");
  if (stop?.length) options.stop = stop;
  return options;
}

/** `{ "id": bias }`, or pairs of an id or a text with a bias; false = never. */
function biasFrom(body: Fields, tokenizer: () => Tokenizer): Map<number, number> | undefined {
  const given = body.any("logit_bias");
  if (given === undefined) return undefined;
  const name = body.name("logit_bias");
  const wrong = (actual: unknown): never =>
    refuse(name, "an object of token ids and numbers, or a list of [id or text, number]", actual);
  if (typeof given !== "object") wrong(given);
  const pairs = Array.isArray(given)
    ? given
    : Object.entries(given as object).map(([id, bias]) => [Number(id), bias]);
  const { size, encode } = bound(tokenizer());
  const all = new Map<number, number>();
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) return wrong(pair);
    const [what, value] = pair as [unknown, unknown];
    const bias = value === false ? Number.NEGATIVE_INFINITY : value;
    if (typeof bias !== "number" || Number.isNaN(bias)) return wrong(pair);
    const ids = typeof what === "string" ? encode(what) : [what];
    for (const id of ids) {
      if (!Number.isInteger(id) || Number(id) < 0) return wrong(pair);
      // As llama.cpp does with ids that there are not.
      if (Number(id) < size) all.set(Number(id), bias);
    }
  }
  return all;
}

const bound = (tokenizer: Tokenizer): { size: number; encode(text: string): Int32Array } => ({
  size: tokenizer.size,
  encode: (text) => tokenizer.encode(text, { addSpecial: false }),
});
