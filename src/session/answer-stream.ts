/** An answer as a stream of pieces and as a promise of the whole: what `generate` returns. */
import type { Answer, AnswerStream, Piece } from "./types.ts";

/** An answer of which nothing was computed. */
export const NOTHING: Answer = {
  message: { role: "assistant", content: "" },
  finishReason: "aborted",
  usage: { promptTokens: 0, cachedTokens: 0, completionTokens: 0, promptMs: 0, completionMs: 0 },
};

/**
 * The stream of a generator that calls `ended` with the whole answer before it ends, however it ends.
 * Nothing runs before the first piece is asked for.
 */
export function answerStream(
  run: (ended: (answer: Answer) => void) => AsyncGenerator<Piece, void, undefined>,
): AnswerStream {
  return new Stream(run);
}

class Stream implements AnswerStream {
  readonly #pieces: AsyncGenerator<Piece, void, undefined>;
  #answer = NOTHING;
  #whole: Promise<Answer> | undefined;

  constructor(run: (ended: (answer: Answer) => void) => AsyncGenerator<Piece, void, undefined>) {
    this.#pieces = run((answer) => {
      this.#answer = answer;
    });
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
