/** Answers made of messages with headers (GPT-OSS and a few others), as they stream in. */
import { CallReader } from "./call-reader.ts";
import { findMark } from "./find.ts";
import type { AnswerChannel, AnswerPiece, HeaderFormat, SchemaOf } from "./types.ts";
import type { PieceWriter } from "./writer.ts";

/** Longest header; what is longer is text. */
const MAX_HEADER = 512;

type State =
  | { readonly at: "header"; readonly begin: string }
  /** Text of the channel "tool" belongs to a call that cannot be read: it is left out. */
  | { readonly at: "text"; readonly channel: AnswerChannel }
  | { readonly at: "call"; readonly source: string; readonly reader: CallReader };

/** Reads one answer; the prompt ends where the first header begins, or in a channel's text. */
export class HeaderParser {
  readonly #format: HeaderFormat;
  readonly #schemaOf: SchemaOf;
  readonly #out: PieceWriter;
  #state: State;
  /** A header that is not complete, or the end of text that may be the beginning of a mark. */
  #held = "";

  constructor(
    format: HeaderFormat,
    out: PieceWriter,
    schemaOf: SchemaOf,
    startsIn: AnswerChannel | undefined,
  ) {
    this.#format = format;
    this.#schemaOf = schemaOf;
    this.#out = out;
    this.#state = startsIn ? { at: "text", channel: startsIn } : { at: "header", begin: "" };
    out.mark();
  }

  /** True inside a header or a tool call. */
  get inBlock(): boolean {
    return this.#state.at !== "text";
  }

  push(text: string): AnswerPiece[] {
    this.#read(this.#held + text, false);
    return this.#out.take();
  }

  end(cut: boolean): AnswerPiece[] {
    if (!cut) {
      this.#read(this.#held, true);
      if (this.#state.at === "call") {
        const { source, reader } = this.#state;
        if (!reader.end()) this.#none(source, reader);
      }
    }
    this.#out.finish();
    return this.#out.take();
  }

  #read(text: string, last: boolean): void {
    this.#held = "";
    let rest = text;
    while (rest !== "") {
      const state = this.#state;
      if (state.at === "header") rest = this.#header(state.begin, rest, last);
      else if (state.at === "text") rest = this.#text(state.channel, rest, last);
      else rest = this.#call(state.source, state.reader, rest);
    }
  }

  // Each of these takes text and gives back what another state has to read.

  #header(begin: string, text: string, last: boolean): string {
    const { headerEnd, noHeader } = this.#format;
    const none = begin === "" && noHeader?.test(text);
    const at = none ? -1 : text.indexOf(headerEnd);
    if (at < 0 && !none && !last && text.length <= MAX_HEADER + headerEnd.length) {
      this.#held = text;
      return "";
    }
    const source = begin + text.slice(0, at);
    const header =
      at < 0 || at > MAX_HEADER ? undefined : this.#format.header(source, this.#out.offers);
    if (header === undefined) {
      // An answer that does not keep to the format.
      this.#state = { at: "text", channel: "content" };
      this.#out.plain("content", begin);
      return text;
    }
    if ("read" in header) {
      const reader = new CallReader(header.read, this.#out, this.#schemaOf);
      this.#state = { at: "call", source: source + headerEnd, reader };
    } else {
      this.#out.mark();
      this.#state = { at: "text", channel: header.channel };
    }
    return text.slice(at + headerEnd.length);
  }

  #text(channel: AnswerChannel, text: string, last: boolean): string {
    const { begins, ends } = this.#format;
    const { at, mark } = findMark(text, [...begins, ...ends], 0, last);
    if (channel !== "tool") this.#out.text(channel, text.slice(0, at));
    if (mark === undefined) {
      this.#held = text.slice(at);
      return "";
    }
    this.#out.mark();
    this.#state = begins.includes(mark)
      ? { at: "header", begin: mark }
      : { at: "text", channel: "content" };
    return text.slice(at + mark.length);
  }

  #call(source: string, reader: CallReader, text: string): string {
    const state = reader.push(text);
    if (state === "open") return "";
    this.#state = { at: "text", channel: state === "broken" ? "tool" : "content" };
    if (state === "none") this.#none(source, reader);
    else this.#out.mark();
    return reader.rest();
  }

  /** What was taken for a call, or for another one behind a call, is content. */
  #none(source: string, reader: CallReader): void {
    this.#out.plain("content", (this.#out.told ? "" : source) + reader.taken());
  }
}
