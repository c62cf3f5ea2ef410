/** Chat templates: the model's own Jinja text, through `@huggingface/jinja`, with limits. (Filled in by the text station.) */

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
