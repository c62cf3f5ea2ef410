/** A conversation as tokens, through the model's chat template. */
import type { Metadata } from "../gguf/metadata.ts";
import { type ChatMessage, chatTemplateOf } from "../text/template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { GenerateOptions } from "./types.ts";

/**
 * Renders the messages and reads the text as tokens: what the template wrote with its special
 * tokens, what a message merely spells like one as plain text. A BOS that the template wrote itself
 * is not doubled by the tokenizer's.
 */
export function chatTokens(
  metadata: Metadata,
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: GenerateOptions,
): number[] {
  const text = (id: number | undefined): string => (id === undefined ? "" : tokenizer.token(id));
  const facts = { bosToken: text(tokenizer.bos), eosToken: text(tokenizer.eos) };
  const template = chatTemplateOf(metadata, facts, options.template?.template);
  const segments = template.renderSegments(
    messages,
    options.tools ?? [],
    { ...options.template, template: undefined },
    specialTexts(tokenizer),
  );
  const tokens: number[] = [];
  segments.forEach(({ text: part, special }, i) => {
    const ids = tokenizer.encode(part, { addSpecial: i === 0, parseSpecial: special });
    for (const id of ids) tokens.push(id);
  });
  const { bos, eos } = tokenizer;
  if (tokenizer.addBos && bos !== undefined && tokens[0] === bos && tokens[1] === bos)
    tokens.shift();
  if (tokenizer.addEos && segments.length === 1 && tokens.at(-1) === eos) tokens.pop();
  return tokens;
}

const texts = new WeakMap<Tokenizer, readonly string[]>();

/** Texts of all special tokens; looked up once a tokenizer. */
function specialTexts(tokenizer: Tokenizer): readonly string[] {
  let all = texts.get(tokenizer);
  if (!all) {
    all = Array.from({ length: tokenizer.size }, (_, id) => id)
      .filter((id) => tokenizer.isSpecial(id))
      .map((id) => tokenizer.token(id));
    texts.set(tokenizer, all);
  }
  return all;
}
