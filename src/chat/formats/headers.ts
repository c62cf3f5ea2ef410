/** Answers made of messages with headers (GPT-OSS and a few others), as they stream in. */
import { CallReader } from "./call-reader.ts";
import { Block, findMark, MAX_BLOCK } from "./find.ts";
import type { AnswerChannel, AnswerPiece, HeaderFormat, ParameterType, Syntax } from "./types.ts";
import { PieceWriter } from "./writer.ts";

/** Longest header; what is longer is text. */
const MAX_HEADER = 512;

type State =
  | { readonly at: "header"; readonly begin: string }
  | { readonly at: "text"; readonly channel: AnswerChannel }
  | {
      readonly at: "call";
      readonly syntax: Syntax;
      readonly source: string;
      readonly block: Block;
    };

/** Reads one answer; the prompt ends where the first header begins. */
export class HeaderParser {
  readonly #format: HeaderFormat;
  readonly #types: ParameterType;
  readonly #out = new PieceWriter();
  #state: State = { at: "header", begin: "" };
  /** A header that is not complete, or the end of text that may be the beginning of a mark. */
  #held = "";

  constructor(format: HeaderFormat, types: ParameterType) {
    this.#format = format;
    this.#types = types;
    this.#out.mark();
  }

  /** True inside a header or a tool call. */
  get inBlock(): boolean {
    return this.#state.at !== "text";
  }

  push(text: string): AnswerPiece[] {
    this.#read(this.#held + text, false);
    return this.#out.take();
  }

  end(): AnswerPiece[] {
    this.#read(this.#held, true);
    if (this.#state.at === "call") {
      const { syntax, source, block } = this.#state;
      this.#close(syntax, source, block);
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
      else rest = this.#call(state.syntax, state.source, state.block, rest);
    }
  }

  // Each of these takes text and gives back what another state has to read.

  #header(begin: string, text: string, last: boolean): string {
    const { headerEnd } = this.#format;
    const at = text.indexOf(headerEnd);
    if (at > MAX_HEADER || (at < 0 && (last || text.length > MAX_HEADER + headerEnd.length))) {
      // No header: an answer that does not keep to the format.
      this.#state = { at: "text", channel: "content" };
      this.#out.plain(begin);
      return text;
    }
    if (at < 0) {
      this.#held = text;
      return "";
    }
    const { channel, tool } = this.#format.read(begin + text.slice(0, at));
    const end = at + headerEnd.length;
    if (tool === undefined) {
      this.#out.mark();
      this.#state = { at: "text", channel };
    } else {
      const source = begin + text.slice(0, end);
      const syntax = this.#format.syntax(tool);
      const reader = new CallReader(syntax.parts, this.#out, this.#types);
      const ends = [...this.#format.begins, ...this.#format.ends];
      const block = new Block(ends, (part) => reader.push(part));
      this.#state = { at: "call", syntax, source, block };
    }
    return text.slice(end);
  }

  #text(channel: AnswerChannel, text: string, last: boolean): string {
    const { begins, ends } = this.#format;
    const { at, mark } = findMark(text, [...begins, ...ends], 0, last);
    this.#out.text(channel, text.slice(0, at));
    if (mark === undefined) {
      this.#held = text.slice(at);
      return "";
    }
    this.#out.mark();
    this.#after(mark);
    return text.slice(at + mark.length);
  }

  #call(syntax: Syntax, source: string, block: Block, text: string): string {
    const rest = block.add(text);
    if (block.tooLong) {
      const body = block.body();
      this.#state = { at: "text", channel: "content" };
      this.#out.plain(source + body.slice(0, MAX_BLOCK));
      return body.slice(MAX_BLOCK) + (block.closedBy ?? "") + rest;
    }
    if (block.closedBy !== undefined) {
      this.#close(syntax, source, block);
      this.#after(block.closedBy);
    }
    return rest;
  }

  #close(syntax: Syntax, source: string, block: Block): void {
    const body = block.body();
    const calls = syntax.parse(body, this.#types);
    if (calls === undefined) this.#out.plain(source + body);
    else this.#out.calls(source + body, calls);
  }

  /** What comes after a mark: a header, or text that belongs to none. */
  #after(mark: string): void {
    this.#state = this.#format.begins.includes(mark)
      ? { at: "header", begin: mark }
      : { at: "text", channel: "content" };
  }
}
