/** A conversation as text and tokens, through the model's chat template. */
import { contextOverflow } from "../base/overflow.ts";
import { atOnce } from "../base/steps.ts";
import type { Metadata } from "../file/metadata.ts";
import { encodeSteps, exceeding, type Tokenizer } from "../tokenizer/tokenizer.ts";
import { checkMessages } from "./check.ts";
import { goesOnIn } from "./continue.ts";
import { AnswerParser, formatsOf, startsInReasoning } from "./formats/index.ts";
import type { ChatMessage, ToolDefinition } from "./messages.ts";
import { type ChatTemplate, type ChatTemplateOptions, chatTemplateOf } from "./template.ts";

/** How a conversation becomes a prompt. */
export interface RenderOptions {
  /** How the chat template is filled. */
  template?: ChatTemplateOptions;
  /** Functions that the model may call. */
  tools?: readonly ToolDefinition[];
  /** Tell reasoning and tool calls apart from the content, where the format is known. @default true */
  reasoning?: boolean;
}

/** A conversation as the model reads it. */
export interface RenderedPrompt {
  readonly text: string;
  readonly tokens: readonly number[];
}

/** A conversation ready to be computed, and what reads the answer to it. */
export interface RenderedChat extends RenderedPrompt {
  /** Missing where the template shows no format of reasoning or tool calls. */
  readonly parser?: AnswerParser;
  /** The template's own text. */
  readonly template?: string;
}

/**
 * Renders the messages and reads the text as tokens, a stretch at a time: what the template wrote
 * with its special tokens, what a message merely spells like one as plain text. A BOS that the
 * template wrote itself is not doubled by the tokenizer's. Text that surely has more tokens than
 * `context` is refused while it is written, and with `exact` any that has more, without going on.
 */
export function* renderSteps(
  metadata: Metadata,
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: RenderOptions,
  context: number = Number.POSITIVE_INFINITY,
  exact = true,
): Generator<void, RenderedChat> {
  checkMessages(messages);
  const template = templateFor(metadata, tokenizer, options.template?.template);
  const given = { ...options.template, template: undefined };
  const tools = options.tools ?? [];
  const exceeds = exceeding(tokenizer, context);
  const segments = yield* template.segmentSteps(
    messages,
    tools,
    given,
    specialTexts(tokenizer),
    exceeds &&
      ((piece) => {
        if (exceeds(piece)) throw contextOverflow(context);
      }),
  );
  const text = segments.map((segment) => segment.text).join("");
  const tokens: number[] = [];
  for (const [i, { text: part, special }] of segments.entries()) {
    const adds = { addSpecial: i === 0, parseSpecial: special };
    // Room for a doubled BOS and an EOS, which are taken away.
    const room = exact ? context + 2 - tokens.length : Number.POSITIVE_INFINITY;
    const ids = yield* encodeSteps(tokenizer, part, adds, room);
    if (!ids) throw contextOverflow(context);
    for (const id of ids) tokens.push(id);
  }
  const { bos, eos } = tokenizer;
  if (tokenizer.addBos && bos !== undefined && tokens[0] === bos && tokens[1] === bos)
    tokens.shift();
  if (tokenizer.addEos && segments.length === 1 && tokens.at(-1) === eos) tokens.pop();
  const { source } = template.chosen(tools, given);
  const rendered = { text, tokens, template: source };
  if (options.reasoning === false) return rendered;
  const formats = formatsOf(source);
  if (formats.length === 0) return rendered;
  const channel = given.continueFinalMessage;
  const parser = new AnswerParser(formats, {
    startsInReasoning: startsInReasoning(text, formats),
    ...(channel && { continues: goesOnIn(messages.at(-1) ?? {}, channel) }),
    tools: options.tools,
  });
  return { ...rendered, parser };
}

/** {@link renderSteps} at once. */
export const renderChat = (...input: Parameters<typeof renderSteps>): RenderedChat =>
  atOnce(renderSteps(...input));

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
