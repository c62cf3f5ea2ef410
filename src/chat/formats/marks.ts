/** Answers with marks around reasoning and tool calls, as they stream in. */
import { CallReader } from "./call-reader.ts";
import { findMark } from "./find.ts";
import type { AnswerChannel, AnswerPiece, MarkFormat, SchemaOf } from "./types.ts";
import type { PieceWriter } from "./writer.ts";

/** Reads one answer in linear time. */
export class MarkParser {
  readonly #formats: readonly MarkFormat[];
  readonly #starts: readonly string[];
  /** The marks that end open reasoning, besides its own end. */
  readonly #breaks: readonly string[];
  readonly #schemaOf: SchemaOf;
  readonly #out: PieceWriter;
  /** The reasoning that is open. */
  #reasoning: MarkFormat | undefined;
  /** The calls that are open, or, without a reader, what cannot be read of them. */
  #block: { readonly format: MarkFormat; readonly reader?: CallReader } | undefined;
  /**
   * Reasoning in which a call was begun, and its text from there on. If its end comes after all, the
   * call was only thought of; if the answer ends first, the call is one.
   */
  #draft: { readonly format: MarkFormat; text: string } | undefined;
  /** The end of what has come that may be the beginning of a mark. */
  #held = "";
  /** Nothing but white space has come since reasoning was opened. */
  #fresh = false;

  constructor(
    formats: readonly MarkFormat[],
    out: PieceWriter,
    schemaOf: SchemaOf,
    startsIn: AnswerChannel | false | undefined,
  ) {
    // Ends of reasoning that the prompt has closed already or that never began, and ends that follow
    // a call's own, are no text; without a word in them (a fence of code) they are.
    const ends = formats
      .filter(({ channel, end }) => channel !== "content" && /\w/.test(end))
      .map(
        ({ name, end, strays }): MarkFormat => ({
          kind: "marks",
          name,
          channel: "content",
          start: end,
          end: "",
          first: !strays,
        }),
      );
    this.#formats = [...formats, ...ends];
    this.#starts = this.#formats.map((format) => format.start);
    this.#breaks = formats.flatMap(({ endsReasoning, start }) => (endsReasoning ? [start] : []));
    this.#schemaOf = schemaOf;
    this.#out = out;
    if (startsIn === "reasoning")
      this.#begin(formats.find(({ channel }) => channel === "reasoning"));
  }

  /** True inside a tool call. */
  get inBlock(): boolean {
    return this.#block !== undefined;
  }

  push(text: string): AnswerPiece[] {
    if (this.#draft) this.#draft.text += text;
    this.#read(this.#held + text, false);
    return this.#out.take();
  }

  end(cut: boolean): AnswerPiece[] {
    if (!cut) {
      this.#read(this.#held, true);
      const { format, reader } = this.#block ?? {};
      if (format && reader && !reader.end()) this.#none(format, reader);
    }
    this.#release(cut);
    this.#out.finish();
    return this.#out.take();
  }

  #read(text: string, last: boolean): void {
    this.#held = "";
    let rest = text;
    while (rest !== "") {
      if (this.#block) rest = this.#calls(this.#block.format, this.#block.reader, rest, last);
      else if (this.#reasoning) rest = this.#thought(this.#reasoning, rest, last);
      else rest = this.#content(rest, last);
    }
  }

  // Each of these takes text and gives back what another state has to read.

  #content(text: string, last: boolean): string {
    for (let from = 0; ; ) {
      const { at, mark } = findMark(text, this.#starts, from, last);
      this.#out.text("content", text.slice(from, at));
      if (mark === undefined) {
        this.#held = text.slice(at);
        return "";
      }
      const rest = text.slice(at + mark.length);
      if (mark === this.#draft?.format.end) {
        this.#revert(mark + rest);
        return mark + rest;
      }
      const format = this.#formats.find((one) => one.start === mark) as MarkFormat;
      if (!format.first || !this.#out.spoken) {
        this.#begin(format);
        return format.inclusive ? mark + rest : rest;
      }
      // Content that mentions a mark.
      this.#out.text("content", text[at]);
      from = at + 1;
    }
  }

  #begin(format: MarkFormat | undefined): void {
    if (format?.read) {
      const reader = new CallReader(format.read, this.#out, this.#schemaOf, format.end);
      this.#block = { format, reader };
      return;
    }
    this.#out.mark();
    this.#reasoning = format?.channel === "reasoning" ? format : undefined;
    this.#fresh = true;
  }

  #thought(format: MarkFormat, text: string, last: boolean): string {
    // Some models write the start mark although the prompt ends with it.
    const wanted = [format.end, ...(this.#fresh ? [format.start] : []), ...this.#breaks];
    const { at, mark } = findMark(text, wanted, 0, last);
    const said = text.slice(0, at);
    this.#out.text("reasoning", said);
    if (said.trim() !== "") this.#fresh = false;
    if (mark === undefined) {
      this.#held = text.slice(at);
      return "";
    }
    const rest = text.slice(at + mark.length);
    if (mark === format.end) this.#begin(undefined);
    else if (mark !== format.start) {
      const other = this.#formats.find((one) => one.start === mark) as MarkFormat;
      if (other.read) {
        this.#draft = { format, text: mark + rest };
        this.#out.hold();
      }
      this.#begin(other);
      if (other.inclusive) return mark + rest;
    } else if (this.#fresh) this.#out.mark();
    else this.#out.text("reasoning", mark);
    return rest;
  }

  #calls(format: MarkFormat, reader: CallReader | undefined, text: string, last: boolean): string {
    if (!reader) {
      const { at, mark } = findMark(text, [format.end], 0, last);
      if (mark === undefined) this.#held = text.slice(at);
      else this.#block = undefined;
      return mark === undefined ? "" : text.slice(at + mark.length);
    }
    const state = reader.push(text);
    if (state === "open") return "";
    if (state === "broken" && this.#draft) {
      const rest = reader.rest();
      this.#revert(rest);
      return rest;
    }
    this.#block = state === "broken" ? { format } : undefined;
    if (state === "none") this.#none(format, reader);
    else this.#out.mark();
    if (this.#out.told) this.#reasoning = undefined;
    else this.#release();
    return reader.rest();
  }

  /** All of the draft before `rest` is reasoning, which goes on. */
  #revert(rest: string): void {
    const { format, text } = this.#draft as { format: MarkFormat; text: string };
    this.#out.revert();
    this.#out.text("reasoning", text.slice(0, text.length - rest.length));
    this.#draft = this.#block = undefined;
    this.#reasoning = format;
  }

  #release(cut = false): void {
    this.#draft = undefined;
    this.#out.release(cut);
  }

  /** What was taken for a call, or for another one behind a call, is text. */
  #none(format: MarkFormat, reader: CallReader): void {
    const start = format.inclusive || this.#out.told ? "" : format.start;
    const channel = this.#reasoning && !this.#out.told ? "reasoning" : "content";
    this.#out.plain(channel, start + reader.taken());
  }
}
