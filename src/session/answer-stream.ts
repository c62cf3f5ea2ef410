/** An answer as a stream of pieces and as a promise of the whole: what `generate` returns. */
import type { Answer, AnswerStream, Piece } from "./types.ts";

/** An answer of which nothing was computed. */
export const NOTHING: Answer = {
  message: { role: "assistant", content: "" },
  finishReason: "aborted",
  usage: { promptTokens: 0, cachedTokens: 0, completionTokens: 0, promptMs: 0, completionMs: 0 },
};

/** Makes the pieces; those that are there already and were not yielded yet stand in `ready`. */
type Run = (
  ended: (answer: Answer) => void,
  ready: Piece[],
) => AsyncGenerator<Piece, void, undefined>;

/**
 * The stream of a generator that calls `ended` with the whole answer before it ends, however it ends.
 * Nothing runs before the first piece is asked for.
 */
export function answerStream(run: Run): AnswerStream {
  return new Stream(run);
}

/** The pieces that came together with the last one: they are handed out by that. */
export function takeReady(stream: AnswerStream): Piece[] {
  return stream instanceof Stream ? stream.ready.splice(0) : [];
}

class Stream implements AnswerStream {
  readonly #pieces: AsyncGenerator<Piece, void, undefined>;
  #answer = NOTHING;
  #whole: Promise<Answer> | undefined;

  readonly ready: Piece[] = [];

  constructor(run: Run) {
    this.#pieces = run((answer) => {
      this.#answer = answer;
    }, this.ready);
  }

  async next(): Promise<IteratorResult<Piece, Answer>> {
    const next = await this.#pieces.next();
    return next.done ? { done: true, value: this.#answer } : next;
  }

  async return(): Promise<IteratorReturnResult<Answer>> {
    await this.#pieces.return();
    return { done: true, value: this.#answer };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  // biome-ignore lint/suspicious/noThenProperty: an answer can be awaited
  then<A = Answer, B = never>(
    onAnswer?: ((answer: Answer) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#whole ??= this.#rest();
    return this.#whole.then(onAnswer, onError);
  }

  async #rest(): Promise<Answer> {
    for (;;) {
      const { done } = await this.#pieces.next();
      if (done) return this.#answer;
    }
  }
}
