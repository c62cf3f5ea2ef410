/** The words that parsing of answers is described in: pieces, tool calls, formats. */

import type { Incoming, Reading } from "./incoming.ts";

export type AnswerChannel = "content" | "reasoning" | "tool";

/** A call as the model wrote it. */
export interface AnsweredCall {
  /** Its number among the calls of the answer, from 0 on. */
  readonly index: number;
  /** The model's own id, where its format has one. */
  readonly id?: string;
  readonly name: string;
  /** JSON text; numbers have all the digits that the model wrote. */
  readonly arguments: string;
  /** The answer ended inside the call, or the call cannot be read to its end: the arguments so far. */
  readonly unfinished?: true;
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
  /** Content or reasoning without marks; for a call what was written of it. */
  readonly text: string;
  readonly toolCall?: AnsweredCall;
  readonly part?: CallPart;
}

/** The schema of a function's parameter, if the caller gave one. */
export type SchemaOf = (tool: string, parameter: string) => unknown;

/** Where calls go while they are read. */
export interface CallSink {
  /** True for the functions that the model may call. */
  offers(name: string): boolean;
  /**
   * Throws Unreadable for a function that is not offered.
   *
   * @param id null if the model writes none, undefined if it may come behind the arguments
   */
  begin(name: string, id: string | null | undefined): void;
  /** The id of the call that has begun. */
  identify(id: string): void;
  /** More of the arguments, as JSON text. */
  readonly add: (json: string) => void;
  /** The call is complete. */
  end(): void;
}

/**
 * Reads calls while they are written. Waits for more, ends behind the last call, or throws Unreadable
 * where the text is no call.
 */
export type ReadCalls = (
  input: Incoming,
  sink: CallSink,
  schemaOf: SchemaOf,
  /** The mark that ends the block, left to the caller; empty if there is none. */
  end: string,
) => Reading;

/** Reasoning, tool calls, or nothing at all, between two marks. */
export interface MarkFormat {
  readonly kind: "marks";
  readonly name: string;
  /** "content": the start mark is dropped, and content goes on. */
  readonly channel: AnswerChannel;
  readonly start: string;
  /** Empty: none. */
  readonly end: string;
  /** Only where no content stands before. */
  readonly first?: boolean;
  /** The start mark is part of what is read. */
  readonly inclusive?: boolean;
  /** The start mark ends reasoning that is still open; for a call, if it is one. */
  readonly endsReasoning?: boolean;
  /** The end mark is dropped wherever it stands alone. */
  readonly strays?: boolean;
  /** For tool calls. */
  readonly read?: ReadCalls;
}

/** What a header says: the channel of its message, or how the call in it is read. */
export type Header = { readonly channel: AnswerChannel } | { readonly read: ReadCalls };

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
  /** Beginnings of answers that have no header. */
  readonly noHeader?: RegExp;
  /** Undefined for what is no header. */
  header(text: string, offers: (name: string) => boolean): Header | undefined;
}

export type AnswerFormat = MarkFormat | HeaderFormat;
