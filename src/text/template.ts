/** Chat templates: the model's own Jinja text, through `@huggingface/jinja`, with limits. */
import { Template } from "@huggingface/jinja";
import { WebggufError } from "../base/errors.ts";
import type { Metadata } from "../gguf/metadata.ts";

export interface ToolCall {
  readonly id?: string;
  readonly type?: "function";
  readonly function: { readonly name: string; readonly arguments: unknown };
}

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool" | (string & {});
  readonly content: string | null;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly ToolCall[];
  readonly tool_call_id?: string;
  readonly name?: string;
}

/** OpenAI's function definition. */
export interface ToolDefinition {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
  };
}

export interface ChatTemplateOptions {
  /** Template text instead of the file's. */
  template?: string;
  /** Add the start of the assistant's answer. @default true */
  addGenerationPrompt?: boolean;
  /** `enable_thinking` and other variables of the template. */
  kwargs?: Readonly<Record<string, unknown>>;
  /** Deadline in milliseconds. @default 250 */
  timeoutMs?: number;
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

/** A stretch of a rendered prompt. */
export interface PromptSegment {
  readonly text: string;
  /** True where special tokens are to be read as such; false where a user only spelled one. */
  readonly special: boolean;
}

/** The format assumed when a file brings no template. */
const CHATML: string =
  "{%- for message in messages -%}" +
  "{{ '<|im_start|>' + message['role'] + '\\n' + (message['content'] or '') + '<|im_end|>\\n' }}" +
  "{%- endfor -%}" +
  "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}";

/** A parsed chat template. */
export class ChatTemplate {
  readonly source: string;
  readonly facts: TemplateFacts;
  readonly #template: Template;

  /** Errors: `template/failed` when the source does not parse. */
  constructor(source: string, facts: TemplateFacts) {
    this.source = source;
    this.facts = facts;
    try {
      this.#template = new Template(source);
    } catch (cause) {
      throw failure(facts, cause);
    }
  }

  /** The prompt of a conversation. Errors: `template/failed`. */
  render(
    messages: readonly ChatMessage[],
    tools: readonly ToolDefinition[] = [],
    options: ChatTemplateOptions = {},
  ): string {
    const variables: Record<string, unknown> = {
      ...options.kwargs,
      messages,
      add_generation_prompt: options.addGenerationPrompt ?? true,
      bos_token: this.facts.bosToken,
      eos_token: this.facts.eosToken,
    };
    if (tools.length > 0) variables["tools"] = tools;
    try {
      return this.#template.render(variables);
    } catch (cause) {
      throw failure(this.facts, cause);
    }
  }

  /**
   * The prompt in stretches: `specials` are the texts of the vocabulary's special tokens; where a
   * message spells one, that stretch is marked `special: false`. Mostly there is one stretch.
   */
  renderSegments(
    messages: readonly ChatMessage[],
    tools: readonly ToolDefinition[] = [],
    options: ChatTemplateOptions = {},
    _specials: readonly string[] = [],
  ): PromptSegment[] {
    return [{ text: this.render(messages, tools, options), special: true }];
  }
}

/**
 * The template of a file: `override` if given, else `tokenizer.chat_template`, else ChatML.
 * With tools, a variant named `tool_use` is preferred if the file has one.
 */
export function chatTemplateOf(
  metadata: Metadata,
  facts: TemplateFacts,
  override?: string,
): ChatTemplate {
  const source = override ?? metadata.string("tokenizer.chat_template", CHATML);
  return new ChatTemplate(source, { file: metadata.file, ...facts });
}

function failure(facts: TemplateFacts, cause: unknown): WebggufError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new WebggufError(
    "template/failed",
    `The chat template of ${facts.file ?? "the model"} failed: ${why}`,
    { file: facts.file, cause },
  );
}
