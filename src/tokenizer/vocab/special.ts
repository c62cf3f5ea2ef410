/**
 * Which tokens have a role, and which of them end generation.
 *
 * Files name some by id. The rest are known by their text, as llama.cpp does it, since many files
 * leave them out; such a token counts as a control token whatever its declared type.
 */
import type { Metadata } from "../../file/metadata.ts";
import { attribute } from "./attributes.ts";

/** Ids of tokens with a role; undefined where a vocabulary has none. */
export interface SpecialIds {
  bos?: number;
  eos?: number;
  unk?: number;
  sep?: number;
  pad?: number;
  mask?: number;
  /** End of a turn. */
  eot?: number;
  /** End of a message, when more of the turn follows. */
  eom?: number;
  /** Fill-in-the-middle: padding, repository name and file separator, which end generation. */
  fimPad?: number;
  fimRepository?: number;
  fimSeparator?: number;
  /** Fill-in-the-middle: what comes before the hole, after it, and the hole's own mark. */
  fimPrefix?: number;
  fimSuffix?: number;
  fimMiddle?: number;
}

/** Metadata keys (after `tokenizer.ggml.`); if two keys name the same role, the later one counts. */
const keyOf: readonly (readonly [keyof SpecialIds, string])[] = [
  ["bos", "bos_token_id"],
  ["eos", "eos_token_id"],
  ["eot", "eot_token_id"],
  ["eom", "eom_token_id"],
  ["unk", "unknown_token_id"],
  ["sep", "seperator_token_id"],
  ["pad", "padding_token_id"],
  ["mask", "mask_token_id"],
  ["fimPrefix", "fim_pre_token_id"],
  ["fimSuffix", "fim_suf_token_id"],
  ["fimMiddle", "fim_mid_token_id"],
  ["fimPad", "fim_pad_token_id"],
  ["fimRepository", "fim_rep_token_id"],
  ["fimSeparator", "fim_sep_token_id"],
  ["fimPrefix", "prefix_token_id"],
  ["fimSuffix", "suffix_token_id"],
  ["fimMiddle", "middle_token_id"],
];

const deepseekEnd = "<｜end▁of▁sentence｜>";

/** Texts that give a role to a token where the file does not. */
const textsOf: readonly (readonly [keyof SpecialIds, readonly string[]])[] = [
  [
    "eot",
    [
      "<|eot_id|>",
      "<|im_end|>",
      "<|end|>",
      "<end_of_turn>",
      "<|endoftext|>",
      "<|end_of_text|>",
      "<EOT>",
      "_<EOT>",
      "[EOT]",
      deepseekEnd,
      "<end_of_utterance>",
    ],
  ],
  ["eom", ["<|eom_id|>"]],
  [
    "fimPrefix",
    [
      "<|fim_prefix|>",
      "<fim-prefix>",
      "<fim_prefix>",
      "<｜fim▁begin｜>",
      "<PRE>",
      "▁<PRE>",
      "<|code_prefix|>",
      "<|prefix|>",
    ],
  ],
  [
    "fimSuffix",
    [
      "<|fim_suffix|>",
      "<fim-suffix>",
      "<fim_suffix>",
      "<｜fim▁hole｜>",
      "<SUF>",
      "▁<SUF>",
      "<|code_suffix|>",
      "<|suffix|>",
    ],
  ],
  [
    "fimMiddle",
    [
      "<|fim_middle|>",
      "<fim-middle>",
      "<fim_middle>",
      "<｜fim▁end｜>",
      "<MID>",
      "▁<MID>",
      "<|code_middle|>",
      "<|middle|>",
    ],
  ],
  ["fimPad", ["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"]],
  ["fimRepository", ["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"]],
  ["fimSeparator", ["<|file_sep|>"]],
];

/** Texts that end generation, wherever they stand in a vocabulary. */
const endTexts: readonly string[] = [
  "<|eot_id|>",
  "<|im_end|>",
  "<|end|>",
  "<|return|>",
  "<|call|>",
  "<|flush|>",
  "<|calls|>",
  "<end_of_turn>",
  "<|endoftext|>",
  "</s>",
  "<|eom_id|>",
  "<EOT>",
  "_<EOT>",
  "[EOT]",
  "[EOS]",
  "<|end_of_text|>",
  "<end_of_utterance>",
  "<eos>",
  "<turn|>",
  "<|tool_response>",
  deepseekEnd,
  "[e~[",
];

/** Tokens of the harmony format that must stay visible. */
const visibleTexts: readonly string[] = [
  "<|channel|>",
  "<|message|>",
  "<|start|>",
  "<|constrain|>",
];

interface Input {
  metadata: Metadata;
  tokens: readonly string[];
  ids: ReadonlyMap<string, number>;
  /** Changed: tokens found by their text become control tokens. */
  attributes: Uint8Array;
  defaults: SpecialIds;
}

/** The ids that the file names; those out of range count as not named. */
function namedIds({ metadata, tokens, defaults }: Input): SpecialIds {
  const special: SpecialIds = {};
  for (const [role, id] of Object.entries(defaults) as [keyof SpecialIds, number | undefined][])
    if (id !== undefined && id < tokens.length) special[role] = id;
  for (const [role, name] of keyOf) {
    if (!metadata.has(`tokenizer.ggml.${name}`)) continue;
    const id = metadata.number(`tokenizer.ggml.${name}`);
    if (Number.isInteger(id) && id >= 0 && id < tokens.length) special[role] = id;
  }
  return special;
}

function endTokensOf(special: SpecialIds, { ids, attributes }: Input): Set<number> {
  const ends = new Set<number>();
  for (const id of [special.fimPad, special.fimRepository, special.fimSeparator])
    if (id !== undefined) ends.add(id);
  for (const text of endTexts) {
    const id = ids.get(text);
    if (id === undefined) continue;
    ends.add(id);
    attributes[id] |= attribute.control;
  }
  for (const id of [special.eos, special.eot, special.eom]) if (id !== undefined) ends.add(id);

  const has = (...texts: string[]): boolean =>
    texts.some((text) => ids.has(text) && ends.has(ids.get(text)!));
  // In the harmony format and its kin <|end|> only ends a message, and the turn goes on.
  if (has("<|end|>") && has("<|call|>", "<|calls|>") && has("<|return|>", "<|flush|>")) {
    const id = ids.get("<|end|>")!;
    ends.delete(id);
    attributes[id] = attribute.userDefined;
  }
  // Gemma 4 ends with its own marks; </s> is an HTML tag there.
  if (has("<|tool_response>") && has("</s>")) {
    const id = ids.get("</s>")!;
    ends.delete(id);
    attributes[id] = attribute.normal;
  }
  return ends;
}

/** Sets LSTRIP and RSTRIP, which files do not state, by the model's name. */
function addStripping({ metadata, ids, attributes }: Input): void {
  const text = (key: string): string => {
    const value = metadata.get(key);
    return typeof value === "string" ? value : "";
  };
  const set = (token: string, bit: number, on: boolean): void => {
    const id = ids.get(token);
    if (id !== undefined) attributes[id] = on ? attributes[id] | bit : attributes[id] & ~bit;
  };
  const pre = text("tokenizer.ggml.pre");
  const name = text("general.name").toLowerCase();
  const architecture = text("general.architecture");
  if (
    ["jina-v2-de", "jina-v2-es", "jina-v2-code"].some((part) => pre.includes(part)) ||
    ["nomic-bert-moe", "jina-bert-v3"].some((part) => architecture.includes(part))
  ) {
    set("<mask>", attribute.stripLeft, true);
  } else if (name.includes("phi-3") || name.includes("phi3")) {
    const special = attribute.control | attribute.userDefined | attribute.unknown;
    for (let id = 0; id < attributes.length; id++)
      if (attributes[id] & special) attributes[id] |= attribute.stripRight;
    set("</s>", attribute.stripRight, true);
    for (const token of ["<unk>", "<s>", "<|endoftext|>"]) set(token, attribute.stripRight, false);
  } else if (name.includes("modern-bert")) {
    set("[MASK]", attribute.stripLeft, true);
  }
}

/** Finds the tokens with a role and those that end generation, and marks them in `attributes`. */
export function specialIds(input: Input): { special: SpecialIds; endTokens: Set<number> } {
  const { ids, attributes } = input;
  const special = namedIds(input);
  for (const [role, texts] of textsOf) {
    if (special[role] !== undefined) continue;
    const found = texts.map((text) => ids.get(text)).filter((id) => id !== undefined);
    if (found.length === 0) continue;
    special[role] = Math.min(...found);
    attributes[special[role]] |= attribute.control;
  }
  const endTokens = endTokensOf(special, input);
  for (const text of visibleTexts) {
    const id = ids.get(text);
    if (id !== undefined) attributes[id] = attribute.userDefined;
  }
  addStripping(input);
  return { special, endTokens };
}
