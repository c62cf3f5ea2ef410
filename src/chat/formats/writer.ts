/** Collects the pieces of an answer. White space next to marks belongs to neither side. */
import type { AnswerChannel, AnswerPiece, CallPart, CallSink, ParsedToolCall } from "./types.ts";

/** White space that is held back at most, in case a mark follows; what is beyond stays text. */
const MAX_GAP = 256;

/** A call of the block that is being written. */
interface WrittenCall {
  readonly name: string;
  /** The model writes its id behind the arguments. */
  readonly lateId: boolean;
  /** What was told of the arguments. */
  json: string;
  complete: boolean;
}

export class PieceWriter implements CallSink {
  #pieces: AnswerPiece[] = [];
  /** White space after the last text, not given out yet, and whose it is. */
  #gap = "";
  #channel: AnswerChannel = "content";
  #skipSpace = false;

  /** The calls of earlier blocks. */
  #calls = 0;
  /** The calls of the block that is being written, as far as they are certain. */
  #written: WrittenCall[] = [];

  /** True once content was given out since the beginning or the last mark. */
  spoken = false;

  /** Text between marks. */
  text(channel: AnswerChannel, text: string): void {
    const added = this.#skipSpace ? text.trimStart() : text;
    if (added === "") return;
    this.#skipSpace = false;
    this.#channel = channel;
    const all = this.#gap + added;
    const end = Math.max(all.trimEnd().length, all.length - MAX_GAP);
    this.#gap = all.slice(end);
    if (end > 0) this.#give({ channel, text: all.slice(0, end) });
  }

  /** A mark stood here: the white space around it goes. */
  mark(): void {
    this.#gap = "";
    this.#skipSpace = true;
    this.spoken = false;
  }

  /** A block of calls; `source` is how it was written. */
  calls(source: string, calls: readonly ParsedToolCall[]): void {
    this.mark();
    const before = this.#written;
    calls.forEach((call, i) => {
      const index = this.#calls + i;
      const written = before[i]?.name === call.name ? before[i] : undefined;
      const json = written?.complete ? written.json : JSON.stringify(call.arguments);
      const rest = json.startsWith(written?.json ?? "") ? json.slice(written?.json.length) : "";
      if (written === undefined)
        this.#part({ index, name: call.name, id: call.id ?? null, arguments: rest });
      else if (written.lateId) this.#part({ index, id: call.id ?? null, arguments: rest });
      else if (rest !== "") this.#part({ index, arguments: rest });
      this.#give({
        channel: "tool",
        text: i === 0 ? source : "",
        toolCall: { ...call, index, json },
      });
    });
    this.#calls += Math.max(calls.length, before.length);
    this.#written = [];
    this.spoken = false;
  }

  begin(name: string, id: string | null | undefined): void {
    const index = this.#calls + this.#written.length;
    this.#written.push({ name, lateId: id === undefined, json: "", complete: false });
    this.#part({ index, name, ...(id !== undefined && { id }), arguments: "" });
  }

  readonly add = (json: string): void => {
    const call = this.#written[this.#written.length - 1];
    call.json += json;
    this.#part({ index: this.#calls + this.#written.length - 1, arguments: json });
  };

  end(): void {
    this.#written[this.#written.length - 1].complete = true;
  }

  /** Text that looked like more than content and is none: as it stands. */
  plain(source: string): void {
    this.#calls += this.#written.length;
    this.#written = [];
    this.#skipSpace = false;
    this.text("content", source);
  }

  /** No more comes. */
  finish(): void {
    if (this.#gap !== "") this.#give({ channel: this.#channel, text: this.#gap });
    this.#gap = "";
  }

  /** The pieces since the last time. */
  take(): AnswerPiece[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  /** Parts that come together are one. */
  #part(part: CallPart): void {
    const last = this.#pieces.at(-1);
    if (last?.part?.index === part.index) {
      const all = { ...last.part, ...part, arguments: last.part.arguments + part.arguments };
      this.#pieces[this.#pieces.length - 1] = { ...last, part: all };
    } else this.#pieces.push({ channel: "tool", text: "", part });
  }

  #give(piece: AnswerPiece): void {
    this.spoken = piece.channel === "content";
    this.#pieces.push(piece);
  }
}
