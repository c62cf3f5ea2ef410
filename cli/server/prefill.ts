/** A prompt that is computed chunk by chunk, so that a client can be told how far it is (`return_progress`). */
import type { Answer, GenerateOptions, Session } from "../../mod.ts";
import { commonPrefix } from "./slots.ts";

/** llama-server's `prompt_progress`. */
export interface Progress {
  readonly total: number;
  /** Tokens that were there already; they count as processed. */
  readonly cache: number;
  readonly processed: number;
  readonly time_ms: number;
}

/** What was computed before the answer began. */
export interface Prefilled {
  /** The last report. */
  whole(): Progress;
  /** The answer with the usage that it has without chunks of its own. */
  counted(answer: Answer): Answer;
}

/** Computes all tokens but the last, which the answer begins with, `chunk` of them at a time. */
export async function* prefilled(
  session: Session,
  tokens: readonly number[],
  chunk: number,
  { shareCache, signal }: Pick<GenerateOptions, "shareCache" | "signal">,
): AsyncGenerator<Progress, Prefilled, undefined> {
  const started = performance.now();
  const total = tokens.length;
  const last = total - 1;
  let processed = Math.min(commonPrefix(session.tokens, tokens), last);
  let cache: number | undefined;
  const at = (): Progress => ({
    ...{ total, cache: cache ?? processed, processed },
    time_ms: Math.round(performance.now() - started),
  });
  while (processed < last) {
    const to = Math.min(processed + chunk, last);
    const { usage } = await session.generate([tokens.slice(0, to)], {
      ...{ maxTokens: 0, shareCache, signal },
    });
    if (cache === undefined) {
      cache = processed = usage.cachedTokens;
      yield at();
    }
    processed = to;
    yield at();
  }
  if (cache === undefined) yield at();
  const ms = performance.now() - started;
  const found = cache ?? processed;
  return {
    whole: () => ({ ...at(), processed: total }),
    counted: (answer) => ({
      ...answer,
      usage: {
        ...answer.usage,
        cachedTokens: Math.min(found, answer.usage.cachedTokens),
        promptMs: answer.usage.promptMs + ms,
      },
    }),
  };
}
