/** A vocabulary of all bytes and an end: every text is reachable, and a token is a byte. */
import {
  type GrammarVocabulary,
  grammarVocabulary,
  type TokenTexts,
} from "../../../src/grammar/vocabulary.ts";
import type { Tokenizer } from "../../../src/tokenizer/tokenizer.ts";

const END = 256;
const single = Array.from({ length: END }, (_, byte) => Uint8Array.of(byte));

export const byteTokenizer: TokenTexts & Pick<Tokenizer, "encode"> = {
  size: END + 1,
  endTokens: new Set([END]),
  bytes: (id) => single[id] ?? new Uint8Array(),
  encode: (text) =>
    Int32Array.from(typeof text === "string" ? new TextEncoder().encode(text) : text),
};

export const byteVocabulary: GrammarVocabulary = grammarVocabulary(byteTokenizer);
