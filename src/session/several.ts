/** Several answers to one prompt as one stream. */
import { Follower } from "../base/signals.ts";
import type {
  Answer,
  AnswerStream,
  GenerateOptions,
  Piece,
  Prompt,
  Session,
  Usage,
} from "./types.ts";

/** Turns of waiting promises in which all answers have their piece of one step. */
const TURNS = 16;

/** The options of answer number `index`: its seed, where one is given, is that many further. */
function optionsOf(options: GenerateOptions, index: number): GenerateOptions {
  const { n: _, seed = -1, ...rest } = options;
  // The others find the first one's prompt, whatever it found.
  const shareCache = index > 0 || rest.shareCache;
  return { ...rest, shareCache, seed: seed < 0 ? seed : seed + index };
}

/**
 * The pieces of all answers as they come, each with its `index`. The others begin when the first has its first token:
 * then the prompt is computed. What has been handed out is asked for anew only when all that came is, so that the
 * answers go on in step.
 *
 * @param own makes the session's own answer, the first
 * @param fork makes the sessions of the others
 * @param ended is told of the whole, however it ends
 * @param ready where pieces that came wait to be yielded
 */
export async function* severalAnswers(
  prompt: Prompt,
  options: GenerateOptions,
  own: (options: GenerateOptions) => AnswerStream,
  fork: () => Session,
  ended: (answer: Answer) => void,
  ready: Piece[],
): AsyncGenerator<Piece, void, undefined> {
  const { n = 1 } = options;
  const forks = Array.from({ length: n - 1 }, fork);
  const stop = new AbortController();
  const follower = new Follower(options.signal, stop.signal);
  const { signal } = follower;
  const answers = Array.from({ length: n }, (_, index) => {
    const one = { ...optionsOf(options, index), signal };
    return index === 0 ? own(one) : forks[index - 1].generate(prompt, one);
  });
  const pending = new Map<number, Promise<void>>();
  const done = new Set<number>();
  let failure: { readonly error: unknown } | undefined;
  const ask = (index: number): void => {
    const next = answers[index].next().then(
      (piece) => {
        pending.delete(index);
        if (piece.done) done.add(index);
        else ready.push({ ...piece.value, index });
      },
      (error) => {
        pending.delete(index);
        failure ??= { error };
      },
    );
    pending.set(index, next);
  };
  try {
    ask(0);
    await pending.get(0);
    for (;;) {
      if (failure) throw failure.error;
      for (let piece = ready.shift(); piece; piece = ready.shift()) yield piece;
      answers.forEach((_, index) => {
        if (!done.has(index) && !pending.has(index)) ask(index);
      });
      if (pending.size === 0) return;
      await Promise.race(pending.values());
      for (let turn = 0; turn < TURNS; turn++) await undefined;
    }
  } finally {
    stop.abort();
    follower.rest();
    await Promise.allSettled(pending.values());
    const ends = await Promise.all(answers.map((answer) => answer.return()));
    const all = ends.map(({ value }) => value);
    ended({ ...all[0], usage: sumOf(all), answers: all });
    await Promise.all(forks.map((session) => session.dispose()));
  }
}

/** What several answers to one prompt took: the prompt once. */
function sumOf(answers: readonly Answer[]): Usage {
  const usages = answers.map(({ usage }) => usage);
  const [first] = usages;
  const sum = (of: (usage: Usage) => number): number =>
    usages.reduce((all, usage) => all + of(usage), 0);
  const forced = sum(({ forcedTokens = 0 }) => forcedTokens);
  const drafts = usages.flatMap(({ speculation }) => speculation ?? []);
  return {
    ...first,
    completionTokens: sum(({ completionTokens }) => completionTokens),
    completionMs:
      Math.max(...usages.map((one) => one.promptMs + one.completionMs)) - first.promptMs,
    pages: sum(({ pages = 0 }) => pages),
    ...(first.forcedTokens !== undefined && { forcedTokens: forced }),
    ...(drafts.length > 0 && {
      speculation: drafts.reduce((a, b) => ({
        drafted: a.drafted + b.drafted,
        accepted: a.accepted + b.accepted,
        steps: a.steps + b.steps,
        tokens: a.tokens + b.tokens,
      })),
    }),
  };
}
