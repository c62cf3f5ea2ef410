/** From tokens to pieces: characters made whole, stop strings found, end tokens recognised. */
import { TextStream } from "../text/stream.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { Drawn } from "./step.ts";
import type { GenerateOptions, Piece } from "./types.ts";

export interface Taken {
  readonly pieces: readonly Piece[];
  /** The answer ends here: an end token or a stop string came. */
  readonly ended: boolean;
}

/** The text of one answer, token by token. */
export class Answer {
  /** Missing for files without a usable tokenizer: then pieces have tokens only. */
  readonly #tokenizer: Tokenizer | undefined;
  readonly #stream: TextStream;
  readonly #ignoreEos: boolean;

  constructor(tokenizer: Tokenizer | undefined, options: GenerateOptions) {
    this.#tokenizer = tokenizer;
    this.#stream = new TextStream(options.stop);
    this.#ignoreEos = options.ignoreEos ?? false;
  }

  /** @param last no token comes after this one, so what is held back goes out */
  take(drawn: Drawn, last: boolean): Taken {
    const tokenizer = this.#tokenizer;
    if (!tokenizer) return { pieces: [piece(drawn, "")], ended: false };
    const end = !this.#ignoreEos && tokenizer.endTokens.has(drawn.token);
    if (end) return { pieces: [piece(drawn, this.#stream.end())], ended: true };
    const { text, stopped } = this.#stream.push(tokenizer.bytes(drawn.token));
    if (stopped !== undefined) return { pieces: [piece(drawn, text)], ended: true };
    return { pieces: [piece(drawn, last ? text + this.#stream.end() : text)], ended: false };
  }
}

const piece = (drawn: Drawn, text: string): Piece => ({ ...drawn, text, channel: "content" });
