/** The vocabulary of a GGUF file: its tokens, what they are, and the rules around them. */
import { WebggufError } from "../../base/errors.ts";
import { quoted } from "../../base/text.ts";
import type { Metadata } from "../../file/metadata.ts";
import { type PreTokenizer, preTokenizer } from "../pretokenize/index.ts";
import { attribute } from "./attributes.ts";
import { type SpecialIds, specialIds } from "./special.ts";

/** `tokenizer.ggml.token_type` (1 normal … 6 byte) to attribute bits; others have none. */
const attributeOfType = [
  0,
  attribute.normal,
  attribute.unknown,
  attribute.control,
  attribute.userDefined,
  attribute.unused,
  attribute.byte,
];

/** The tokenization algorithm: SentencePiece, BPE, WordPiece, Unigram, RWKV's or PLaMo 2's own. */
export type Family = "spm" | "bpe" | "wordpiece" | "unigram" | "rwkv" | "plamo";

const families: ReadonlyMap<string, Family> = new Map<string, Family>([
  ["llama", "spm"],
  ["gpt2", "bpe"],
  ["gemma4", "bpe"],
  ["whitespace", "bpe"],
  ["bert", "wordpiece"],
  ["t5", "unigram"],
  ["rwkv", "rwkv"],
  ["plamo2", "plamo"],
]);

/** Ids of special tokens where the file names none. */
const defaultIds: Readonly<Record<Family, SpecialIds>> = {
  spm: { bos: 1, eos: 2, unk: 0 },
  bpe: { bos: 11, eos: 11 },
  wordpiece: { bos: 101, unk: 100, sep: 102, pad: 0 },
  unigram: { eos: 1, unk: 2, pad: 0 },
  rwkv: {},
  plamo: { bos: 1, eos: 2, unk: 0, pad: 3 },
};

/** A vocabulary, checked and ready for the algorithms. */
export interface Vocabulary {
  readonly file: string;
  /** `tokenizer.ggml.model` as the file has it. */
  readonly kind: string;
  readonly family: Family;
  readonly tokens: readonly string[];
  /** Token text to id; of equal texts the first counts. */
  readonly ids: ReadonlyMap<string, number>;
  /** {@link attribute} bits, by id. */
  readonly attributes: Uint8Array;
  /** By id; all 0 where the file has none. */
  readonly scores: ArrayLike<number>;
  /** Only for BPE. */
  readonly pre: PreTokenizer;
  readonly special: SpecialIds;
  readonly endTokens: ReadonlySet<number>;
  readonly addBos: boolean;
  readonly addEos: boolean;
  readonly addSpacePrefix: boolean;
  readonly removeExtraSpaces: boolean;
  /** Spaces are written U+2581 in the tokens. */
  readonly escapeSpaces: boolean;
  /** Spaces before punctuation and contractions are taken out of decoded text. */
  readonly cleanSpaces: boolean;
  readonly lowerCase: boolean;
  readonly stripAccents: boolean;
}

const key = (name: string): string => `tokenizer.ggml.${name}`;

function invalid(metadata: Metadata, name: string, problem: string, details: object): WebggufError {
  return new WebggufError(
    "model/invalid",
    `Cannot use metadata key "${key(name)}" of ${metadata.file}: ${problem}`,
    { file: metadata.file, key: key(name), ...details },
  );
}

/** The kind of tokenizer, or the error that says there is none. */
function familyOf(metadata: Metadata): { kind: string; family: Family } {
  const kind = metadata.string(key("model"), "");
  const family = families.get(kind);
  if (family) return { kind, family };
  const found = kind === "" ? `no "${key("model")}"` : `the tokenizer ${quoted(kind)}`;
  throw new WebggufError(
    "model/no-tokenizer",
    `Cannot turn text into tokens: ${metadata.file} has ${found}, known are ${[...families.keys()].join(", ")}; give token ids instead`,
    {
      file: metadata.file,
      key: key("model"),
      expected: [...families.keys()],
      actual: kind || undefined,
    },
  );
}

/** Far more empty tokens than any vocabulary has. */
const mostEmpty = 1 << 16;

function tokensOf(metadata: Metadata): string[] {
  if (!metadata.has(key("tokens")))
    throw new WebggufError(
      "model/no-tokenizer",
      `Cannot turn text into tokens: ${metadata.file} has no "${key("tokens")}"; give token ids instead`,
      { file: metadata.file, key: key("tokens") },
    );
  const tokens = metadata.strings(key("tokens"));
  if (tokens.length === 0)
    throw invalid(metadata, "tokens", "it is empty", { expected: "one token or more", actual: 0 });
  let empty = 0;
  for (const text of tokens) if (text === "") empty++;
  // Each gets a text of its own, which takes many times its bytes in the file.
  if (empty > mostEmpty)
    throw invalid(metadata, "tokens", `${empty} tokens are empty`, {
      expected: mostEmpty,
      actual: empty,
    });
  return tokens.map((text, id) => (text === "" ? `[EMPTY_${id}]` : text));
}

/** An optional table with one number a token. */
function perToken(metadata: Metadata, name: string, count: number): ArrayLike<number> | undefined {
  if (!metadata.has(key(name))) return undefined;
  const values = metadata.numbers(key(name));
  if (values.length < count)
    throw invalid(metadata, name, `it has ${values.length} entries for ${count} tokens`, {
      expected: count,
      actual: values.length,
    });
  return values;
}

function attributesOf(metadata: Metadata, count: number): Uint8Array {
  const attributes = new Uint8Array(count).fill(attribute.normal);
  const types = perToken(metadata, "token_type", count);
  if (types) for (let id = 0; id < count; id++) attributes[id] = attributeOfType[types[id]] ?? 0;
  return attributes;
}

/** Reads and checks everything but the tables that only one algorithm needs. */
export function readVocabulary(metadata: Metadata): Vocabulary {
  const { kind, family } = familyOf(metadata);
  const tokens = tokensOf(metadata);
  const ids = new Map<string, number>();
  for (let id = tokens.length - 1; id >= 0; id--) ids.set(tokens[id], id);
  const attributes = attributesOf(metadata, tokens.length);
  const scores = perToken(metadata, "scores", tokens.length) ?? new Float32Array(tokens.length);

  const preName = kind === "gemma4" ? "gemma4" : metadata.string(key("pre"), "");
  const pre = preTokenizer(family === "bpe" ? preName || "default" : "default");
  if (!pre)
    throw new WebggufError(
      "model/unsupported",
      `Cannot turn text into tokens: ${metadata.file} names the unknown pre-tokenizer ${quoted(preName)}; give token ids instead`,
      { file: metadata.file, key: key("pre"), actual: preName },
    );
  const defaults = { ...defaultIds[family] };
  if (kind === "gemma4" || pre.noDefaultBos) defaults.bos = undefined;
  if (kind === "gemma4") defaults.eos = undefined;
  const { special, endTokens } = specialIds({ metadata, tokens, ids, attributes, defaults });

  const byDefault = {
    addBos: family === "spm" || family === "wordpiece" || (family === "bpe" && pre.addBos),
    addEos: family === "unigram",
  };
  const addBos = pre.alwaysBos || metadata.boolean(key("add_bos_token"), byDefault.addBos);
  const addEos = metadata.boolean(key("add_eos_token"), byDefault.addEos);
  const lowerCase = metadata.boolean(key("normalizer.lowercase"), kind !== "whitespace");
  return {
    file: metadata.file,
    kind,
    family,
    tokens,
    ids,
    attributes,
    scores,
    pre,
    special,
    endTokens,
    addBos: addBos && special.bos !== undefined,
    addEos: addEos && special.eos !== undefined,
    addSpacePrefix: metadata.boolean(key("add_space_prefix"), family === "spm"),
    removeExtraSpaces: metadata.boolean(key("remove_extra_whitespaces"), false),
    escapeSpaces: family !== "bpe" || pre.escapeSpaces,
    cleanSpaces: family === "wordpiece" || (family === "bpe" && pre.cleanSpaces),
    lowerCase,
    stripAccents: metadata.boolean(key("normalizer.strip_accents"), lowerCase),
  };
}
