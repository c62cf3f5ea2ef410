/** A conversation as tokens, through the model's chat template. */

import { AnswerParser, formatsOf, startsInReasoning } from "../chat/formats/index.ts";
import type { ChatMessage } from "../chat/messages.ts";
import { type ChatTemplate, chatTemplateOf } from "../chat/template.ts";
import type { Metadata } from "../file/metadata.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { GenerateOptions } from "./types.ts";

/** A conversation ready to be computed, and what reads the answer to it. */
export interface RenderedChat {
  readonly tokens: readonly number[];
  /** Missing where the template shows no format of reasoning or tool calls. */
  readonly parser?: AnswerParser;
}

/**
 * Renders the messages and reads the text as tokens: what the template wrote with its special
 * tokens, what a message merely spells like one as plain text. A BOS that the template wrote itself
 * is not doubled by the tokenizer's.
 */
export function renderChat(
  metadata: Metadata,
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: GenerateOptions,
): RenderedChat {
  const template = templateFor(metadata, tokenizer, options.template?.template);
  const given = { ...options.template, template: undefined };
  const tools = options.tools ?? [];
  const segments = template.renderSegments(messages, tools, given, specialTexts(tokenizer));
  const tokens: number[] = [];
  segments.forEach(({ text, special }, i) => {
    const ids = tokenizer.encode(text, { addSpecial: i === 0, parseSpecial: special });
    for (const id of ids) tokens.push(id);
  });
  const { bos, eos } = tokenizer;
  if (tokenizer.addBos && bos !== undefined && tokens[0] === bos && tokens[1] === bos)
    tokens.shift();
  if (tokenizer.addEos && segments.length === 1 && tokens.at(-1) === eos) tokens.pop();
  if (options.reasoning === false) return { tokens };
  const formats = formatsOf(template.chosen(tools, given).source);
  if (formats.length === 0) return { tokens };
  const prompt = segments.map(({ text }) => text).join("");
  const parser = new AnswerParser(formats, {
    startsInReasoning: startsInReasoning(prompt, formats),
    tools: options.tools,
  });
  return { tokens, parser };
}

/** The template used last for a model, parsed. */
const templates = new WeakMap<
  Metadata,
  { readonly override: string | undefined; readonly template: ChatTemplate }
>();

function templateFor(
  metadata: Metadata,
  tokenizer: Tokenizer,
  override: string | undefined,
): ChatTemplate {
  const known = templates.get(metadata);
  if (known && known.override === override) return known.template;
  const text = (id: number | undefined): string => (id === undefined ? "" : tokenizer.token(id));
  const facts = { bosToken: text(tokenizer.bos), eosToken: text(tokenizer.eos) };
  const template = chatTemplateOf(metadata, facts, override);
  templates.set(metadata, { override, template });
  return template;
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
