/** Conversations, in OpenAI's form. */

export interface ToolCall {
  readonly id?: string;
  readonly type?: "function";
  readonly function: { readonly name: string; readonly arguments: unknown };
  /**
   * In an answer: it ended inside this call, or the call could not be read to its end. The arguments
   * are as far as they came, and may be no JSON.
   */
  readonly unfinished?: true;
}

/** A part of a message's content. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

export interface ChatMessage {
  readonly role: "system" | "developer" | "user" | "assistant" | "tool" | (string & {});
  /** Parts are joined with line breaks, unless the template takes them as they are. */
  readonly content?: string | readonly TextPart[] | null;
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
