/** Chat templates: the model's own Jinja text turns a conversation into a prompt, within limits. */
import { WebggufError } from "../base/errors.ts";
import type { Metadata } from "../file/metadata.ts";
import { type RenderOptions, renderTemplate } from "../jinja/interpreter.ts";
import type { Template } from "../jinja/nodes.ts";
import { parseTemplate } from "../jinja/parser.ts";
import type { ChatMessage, ToolDefinition } from "./messages.ts";
import { cutPrompt, type PromptSegment } from "./segments.ts";

export type { PromptSegment };

export interface ChatTemplateOptions {
  /** Template text instead of the file's. */
  template?: string;
  /** Add the start of the assistant's answer. @default true */
  addGenerationPrompt?: boolean;
  /** `enable_thinking` and other variables of the template. */
  kwargs?: Readonly<Record<string, unknown>>;
  /** The clock of `strftime_now`. @default the current time */
  now?: Date;
}

/** What a template needs to know of the model. */
export interface TemplateFacts {
  /** Text of the BOS token; empty when there is none. */
  readonly bosToken: string;
  /** Text of the EOS token; empty when there is none. */
  readonly eosToken: string;
  /** File name, for error messages. */
  readonly file?: string;
}

/** The format assumed when a file brings no template: ChatML. */
export const DEFAULT_TEMPLATE: string =
  "{%- for message in messages -%}" +
  "{{ '<|im_start|>' + message.role + '\\n' + (message.content or '') + '<|im_end|>\\n' }}" +
  "{%- endfor -%}" +
  "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}";

/** A chat template, parsed: renders conversations to prompts. */
export class ChatTemplate {
  /** The template's text. */
  readonly source: string;
  readonly facts: TemplateFacts;
  readonly #parsed: Template;
  readonly #withTools: ChatTemplate | undefined;
  #override: ChatTemplate | undefined;

  /**
   * `toolSource` is a variant for conversations with tools, which some files bring.
   * Errors: `template/failed` when a source does not parse.
   */
  constructor(source: string, facts: TemplateFacts, toolSource?: string) {
    this.source = source;
    this.facts = facts;
    this.#parsed = guard(facts, () => parseTemplate(source));
    if (toolSource !== undefined) this.#withTools = new ChatTemplate(toolSource, facts);
  }

  /**
   * The prompt of a conversation.
   * Errors: `template/failed` when the template refuses the conversation, fails or goes over its limits.
   */
  render(
    messages: readonly ChatMessage[],
    tools: readonly ToolDefinition[] = [],
    options: ChatTemplateOptions = {},
  ): string {
    const chosen = this.chosen(tools, options);
    const variables = {
      bos_token: this.facts.bosToken,
      eos_token: this.facts.eosToken,
      ...options.kwargs,
      messages,
      add_generation_prompt: options.addGenerationPrompt ?? true,
      ...(tools.length > 0 ? { tools } : {}),
    };
    return chosen.renderVariables(variables, options);
  }

  /** The template with exactly these variables. Errors: `template/failed`. */
  renderVariables(
    variables: Readonly<Record<string, unknown>>,
    { now = new Date(), units }: Partial<RenderOptions> = {},
  ): string {
    return guard(this.facts, () => renderTemplate(this.#parsed, variables, { now, units }));
  }

  /**
   * The prompt in stretches, so that special tokens which a user only spelled are not read as such:
   * a stretch with `special: false` is to be tokenized as plain text. `specials` are the texts of the
   * vocabulary's control tokens. Where no message spells one, there is a single stretch.
   * Errors: `template/failed`.
   */
  renderSegments(
    messages: readonly ChatMessage[],
    tools: readonly ToolDefinition[],
    options: ChatTemplateOptions,
    specials: readonly string[],
  ): PromptSegment[] {
    return cutPrompt((m, t) => this.render(m, t, options), messages, tools, specials);
  }

  /** The template that {@link render} uses: an override, the tools variant, or this one. */
  chosen(tools: readonly ToolDefinition[], options: ChatTemplateOptions): ChatTemplate {
    if (options.template !== undefined && options.template !== this.source) {
      if (this.#override?.source !== options.template)
        this.#override = new ChatTemplate(options.template, this.facts);
      return this.#override;
    }
    return (tools.length > 0 ? this.#withTools : undefined) ?? this;
  }
}

/**
 * The template of a file: `override` if given (template text, or the name of a variant in the file),
 * else `tokenizer.chat_template` with its `tool_use` variant, else ChatML.
 * Errors: `template/failed` when it does not parse, `model/invalid` when the file's value is no text.
 */
export function chatTemplateOf(
  metadata: Metadata,
  facts: TemplateFacts,
  override?: string,
): ChatTemplate {
  const named = { file: metadata.file, ...facts };
  const variant = (name: string): string | undefined => {
    const key = `tokenizer.chat_template.${name}`;
    return metadata.has(key) ? metadata.string(key) : undefined;
  };
  if (override !== undefined) return new ChatTemplate(variant(override) ?? override, named);
  const source = metadata.string("tokenizer.chat_template", DEFAULT_TEMPLATE);
  return new ChatTemplate(source, named, variant("tool_use"));
}

/** Runs a step of the template; whatever goes wrong in it becomes `template/failed`. */
function guard<T>(facts: TemplateFacts, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    if (cause instanceof WebggufError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const short = why.length > 500 ? `${why.slice(0, 500)}…` : why;
    throw new WebggufError(
      "template/failed",
      `Cannot use the chat template of ${facts.file ?? "the model"}: ${short.replace(/\s+/g, " ")}; another one can be given as \`template\``,
      { file: facts.file, cause },
    );
  }
}
