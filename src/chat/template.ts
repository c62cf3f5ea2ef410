/** Chat templates: the model's own Jinja text turns a conversation into a prompt, within limits. */
import { commonPrefix } from "../base/common-prefix.ts";
import { WebggufError } from "../base/errors.ts";
import { atOnce } from "../base/steps.ts";
import type { Metadata } from "../file/metadata.ts";
import { LimitError } from "../jinja/budget.ts";
import { type RenderOptions, renderTemplateSteps } from "../jinja/interpreter.ts";
import type { Template } from "../jinja/nodes.ts";
import { parseTemplate } from "../jinja/parser.ts";
import { strftime } from "../jinja/time.ts";
import { type AnswerFrame, answerFrame, type Continuation, continued } from "./continue.ts";
import { formatsOf } from "./formats/index.ts";
import type { ChatMessage, ToolDefinition } from "./messages.ts";
import {
  type Attempt,
  type Message,
  plainMessage,
  prepareMessages,
  prepareTools,
} from "./prepare.ts";
import { cutPrompt, deep, type PromptSegment, type Written } from "./segments.ts";

export type { PromptSegment };

export interface ChatTemplateOptions {
  /** Template text instead of the file's; empty = the file's. */
  template?: string;
  /** Add the start of the assistant's answer. @default true */
  addGenerationPrompt?: boolean;
  /**
   * The last message, the assistant's, is no whole answer but the beginning of the one that is asked
   * for, which goes on in its reasoning or its content; true = in the reasoning if it has no content.
   * @default false
   */
  continueFinalMessage?: false | Continuation;
  /** `enable_thinking` and other variables of the template. */
  kwargs?: Readonly<Record<string, unknown>>;
  /** The clock of `date_string`, `datetime` and `strftime_now`, in local time. @default the current time */
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

/** Work that a small conversation may take; real templates need less than a tenth. */
const PROBE_UNITS = 2 ** 20;

/** A chat template, parsed: renders conversations to prompts. */
export class ChatTemplate {
  /** The template's text. */
  readonly source: string;
  readonly facts: TemplateFacts;
  readonly #parsed: Template;
  readonly #withTools: ChatTemplate | undefined;
  #override: ChatTemplate | undefined;
  /** What became of small conversations that told what the template is able to do. */
  readonly #tried = new Map<string, string | undefined>();
  #heavy = false;
  #frame: AnswerFrame | undefined;

  /**
   * `toolSource` is a variant for conversations with tools, which some files bring.
   * Errors: `template/failed` when a source does not parse.
   */
  constructor(source: string, facts: TemplateFacts, toolSource?: string) {
    this.source = source;
    this.facts = facts;
    try {
      this.#parsed = parseTemplate(source);
    } catch (cause) {
      throw failed(facts, cause);
    }
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
    const prepared = atOnce(chosen.#prepare(messages, options));
    return atOnce(chosen.#fill(prepared, prepareTools(tools), options));
  }

  /** The prompt of prepared messages and tools. */
  *#fill(
    messages: readonly Message[],
    tools: readonly object[],
    options: ChatTemplateOptions,
    written?: Written,
  ): Generator<void, string> {
    const { continueFinalMessage: channel, addGenerationPrompt = true } = options;
    const given = { ...options, written };
    if (!channel) return yield* this.#write(messages, tools, given, addGenerationPrompt);
    const before = messages.slice(0, -1);
    const plain = yield* this.#write(before, tools, given, false);
    const asking = yield* this.#write(before, tools, options, true);
    const generation = asking.slice(commonPrefix(plain, asking));
    this.#frame ??= answerFrame(this.#try, formatsOf(this.source));
    return plain + continued(messages.at(-1) ?? {}, channel, generation, this.#frame);
  }

  #write(
    messages: readonly Message[],
    tools: readonly object[],
    options: ChatTemplateOptions & Partial<RenderOptions>,
    ask: boolean,
  ): Generator<void, string> {
    const now = options.now ?? new Date();
    const keep = options.kwargs?.["preserve_reasoning"];
    return this.#variables(
      {
        bos_token: this.facts.bosToken,
        eos_token: this.facts.eosToken,
        date_string: strftime(now, "%d %b %Y"),
        datetime: strftime(now, "%b %d %Y"),
        // One switch for what templates call by different names.
        ...(typeof keep === "boolean" && {
          preserve_thinking: keep,
          clear_thinking: !keep,
          truncate_history_thinking: !keep,
          drop_thinking: !keep,
        }),
        ...options.kwargs,
        messages,
        add_generation_prompt: ask,
        ...(tools.length > 0 ? { tools } : {}),
      },
      options,
    );
  }

  *#prepare(
    given: readonly ChatMessage[],
    { continueFinalMessage }: ChatTemplateOptions,
  ): Generator<void, Message[]> {
    // White space around texts keeps StepFun 3.5 thinking for ever; llama.cpp takes it off as well.
    const trims = this.source.includes("following functions in JSONSchema format");
    const messages = trims ? deep(given, (text) => text.trim()) : given;
    if (!continueFinalMessage) return yield* prepareMessages(messages, this.#try);
    const before = yield* prepareMessages(messages.slice(0, -1), this.#try);
    return [...before, ...given.slice(-1).map(plainMessage)];
  }

  /** A small conversation, rendered once; undefined where the template refuses it. */
  readonly #try: Attempt = (probe) => {
    const key = JSON.stringify(probe);
    if (!this.#tried.has(key) && !this.#heavy) this.#tried.set(key, this.#attempt(probe));
    return this.#tried.get(key);
  };

  #attempt(probe: readonly Message[]): string | undefined {
    try {
      const kwargs = { enable_thinking: true, thinking: true };
      return atOnce(this.#write(probe, [], { kwargs, units: PROBE_UNITS }, false));
    } catch (error) {
      if (!(error instanceof WebggufError)) throw error;
      // One that works so hard on so little is tried no more.
      const { cause } = error as { cause?: { cause?: unknown } };
      if (cause instanceof LimitError || cause?.cause instanceof LimitError) this.#heavy = true;
      return undefined;
    }
  }

  /** The template with exactly these variables. Errors: `template/failed`. */
  renderVariables(
    variables: Readonly<Record<string, unknown>>,
    options: Partial<RenderOptions> = {},
  ): string {
    return atOnce(this.#variables(variables, options));
  }

  *#variables(
    variables: Readonly<Record<string, unknown>>,
    { now = new Date(), units, written }: Partial<RenderOptions>,
  ): Generator<void, string> {
    try {
      return yield* renderTemplateSteps(this.#parsed, variables, { now, units, written });
    } catch (cause) {
      throw failed(this.facts, cause);
    }
  }

  /**
   * The prompt in stretches, so that special tokens which a user only spelled are not read as such:
   * a stretch with `special: false` is to be tokenized as plain text. `specials` are the texts of the
   * vocabulary's control tokens. Where no message spells one, there is a single stretch. `written` is
   * given the text as it comes, and may refuse it.
   * Errors: `template/failed`.
   */
  renderSegments(...input: Parameters<ChatTemplate["segmentSteps"]>): PromptSegment[] {
    return atOnce(this.segmentSteps(...input));
  }

  /** {@link renderSegments} in steps. */
  *segmentSteps(
    messages: readonly ChatMessage[],
    tools: readonly ToolDefinition[],
    options: ChatTemplateOptions,
    specials: readonly string[],
    written?: Written,
  ): Generator<void, PromptSegment[]> {
    const chosen = this.chosen(tools, options);
    return yield* cutPrompt(
      (...input) => chosen.#fill(input[0], input[1], options, input[2]),
      yield* chosen.#prepare(messages, options),
      prepareTools(tools),
      specials,
      written,
    );
  }

  /** The template that {@link render} uses: an override, the tools variant, or this one. */
  chosen(tools: readonly ToolDefinition[], options: ChatTemplateOptions): ChatTemplate {
    if (options.template && options.template !== this.source) {
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
  if (override) return new ChatTemplate(variant(override) ?? override, named);
  const source = metadata.string("tokenizer.chat_template", "") || DEFAULT_TEMPLATE;
  return new ChatTemplate(source, named, variant("tool_use"));
}

/** Whatever goes wrong in a template is `template/failed`. */
function failed({ file }: TemplateFacts, cause: unknown): WebggufError {
  if (cause instanceof WebggufError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  const short = why.length > 500 ? `${why.slice(0, 500)}…` : why;
  return new WebggufError(
    "template/failed",
    `Cannot use the chat template of ${file ?? "the model"}: ${short.replace(/\s+/g, " ")}; another one can be given as \`template\``,
    { file, cause },
  );
}
