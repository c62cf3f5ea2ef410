/** Collects the pieces of an answer. White space next to marks belongs to neither side. */
import { Unreadable } from "./incoming.ts";
import type { AnswerChannel, AnsweredCall, AnswerPiece, CallPart, CallSink } from "./types.ts";

/** White space that is held back at most, in case a mark follows; what is beyond stays text. */
const MAX_GAP = 256;

/** The call that is being written. */
interface OpenCall {
  readonly name: string;
  /** Undefined while it may still come. */
  id: string | null | undefined;
  json: string;
  /** The first part was given out; until then the call may turn out to be none. */
  told: boolean;
  /** It was given out without the id. */
  late: boolean;
}

export class PieceWriter implements CallSink {
  readonly offers: (name: string) => boolean;
  #pieces: AnswerPiece[] = [];
  /** White space after the last text, not given out yet, and whose it is. */
  #gap = "";
  #channel: AnswerChannel = "content";
  #skipSpace = false;

  /** The calls that were given out whole. */
  #calls = 0;
  #call: OpenCall | undefined;
  #written: () => string = () => "";
  #held:
    | {
        earlier: AnswerPiece[];
        readonly state: readonly [calls: number, gap: string, skipSpace: boolean, spoken: boolean];
      }
    | undefined;

  /** True once content was given out since the beginning or the last mark. */
  spoken = false;
  /** True once a call of the block was given out, in part at least. */
  told = false;

  constructor(offers: (name: string) => boolean) {
    this.offers = offers;
  }

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

  /** What comes first goes on with text of this channel. */
  continue(channel: AnswerChannel): void {
    this.#skipSpace = false;
    this.spoken = channel === "content";
  }

  /** A mark stood here: the white space around it goes. */
  mark(): void {
    this.#gap = "";
    this.#skipSpace = true;
    this.spoken = false;
  }

  /** Text that looked like more and is none: as it stands. */
  plain(channel: AnswerChannel, source: string): void {
    this.#skipSpace = false;
    this.text(channel, source);
  }

  /** A block of calls begins; `written` gives what was read of it since the last time. */
  block(written: () => string): void {
    this.#written = written;
    this.told = false;
  }

  begin(name: string, id: string | null | undefined): void {
    if (!this.offers(name)) throw new Unreadable();
    this.#call = { name, id, json: "", told: false, late: false };
  }

  identify(id: string): void {
    const call = this.#call;
    if (call && (call.late || !call.told)) call.id = id;
  }

  readonly add = (json: string): void => {
    const call = this.#tell();
    if (!call) return;
    call.json += json;
    this.#part({ index: this.#calls, arguments: json });
  };

  end(): void {
    if (this.#call?.json === "") this.add("{}");
    this.#whole({});
    this.#drop();
  }

  /** Gives out the open call as far as it came; it stays open. */
  unfinished(): void {
    if (this.#tell()) this.#whole({ unfinished: true });
  }

  /** Ends the open call where it stands, `last` at the end of the answer; false if none of it was given out. */
  breakOff(last: boolean): boolean {
    const told = (last ? this.#tell() : this.#call)?.told === true;
    if (told) this.unfinished();
    this.#drop();
    return told;
  }

  /** No more comes, for now at least: gives out what was held back. */
  finish(): void {
    if (this.#call) this.unfinished();
    if (this.#gap !== "") this.#give({ channel: this.#channel, text: this.#gap });
    this.#gap = "";
  }

  /** From here on pieces are kept, until they are released or reverted. */
  hold(): void {
    const state = [this.#calls, this.#gap, this.#skipSpace, this.spoken] as const;
    const earlier = this.#pieces;
    this.#pieces = [];
    this.#held = { earlier, state };
  }

  /** @param cut it is not known whether text among them is content or reasoning: it is left out */
  release(cut = false): void {
    if (!this.#held) return;
    const kept = this.#pieces.filter(({ channel }) => !cut || channel === "tool");
    this.#pieces = [...this.#held.earlier, ...kept];
    this.#held = undefined;
  }

  /** As if nothing had come since `hold`. */
  revert(): void {
    if (!this.#held) return;
    [this.#calls, this.#gap, this.#skipSpace, this.spoken] = this.#held.state;
    this.#pieces = [];
    this.#channel = "reasoning";
    this.release();
  }

  /** The pieces since the last time. */
  take(): AnswerPiece[] {
    const pieces = this.#held?.earlier ?? this.#pieces;
    if (this.#held) this.#held.earlier = [];
    else this.#pieces = [];
    return pieces;
  }

  /** Gives out the first part of the open call. */
  #tell(): OpenCall | undefined {
    const call = this.#call;
    if (call?.told === false) {
      const { name, id } = call;
      this.mark();
      this.told = call.told = true;
      call.late = id === undefined;
      this.#part({ index: this.#calls, name, ...(id !== undefined && { id }), arguments: "" });
    }
    return call;
  }

  #whole(more: Pick<AnsweredCall, "unfinished">): void {
    const { id, name, json, late } = this.#call as OpenCall;
    const index = this.#calls;
    if (late) this.#part({ index, id: id ?? null, arguments: "" });
    const toolCall = { index, ...(id != null && { id }), name, arguments: json, ...more };
    this.#give({ channel: "tool", text: this.#written(), toolCall });
  }

  #drop(): void {
    if (this.#call?.told) this.#calls++;
    this.#call = undefined;
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
