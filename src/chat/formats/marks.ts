/** Answers with marks around reasoning and tool calls, as they stream in. */
import { CallReader } from "./call-reader.ts";
import { Block, findMark, MAX_BLOCK } from "./find.ts";
import type { AnswerPiece, MarkFormat, ParameterType } from "./types.ts";
import { PieceWriter } from "./writer.ts";

/** Reads one answer. Time is linear in its length; memory is bounded by the longest block. */
export class MarkParser {
  readonly #formats: readonly MarkFormat[];
  readonly #starts: readonly string[];
  readonly #types: ParameterType;
  readonly #out = new PieceWriter();
  /** The reasoning or the calls that are open, the latter with what has come of them. */
  #open: MarkFormat | undefined;
  #block = new Block([]);
  #reader: CallReader | undefined;
  /** The end of what has come that may be the beginning of a mark. */
  #held = "";
  /** Nothing but white space has come since reasoning was opened. */
  #fresh = false;

  constructor(formats: readonly MarkFormat[], types: ParameterType, reasoning: boolean) {
    const thoughts = formats.filter((format) => format.channel === "reasoning");
    // The end of reasoning that the prompt has closed already, or that never began, is no text.
    const ends = thoughts.map(
      ({ name, end }): MarkFormat => ({
        kind: "marks",
        name,
        channel: "content",
        start: end,
        end: "",
        first: true,
      }),
    );
    this.#formats = [...formats, ...ends];
    this.#starts = this.#formats.map((format) => format.start);
    this.#types = types;
    if (reasoning && thoughts.length > 0) this.#begin(thoughts[0]);
  }

  /** True inside a tool call. */
  get inBlock(): boolean {
    return this.#open?.channel === "tool";
  }

  push(text: string): AnswerPiece[] {
    this.#read(this.#held + text, false);
    return this.#out.take();
  }

  end(): AnswerPiece[] {
    this.#read(this.#held, true);
    if (this.#open?.channel === "tool") this.#close(this.#open);
    this.#out.finish();
    return this.#out.take();
  }

  #read(text: string, last: boolean): void {
    this.#held = "";
    let rest = text;
    while (rest !== "") {
      if (this.#open === undefined) rest = this.#content(rest, last);
      else if (this.#open.channel === "tool") rest = this.#calls(this.#open, rest);
      else rest = this.#reasoning(this.#open, rest, last);
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
      const format = this.#formats.find((one) => one.start === mark) as MarkFormat;
      if (!format.first || !this.#out.spoken) {
        this.#begin(format);
        return text.slice(format.inclusive ? at : at + mark.length);
      }
      // Content that mentions a mark.
      this.#out.text("content", text[at]);
      from = at + 1;
    }
  }

  #begin(format: MarkFormat): void {
    if (format.channel !== "tool") this.#out.mark();
    if (format.channel === "content") return;
    this.#open = format;
    this.#fresh = true;
    const { syntax } = format;
    this.#reader = syntax && new CallReader(syntax.parts, this.#out, this.#types);
    this.#block = new Block(format.end === "" ? [] : [format.end], (text) =>
      this.#reader?.push(text),
    );
  }

  #reasoning(format: MarkFormat, text: string, last: boolean): string {
    // Some models write the start mark although the prompt ends with it.
    const wanted = this.#fresh ? [format.end, format.start] : [format.end];
    const { at, mark } = findMark(text, wanted, 0, last);
    const said = text.slice(0, at);
    this.#out.text("reasoning", said);
    if (said.trim() !== "") this.#fresh = false;
    if (mark === undefined) {
      this.#held = text.slice(at);
      return "";
    }
    if (mark === format.end || this.#fresh) this.#out.mark();
    else this.#out.text("reasoning", mark);
    if (mark === format.end) this.#open = undefined;
    return text.slice(at + mark.length);
  }

  #calls(format: MarkFormat, text: string): string {
    const rest = this.#block.add(text);
    const implausible = format.plausible?.(this.#block.beginning) === false;
    if (implausible || this.#block.tooLong) return this.#giveUp(format, implausible, rest);
    if (this.#block.closedBy !== undefined) this.#close(format);
    return rest;
  }

  /**
   * The start mark was text: what followed it is read again. A block that is too long stays text as
   * far as it was waited for, so that nothing is read more than twice.
   */
  #giveUp(format: MarkFormat, implausible: boolean, rest: string): string {
    const body = this.#block.body();
    const whole = (format.inclusive ? "" : format.start) + body;
    const certain = implausible ? format.start.length : whole.length - body.length + MAX_BLOCK;
    this.#open = undefined;
    this.#out.plain(whole.slice(0, certain));
    return whole.slice(certain) + (this.#block.closedBy ?? "") + rest;
  }

  #close(format: MarkFormat): void {
    const { closedBy = "" } = this.#block;
    const body = this.#block.body();
    const source = (format.inclusive ? "" : format.start) + body + closedBy;
    if (format.inclusive) this.#reader?.push(closedBy);
    const calls = format.syntax?.parse(format.inclusive ? source : body, this.#types);
    this.#open = undefined;
    if (calls === undefined) this.#out.plain(source);
    else this.#out.calls(source, calls);
  }
}
