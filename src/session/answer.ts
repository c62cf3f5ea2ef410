/** From tokens to pieces: characters made whole, stop strings and end tokens found, channels told apart. */
import type { AnswerParser, AnswerPiece, CallPart } from "../chat/formats/index.ts";
import { joined, TextStream } from "../chat/stream.ts";
import { toolCallIds } from "../chat/tool-call-ids.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { AnswerMessage } from "./answer-message.ts";
import type { Sampled } from "./step.ts";
import type { AssistantMessage, GenerateOptions, Piece, ToolCallPart } from "./types.ts";

/** What a token made certain. */
export interface Taken {
  /** At least one; those after the first have no token of their own. */
  readonly pieces: readonly Piece[];
  /** The answer ends here: an end token or a stop string came. */
  readonly ended: boolean;
  /** The stop string that came. */
  readonly stopText?: string;
}

/** Reads one answer token by token, and knows its message so far. */
export class AnswerReader {
  readonly #tokenizer: Tokenizer | undefined;
  readonly parser: AnswerParser | undefined;
  /** Bytes that came before the next token's. */
  #before: Uint8Array;
  readonly #stream: TextStream;
  readonly #ignoreEos: boolean;
  readonly #newId: (index: number) => string;
  readonly #message = new AnswerMessage();

  /**
   * @param tokenizer missing for files without a usable one: then pieces have tokens only
   * @param parser tells reasoning and tool calls from content; without one all is content
   * @param before what an answer that goes on held back
   */
  constructor(
    tokenizer: Tokenizer | undefined,
    parser: AnswerParser | undefined,
    options: GenerateOptions,
    before: Uint8Array = new Uint8Array(),
  ) {
    this.#tokenizer = tokenizer;
    this.parser = parser;
    this.#before = before;
    this.#stream = new TextStream(options.stop);
    this.#ignoreEos = options.ignoreEos ?? false;
    this.#newId = toolCallIds(options.seed);
  }

  /** What of the text is held back. */
  get held(): Uint8Array {
    return joined(this.#before, this.#stream.held);
  }

  /** The message of all tokens taken so far. */
  get message(): AssistantMessage {
    return this.#message.message;
  }

  /** @param last no token comes after this one, so what is held back goes out */
  take(sampled: Sampled, last: boolean): Taken {
    const tokenizer = this.#tokenizer;
    if (!tokenizer) return { pieces: [{ ...sampled, text: "", channel: "content" }], ended: false };
    const { token } = sampled;
    const isEnd = !this.#ignoreEos && tokenizer.endTokens.has(token);
    const special = tokenizer.isSpecial(token);
    const shown = special && this.parser?.wants(tokenizer.token(token)) === true;
    const bytes = joined(this.#before, tokenizer.bytes(token, shown));
    this.#before = new Uint8Array();
    const { text, stopped } = this.#stream.push(bytes);
    const ended = isEnd || stopped !== undefined;
    const over = ended || last;
    // What a stop string cut off is not text; what else was held back is, but for half a character.
    const rest = over && stopped === undefined ? this.#stream.end(!ended) : "";
    return {
      pieces: this.#pieces(sampled, text + rest, over, !ended),
      ended,
      ...(stopped !== undefined && { stopText: stopped }),
    };
  }

  #pieces(sampled: Sampled, text: string, over: boolean, cut: boolean): Piece[] {
    const parts: AnswerPiece[] =
      text === "" ? [] : (this.parser?.push(text) ?? [{ channel: "content", text }]);
    if (over && this.parser) parts.push(...this.parser.end(cut));
    if (parts.length === 0) parts.push({ channel: "content", text: "" });
    return parts.map((part, i) => ({ ...(i === 0 && sampled), ...this.#piece(part) }));
  }

  #piece({ channel, text, toolCall, part }: AnswerPiece): Piece {
    let piece: Piece = { channel, text };
    if (part) piece = { ...piece, toolCallPart: this.#part(part) };
    else if (toolCall) {
      const { index, unfinished, ...call } = toolCall;
      const id = this.#message.idOf(index) ?? this.#newId(index);
      const whole = {
        id,
        type: "function",
        function: call,
        ...(unfinished && { unfinished }),
      } as const;
      piece = { ...piece, toolCall: whole };
    }
    this.#message.add(piece, toolCall?.index);
    return piece;
  }

  /** A call keeps the id that is told with its parts. */
  #part({ id, ...part }: CallPart): ToolCallPart {
    return id === undefined ? part : { ...part, id: id || this.#newId(part.index) };
  }
}
