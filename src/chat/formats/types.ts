/** The words that parsing of answers is described in: pieces, tool calls, formats. */

import type { Incoming, Reading } from "./incoming.ts";

export type AnswerChannel = "content" | "reasoning" | "tool";

/** A call as the model wrote it, understood. */
export interface ParsedToolCall {
  /** The model's own id, where its format has one. */
  readonly id?: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** A call with what was told of it while it was written. */
export interface AnsweredCall extends ParsedToolCall {
  /** Its number among the calls of the answer, from 0 on. */
  readonly index: number;
  /** The arguments as JSON text. */
  readonly json: string;
}

/** Part of a call, while it is written. */
export interface CallPart {
  readonly index: number;
  /** With the first part. */
  readonly name?: string;
  /** With the first part, or, where the model writes it behind the arguments, with the last; null if the model writes none. */
  readonly id?: string | null;
  /** More of the arguments, as JSON text. */
  readonly arguments: string;
}

/** A stretch of an answer. */
export interface AnswerPiece {
  readonly channel: AnswerChannel;
  /** Content or reasoning without marks; for the first of a block's calls the block as written. */
  readonly text: string;
  readonly toolCall?: AnsweredCall;
  readonly part?: CallPart;
}

/** What the caller's schema says of a parameter: to be read as text, as JSON, or nothing. */
export type ParameterType = (tool: string, parameter: string) => "text" | "json" | undefined;

/** Reads a block; undefined = not a call. */
export type ParseCalls = (body: string, types: ParameterType) => ParsedToolCall[] | undefined;

/** Where calls go while they are read. */
export interface CallSink {
  /** @param id null if the model writes none, undefined if it comes behind the arguments */
  begin(name: string, id: string | null | undefined): void;
  /** More of the arguments, as JSON text. */
  readonly add: (json: string) => void;
  /** The arguments are complete. */
  end(): void;
}

/**
 * Reads a block while it comes, as far as its calls are certain: the parse function of its format has
 * the last word. Ends, throws Unreadable, or waits for more.
 */
export type ReadParts = (input: Incoming, sink: CallSink, types: ParameterType) => Reading;

/** Both ways to read a block. */
export interface Syntax {
  readonly parse: ParseCalls;
  readonly parts: ReadParts;
}

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
  readonly syntax?: Syntax;
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
  /** How a message to that function is read. */
  syntax(tool: string): Syntax;
}

export type AnswerFormat = MarkFormat | HeaderFormat;
