/** What a caller's filter makes of an answer: other pieces, and perhaps an earlier end. */
import { refuse } from "../base/options.ts";
import { orAborted } from "../base/signals.ts";
import { AnswerMessage } from "./answer-message.ts";
import { NOTHING } from "./answer-stream.ts";
import type { Answer, FinishReason, GenerateOptions, Piece } from "./types.ts";

const CHANNELS: readonly unknown[] = ["content", "reasoning", "tool"];

export type Run = (ended: (answer: Answer) => void) => AsyncGenerator<Piece, void, undefined>;

/** The answers of `run` as the filter of the options lets them through; without one as they are. */
export function filtered(run: Run, options: GenerateOptions): Run {
  // Options are checked when the answer begins: here they may be anything, an array with its own `filter` too.
  const own = Object.hasOwn(Object(options), "filter");
  const { filter, signal }: GenerateOptions = own ? options : {};
  if (typeof filter !== "function") return run;
  return async function* (ended) {
    let answer = NOTHING;
    const model = run((whole) => {
      answer = whole;
    });
    /** Whether the filter has read the whole answer. */
    let read = false;
    async function* pieces(): AsyncGenerator<Piece, void, undefined> {
      yield* model;
      read = true;
    }
    const given = new AnswerMessage();
    let reason: FinishReason | undefined = "aborted";
    const through = filter(pieces());
    if (typeof through?.[Symbol.asyncIterator] !== "function")
      refuse("what the filter returned", "an async iterable of pieces", through);
    const from = through[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await orAborted(from.next(), signal);
        if (done) {
          reason = value === "content-filter" || !read ? "content-filter" : undefined;
          return;
        }
        if (typeof value?.text !== "string" || !CHANNELS.includes(value.channel))
          refuse("what the filter gave", "a piece with a text and a channel", value);
        given.add(value);
        yield value;
      }
    } finally {
      try {
        const over = reason === "aborted" ? from.return?.() : undefined;
        // A filter that waits for something else when the signal fires ends in its own time.
        if (signal?.aborted) over?.catch(() => {});
        else await over;
      } finally {
        await model.return();
        ended(judged(answer, given, reason));
      }
    }
  };
}

/** The model's answer with the message that was given, and the reason if it did not end by itself. */
function judged(answer: Answer, given: AnswerMessage, reason: FinishReason | undefined): Answer {
  const { message } = given;
  const { stopText, finishReason: told, ...rest } = answer;
  const calls = message.tool_calls?.some((call) => !call.unfinished);
  const byItself = told === "stop" || told === "tool-calls";
  return {
    ...rest,
    message,
    finishReason: reason ?? (!byItself ? told : calls ? "tool-calls" : "stop"),
    ...(stopText !== undefined && !reason && { stopText }),
  };
}
