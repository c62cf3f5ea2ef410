/** The words that parsing of answers is described in: pieces, tool calls, formats. */

export type AnswerChannel = "content" | "reasoning" | "tool";

/** A call as the model wrote it, understood. */
export interface ParsedToolCall {
  /** The model's own id, where its format has one. */
  readonly id?: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** A stretch of an answer. */
export interface AnswerPiece {
  readonly channel: AnswerChannel;
  /** Content or reasoning without marks; for the first of a block's calls the block as written. */
  readonly text: string;
  readonly toolCall?: ParsedToolCall;
}

/** What the caller's schema says of a parameter: to be read as text, as JSON, or nothing. */
export type ParameterType = (tool: string, parameter: string) => "text" | "json" | undefined;

/** Reads a block; undefined = not a call. */
export type ParseCalls = (body: string, types: ParameterType) => ParsedToolCall[] | undefined;

/** Reasoning, tool calls, or nothing at all, between two marks. */
export interface MarkFormat {
  readonly kind: "marks";
  readonly name: string;
  /** "content": the start mark is dropped, and content goes on. */
  readonly channel: AnswerChannel;
  readonly start: string;
  /** Empty: up to the end of the answer. */
  readonly end: string;
  /** Only where no content stands before. */
  readonly first?: boolean;
  /** The start mark is part of the block that is parsed. */
  readonly inclusive?: boolean;
  /** False once the beginning of a block cannot become a call any more, however it goes on. */
  readonly plausible?: (body: string) => boolean;
  readonly parse?: ParseCalls;
}

/** Answers made of messages with a header that names channel or recipient. */
export interface HeaderFormat {
  readonly kind: "headers";
  readonly name: string;
  /** Begin a header. */
  readonly begins: readonly string[];
  /** Ends a header. */
  readonly headerEnd: string;
  /** End a message. */
  readonly ends: readonly string[];
  /** What a header says; `tool` is the name of the function called. */
  read(header: string): { readonly channel: AnswerChannel; readonly tool?: string };
  parse(body: string, tool: string, types: ParameterType): ParsedToolCall[] | undefined;
}

export type AnswerFormat = MarkFormat | HeaderFormat;
