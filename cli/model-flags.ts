/** The flags that choose a model, a device and a way to sample: shared by the commands. */

import type {
  CacheType,
  LoadOptions,
  SamplerName,
  SamplingOptions,
  SpeculationOptions,
} from "../mod.ts";
import { type Flag, usage, type Values } from "./flags.ts";
import { GETTING_FLAGS, gettingOptions } from "./getting.ts";
import { readTunings } from "./tunings.ts";

const MODEL: readonly Flag[] = [
  {
    names: ["-m", "--model"],
    value: "FILE",
    env: "LLAMA_ARG_MODEL",
    help: "GGUF file, hf:USER/REPO[:QUANT] or http(s) URL (any part of a split one)",
  },
  ...GETTING_FLAGS,
];

/** The device and the sizes: for every command that computes. */
export const DEVICE_FLAGS: readonly Flag[] = [
  ...MODEL,
  {
    names: ["-dev", "--device"],
    value: "NAME",
    env: "LLAMA_ARG_DEVICE",
    help: "auto (measures), gpu, cpu, or part of an adapter's name",
  },
  {
    names: ["-ngl", "--n-gpu-layers", "--gpu-layers"],
    value: "N",
    env: "LLAMA_ARG_N_GPU_LAYERS",
    help: "0 = --device cpu; anything else leaves the choice to --device",
  },
  {
    names: ["-c", "--ctx-size"],
    value: "N",
    env: "LLAMA_ARG_CTX_SIZE",
    help: "tokens of context; 0 = the model's own (default: that, at most 4096)",
  },
  {
    names: ["-b", "--batch-size"],
    value: "N",
    env: "LLAMA_ARG_BATCH",
    help: "an upper limit for -ub",
  },
  {
    names: ["-ub", "--ubatch-size"],
    value: "N",
    env: "LLAMA_ARG_UBATCH",
    help: "prompt tokens computed at once (default: chosen for the device)",
  },
  {
    names: ["-ctk", "--cache-type-k"],
    value: "TYPE",
    env: "LLAMA_ARG_CACHE_TYPE_K",
    help: "key cache: f32, f16, q8_0 or q4_0 (default f16)",
  },
  {
    names: ["-ctv", "--cache-type-v"],
    value: "TYPE",
    env: "LLAMA_ARG_CACHE_TYPE_V",
    help: "value cache: the same",
  },
  {
    names: ["-t", "--threads"],
    value: "N",
    env: "LLAMA_ARG_THREADS",
    help: "threads on the CPU, at most (default: half of the processors')",
  },
  {
    names: ["--steps-in-flight"],
    value: "N",
    help: "tokens computed ahead of the reader (default: chosen for the device)",
  },
  {
    names: ["--int8"],
    value: "WHEN",
    help: "activations as signed bytes: on, off, or auto = where faster (default off)",
  },
  {
    names: ["--no-fuse"],
    value: "NAME",
    many: true,
    help: "switch one fusion off (webgguf explain names them)",
  },
];

/** Speculative decoding: for commands that generate. */
export const SPECULATION_FLAGS: readonly Flag[] = [
  {
    names: ["-md", "--spec-draft-model", "--model-draft"],
    value: "FILE",
    help: "a smaller model with the same vocabulary, which drafts tokens ahead",
  },
  {
    names: ["-hfd", "-hfrd", "--spec-draft-hf", "--hf-repo-draft"],
    value: "REPO",
    help: "the same from the hub: USER/REPO[:QUANT]",
  },
  {
    names: ["--spec-type"],
    value: "TYPE",
    help: "none, ngram-simple (looks drafts up in the text) or draft-simple (what -md does)",
  },
  {
    names: ["--draft", "--draft-n", "--spec-draft-n-max", "--draft-max"],
    value: "N",
    help: "tokens drafted at once, at most 7 (default 7)",
  },
  {
    names: ["--draft-n-min", "--spec-draft-n-min", "--draft-min"],
    value: "N",
    help: "shorter drafts are not verified (default 1)",
  },
];

export const MODEL_FLAGS: readonly Flag[] = MODEL;

export const SAMPLING_FLAGS: readonly Flag[] = [
  { names: ["-s", "--seed"], value: "N", help: "same seed, same text (default: random)" },
  {
    names: ["--temperature", "--temp"],
    value: "T",
    help: "0 = always the most likely token (default 0.8)",
  },
  { names: ["--top-k"], value: "N", help: "0 = all (default 40)" },
  { names: ["--top-p"], value: "P", help: "1 = off (default 0.95)" },
  { names: ["--min-p"], value: "P", help: "0 = off (default 0.05)" },
  { names: ["--typical-p", "--typical"], value: "P", help: "1 = off (default 1)" },
  { names: ["--top-n-sigma", "--top-nsigma"], value: "N", help: "-1 = off (default -1)" },
  { names: ["--xtc-probability"], value: "P", help: "0 = off (default 0)" },
  { names: ["--xtc-threshold"], value: "P", help: "(default 0.1)" },
  {
    names: ["--repeat-last-n"],
    value: "N",
    help: "tokens the penalties look back at; -1 = the context (default 64)",
  },
  { names: ["--repeat-penalty"], value: "X", help: "1 = off (default 1)" },
  { names: ["--presence-penalty"], value: "X", help: "0 = off (default 0)" },
  { names: ["--frequency-penalty"], value: "X", help: "0 = off (default 0)" },
  { names: ["--dry-multiplier"], value: "X", help: "0 = off (default 0)" },
  { names: ["--dry-base"], value: "X", help: "(default 1.75)" },
  { names: ["--dry-allowed-length"], value: "N", help: "(default 2)" },
  { names: ["--dry-penalty-last-n"], value: "N", help: "-1 = the context (default -1)" },
  {
    names: ["--dry-sequence-breaker"],
    value: "TEXT",
    many: true,
    help: 'replaces the default breakers; "none" = none',
  },
  { names: ["--dynatemp-range"], value: "X", help: "0 = off (default 0)" },
  { names: ["--dynatemp-exp"], value: "X", help: "(default 1)" },
  { names: ["--mirostat"], value: "N", help: "0 = off, 1 or 2 (default 0)" },
  { names: ["--mirostat-lr"], value: "X", help: "(default 0.1)" },
  { names: ["--mirostat-ent"], value: "X", help: "(default 5)" },
  {
    names: ["-l", "--logit-bias"],
    value: "ID(+/-)X",
    many: true,
    help: "for example 15043+1 or 15043-1",
  },
  { names: ["--samplers"], value: "A;B", help: "which samplers, in which order" },
  { names: ["--ignore-eos"], help: "go on after end-of-generation tokens" },
];

const SPEC_TYPES = ["none", "ngram-simple", "draft-simple"] as const;
const INT8 = ["auto", "on", "off"] as const;
const CACHE_TYPES: readonly CacheType[] = ["f32", "f16", "q8_0", "q4_0"];

/** Load options from {@link DEVICE_FLAGS} and {@link SPECULATION_FLAGS}. */
export function loadOptions(values: Values): LoadOptions {
  const chunk = values.integer("ubatch-size");
  const batch = values.integer("batch-size");
  for (const [name, value] of [
    ["-ub", chunk],
    ["-b", batch],
  ] as const)
    if (value !== undefined && value < 1) throw usage(`${name} is at least 1, not ${value}`);
  const context = values.integer("ctx-size");
  if (context !== undefined && context < 0) throw usage(`-c is at least 0, not ${context}`);
  const inFlight = values.integer("steps-in-flight");
  if (inFlight !== undefined && inFlight < 1)
    throw usage(`--steps-in-flight is at least 1, not ${inFlight}`);
  const threads = values.integer("threads");
  const layers = values.text("gpu-layers");
  const onCpu =
    layers !== undefined && !/^(all|auto)$/.test(layers) && values.integer("gpu-layers") === 0;
  const chunks = [chunk, batch].filter((n): n is number => n !== undefined);
  return {
    ...gettingOptions(values),
    device: onCpu ? "cpu" : (values.text("device") ?? "auto"),
    ...(context !== undefined && { contextLength: context }),
    ...(chunks.length > 0 && { chunk: Math.min(...chunks) }),
    // 0 and less are llama.cpp's "as many as seem right".
    ...(threads !== undefined && threads > 0 && { threads }),
    cacheTypeK: values.choice("cache-type-k", CACHE_TYPES) ?? "f16",
    cacheTypeV: values.choice("cache-type-v", CACHE_TYPES) ?? "f16",
    ...(inFlight !== undefined && { stepsInFlight: inFlight }),
    int8: values.choice("int8", INT8) ?? "off",
    noFuse: values.texts("no-fuse"),
    tuning: readTunings(),
    ...speculation(values),
  };
}

function speculation(values: Values): Pick<LoadOptions, "speculation"> {
  const repo = values.text("hf-repo-draft");
  const model = values.text("model-draft") ?? (repo === undefined ? undefined : `hf:${repo}`);
  const draftMax = values.integer("draft-max");
  const draftMin = values.integer("draft-min");
  const type =
    values.choice("spec-type", SPEC_TYPES) ?? (model === undefined ? "none" : "draft-simple");
  if (type === "none") return {};
  if (type === "draft-simple" && model === undefined)
    throw usage("--spec-type draft-simple needs a draft model: -md FILE or -hfd USER/REPO");
  const options: SpeculationOptions = {
    ...(type === "draft-simple" && { model }),
    ...(draftMax !== undefined && { draftMax }),
    ...(draftMin !== undefined && { draftMin }),
  };
  return { speculation: options };
}

/** Sampling options from {@link SAMPLING_FLAGS}; only what was given, the rest are the engine's defaults. */
export function samplingOptions(values: Values): SamplingOptions {
  const seed = values.integer("seed");
  const breakers = values.texts("dry-sequence-breaker");
  const bias = values.texts("logit-bias");
  const mirostat = values.choice("mirostat", ["0", "1", "2"]);
  const all: SamplingOptions = {
    seed: seed === undefined || seed < 0 ? undefined : seed,
    temperature: values.number("temp"),
    topK: values.integer("top-k"),
    topP: values.number("top-p"),
    minP: values.number("min-p"),
    typicalP: values.number("typical"),
    topNSigma: values.number("top-nsigma"),
    xtcProbability: values.number("xtc-probability"),
    xtcThreshold: values.number("xtc-threshold"),
    repeatLastN: values.integer("repeat-last-n"),
    repeatPenalty: values.number("repeat-penalty"),
    presencePenalty: values.number("presence-penalty"),
    frequencyPenalty: values.number("frequency-penalty"),
    dryMultiplier: values.number("dry-multiplier"),
    dryBase: values.number("dry-base"),
    dryAllowedLength: values.integer("dry-allowed-length"),
    dryPenaltyLastN: values.integer("dry-penalty-last-n"),
    drySequenceBreakers:
      breakers.length === 0 ? undefined : breakers.filter((text) => text !== "none"),
    dynatempRange: values.number("dynatemp-range"),
    dynatempExponent: values.number("dynatemp-exp"),
    mirostat: mirostat === undefined ? undefined : (Number(mirostat) as 0 | 1 | 2),
    mirostatLearningRate: values.number("mirostat-lr"),
    mirostatEntropy: values.number("mirostat-ent"),
    logitBias: bias.length === 0 ? undefined : new Map(bias.map(readBias)),
    samplers: values.text("samplers")?.split(";").filter(Boolean).map(samplerName),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  ) as SamplingOptions;
}

function readBias(text: string): [number, number] {
  const parts = /^(\d+)([+-].+)$/.exec(text);
  const value = Number(parts?.[2].replace(/^([+-])inf$/i, "$1Infinity"));
  if (!parts || Number.isNaN(value))
    throw usage(
      `--logit-bias wants a token id with a signed number, such as 15043-1, not "${text}"`,
    );
  return [Number(parts[1]), value];
}

/** Every sampler with its other spellings; one that is missing here does not compile. */
const SAMPLERS: { readonly [name in SamplerName]: readonly string[] } = {
  penalties: [],
  dry: [],
  top_n_sigma: ["top_nsigma"],
  top_k: [],
  typ_p: ["typical", "typical_p"],
  top_p: ["nucleus"],
  min_p: [],
  xtc: [],
  temperature: ["temp"],
};

function samplerName(text: string): SamplerName {
  const wanted = text.trim().replaceAll("-", "_");
  for (const [name, others] of Object.entries(SAMPLERS))
    if (name === wanted || others.includes(wanted)) return name as SamplerName;
  throw usage(`--samplers does not know "${text}"; it knows ${Object.keys(SAMPLERS).join(", ")}`);
}
