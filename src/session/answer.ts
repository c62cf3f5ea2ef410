/** From tokens to pieces: characters made whole, stop strings and end tokens found, channels told apart. */
import type { AnswerParser } from "../chat/formats/index.ts";
import { TextStream } from "../chat/stream.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Drawn } from "./step.ts";
import type { GenerateOptions, Piece } from "./types.ts";

export interface Taken {
  /** At least one; those after the first have no token of their own. */
  readonly pieces: readonly Piece[];
  /** The answer ends here: an end token or a stop string came. */
  readonly ended: boolean;
}

/** The text of one answer, token by token. */
export class Answer {
  readonly #tokenizer: Tokenizer | undefined;
  readonly #parser: AnswerParser | undefined;
  readonly #stream: TextStream;
  readonly #ignoreEos: boolean;

  /**
   * @param tokenizer missing for files without a usable one: then pieces have tokens only
   * @param parser tells reasoning and tool calls from content; without one all is content
   */
  constructor(
    tokenizer: Tokenizer | undefined,
    parser: AnswerParser | undefined,
    options: GenerateOptions,
  ) {
    this.#tokenizer = tokenizer;
    this.#parser = parser;
    this.#stream = new TextStream(options.stop);
    this.#ignoreEos = options.ignoreEos ?? false;
  }

  /** @param last no token comes after this one, so what is held back goes out */
  take(drawn: Drawn, last: boolean): Taken {
    const tokenizer = this.#tokenizer;
    if (!tokenizer) return { pieces: [piece(drawn, "")], ended: false };
    const { token } = drawn;
    const isEnd = !this.#ignoreEos && tokenizer.endTokens.has(token);
    const special = tokenizer.isSpecial(token);
    const shown = special && this.#parser?.wants(tokenizer.token(token)) === true;
    const { text, stopped } = this.#stream.push(tokenizer.bytes(token, shown));
    const ended = isEnd || stopped !== undefined;
    const over = ended || last;
    // What a stop string cut off is not text; what else was held back is.
    const rest = over && stopped === undefined ? this.#stream.end() : "";
    return { pieces: this.#pieces(drawn, text + rest, over), ended };
  }

  #pieces(drawn: Drawn, text: string, over: boolean): Piece[] {
    if (!this.#parser) return [piece(drawn, text)];
    const parts = text === "" ? [] : this.#parser.push(text);
    if (over) parts.push(...this.#parser.end());
    if (parts.length === 0) return [piece(drawn, "")];
    return parts.map((part, i) => (i === 0 ? { ...drawn, ...part } : { ...part, token: NO_TOKEN }));
  }
}

/** The token of a further piece of the same token. */
const NO_TOKEN = -1;

const piece = (drawn: Drawn, text: string): Piece => ({ ...drawn, text, channel: "content" });
