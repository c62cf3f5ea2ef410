/** What the options of models and sessions may be, and their prompts. */
import {
  callback,
  checkOptions,
  flag,
  ids,
  isObject,
  json,
  listOf,
  MOST,
  objectOf,
  oneOf,
  type Rule,
  type Rules,
  refuse,
  rule,
  signal,
  text,
  texts,
  whole,
} from "../base/options.ts";
import { renderRules } from "../chat/options.ts";
import type { CacheType } from "../graph/settings.ts";
import { fusionNames } from "../plan/fuse/index.ts";
import type { DeviceTuning } from "../plan/tuning-types.ts";
import { samplingRules } from "../sample/options.ts";
import { isChat, isParts } from "./prompt.ts";
import { gettingRules, modelSource } from "./source-rules.ts";
import type {
  GenerateOptions,
  LoadOptions,
  Prompt,
  PromptPart,
  SavedSession,
  SpeculationOptions,
} from "./types.ts";

/** Sequences of a model at most, as in llama.cpp. */
const MOST_SEQUENCES = 256;

/** Answers to one prompt at most, as at OpenAI. */
const MOST_ANSWERS = 128;

/** What `restore` may be given. */
export const savedRule: Rule<SavedSession> = rule(
  "the bytes of a saved session",
  (value) => value instanceof Uint8Array || value instanceof ArrayBuffer || value instanceof Blob,
);

const cacheType = oneOf<CacheType>("f32", "f16", "q8_0", "q4_0");
const drafting = objectOf<SpeculationOptions>({
  model: modelSource,
  draftMax: whole(1),
  draftMin: whole(0),
});

/** What {@link LoadOptions} may be. */
export const loadRules: Rules<LoadOptions> = {
  device: text,
  contextLength: whole(0, MOST),
  cacheTypeK: cacheType,
  cacheTypeV: cacheType,
  chunk: whole(1, MOST),
  threads: whole(1),
  maxSequences: whole(1, MOST_SEQUENCES),
  stepsInFlight: whole(1),
  int8: oneOf("auto", "on", "off"),
  tuning: listOf(
    objectOf<DeviceTuning>(
      {
        adapter: text,
        threads: whole(1),
        lanes: whole(1),
        weightRows: whole(1),
        batchWeightRows: whole(1),
        unroll: flag,
        subgroup: whole(0),
        tile: whole(1),
        splits: whole(1),
        positions: whole(1),
        int8: flag,
        fuseNorm: flag,
        fuseStore: flag,
      },
      ["adapter"],
    ),
  ),
  noFuse: listOf(oneOf(...fusionNames)),
  speculation(value, name) {
    if (typeof value === "object") drafting(value, name);
    else oneOf("none", "ngram")(value, name);
  },
  ...gettingRules,
};

/** What {@link GenerateOptions} may be. */
export const generateRules: Rules<GenerateOptions> = {
  ...samplingRules,
  ...renderRules,
  n: whole(1, MOST_ANSWERS),
  maxTokens: whole(-1),
  stop: texts,
  ignoreEos: flag,
  logprobs: whole(0),
  parseSpecial: flag,
  shareCache: flag,
  speculation: oneOf("none", "ngram", "draft"),
  grammar: text,
  jsonSchema(value, name) {
    if (typeof value === "boolean") return;
    if (!isObject(value) || Array.isArray(value)) refuse(name, "a JSON Schema", value);
    json(value, name);
  },
  regex: text,
  choice: listOf(text),
  responseFormat: oneOf("text", "json_object"),
  toolChoice(value, name) {
    if (typeof value === "object")
      objectOf<{ name: string }>({ name: text }, ["name"])(value, name);
    else oneOf("none", "auto", "required")(value, name);
  },
  parallelToolCalls: flag,
  grammarTriggers: listOf((value, name) =>
    (typeof value === "number" ? whole(0) : text)(value as never, name),
  ),
  filter: callback,
  signal,
};

/** Refuses what are no token ids or parts; which ids there are, and how wide rows, the model says. */
export function checkTokens(tokens: ArrayLike<number> | readonly PromptPart[]): void {
  if (!isParts(tokens)) return ids(tokens, "the prompt");
  tokens.forEach((part, i) => {
    const one = Object(part);
    if (!("rows" in one)) return ids(part, `parts[${i}]`);
    const { rows } = one;
    rule("a Float32Array", () => rows instanceof Float32Array)(rows, `parts[${i}].rows`);
  });
}

/** The options of `generate` and its prompt; messages are checked where they are rendered. */
export function checkGenerate(prompt: Prompt, options: GenerateOptions): void {
  checkOptions(options, generateRules);
  if (typeof prompt === "string" || isChat(prompt)) return;
  if (Object(prompt) !== prompt)
    refuse("the prompt", "a text, or a list of messages, of token ids or of parts", prompt);
  checkTokens(prompt);
}
