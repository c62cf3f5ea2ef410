/** Collects the pieces of an answer. White space next to marks belongs to neither side. */
import type { AnswerChannel, AnswerPiece, ParsedToolCall } from "./types.ts";

/** White space that is held back at most, in case a mark follows; what is beyond stays text. */
const MAX_GAP = 256;

export class PieceWriter {
  #pieces: AnswerPiece[] = [];
  /** White space after the last text, not given out yet, and whose it is. */
  #gap = "";
  #channel: AnswerChannel = "content";
  #skipSpace = false;

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
    calls.forEach((toolCall, i) => {
      this.#give({ channel: "tool", text: i === 0 ? source : "", toolCall });
    });
    this.spoken = false;
  }

  /** Text that looked like more than content and is none: as it stands. */
  plain(source: string): void {
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

  #give(piece: AnswerPiece): void {
    this.spoken = piece.channel === "content";
    this.#pieces.push(piece);
  }
}
