/**
 * Guessing ahead: a drafter proposes the next tokens, one step of the model computes the rows of
 * all of them, and each row then draws its token as if it had come alone. While the drawn token is
 * the guessed one, the next row is right too; the first that differs is kept and the rows behind it
 * are taken back. Every position has its own random number and a row's result does not depend on
 * how many rows are computed with it, so the text is the one that comes without guessing.
 */
import type { DeviceSampling } from "../graph/requests.ts";
import { SMALL_ROWS } from "../graph/requests.ts";
import { type Decoding, type Drawn, decode } from "./step.ts";
import type { SpeculationStats } from "./types.ts";

/** Whatever guesses tokens. */
export interface Drafter {
  /**
   * At most `max` tokens that may follow `tokens`, fewer or none where there is no guess. What
   * `tokens` begins with is usually what it was at the last call.
   *
   * @param sampling how the tokens will be drawn, where that is known
   */
  draft(
    tokens: readonly number[],
    max: number,
    signal: AbortSignal,
    sampling?: DeviceSampling,
  ): Promise<readonly number[]> | readonly number[];
}

/** Tokens guessed at once at most: with the row of the token that is known they fill a small step. */
export const MOST_GUESSES: number = SMALL_ROWS - 1;
/** Tokens of the first guess. */
const FIRST_GUESS = 4;

/** Counts of one answer. */
export type Tally = { -readonly [name in keyof SpeculationStats]: SpeculationStats[name] };

export const newTally = (): Tally => ({ drafted: 0, accepted: 0, steps: 0, tokens: 0 });

export interface SpeculativeDecoding extends Decoding {
  /** All tokens that the answer follows; the sequence lacks the last of them, `feed`. */
  readonly tokens: readonly number[];
  readonly drafter: Drafter;
  /** Tokens of a guess at most, 1 to {@link MOST_GUESSES}; shorter ones than `draftMin` are not tried. */
  readonly draftMax: number;
  readonly draftMin: number;
  readonly tally: Tally;
}

/** Yields the tokens that {@link decode} would, under the same terms, in fewer steps. */
export async function* speculate(run: SpeculativeDecoding): AsyncGenerator<Drawn, void, undefined> {
  const { executor, drafter, drawing, tally, signal } = run;
  const sampling = drawing.on === "device" ? drawing.sampling : undefined;
  const least = Math.max(1, run.draftMin);
  const text = Array.from(run.tokens);
  const end = text.length + run.limit;
  let length = Math.max(least, Math.min(FIRST_GUESS, run.draftMax));
  let feed = run.feed;
  /** Tokens to draw before guessing again. */
  let rest = 0;
  while (text.length < end) {
    const prompt = feed.length > 1;
    const most = Math.min(length, end - text.length - 1);
    const guess =
      prompt || rest > 0 || most < least ? [] : await drafter.draft(text, most, signal, sampling);
    if (guess.length < least) {
      const ahead = prompt || !sampling ? 1 : executor.stepsInFlight;
      const limit = Math.min(ahead, end - text.length);
      for await (const drawn of decode({ ...run, feed, limit })) {
        if (!prompt) {
          tally.steps++;
          tally.tokens++;
        }
        text.push(drawn.token);
        yield drawn;
      }
      rest = Math.max(0, rest - limit);
    } else {
      const accepted = yield* verify(run, text, guess);
      length = accepted === guess.length ? length + 2 : accepted + 1;
      length = Math.max(least, Math.min(run.draftMax, length));
      // Where taking back means computing again, a wrong guess is made up for before the next.
      rest = await computeAgain(run, text);
    }
    feed = text.slice(-1);
  }
}

/** One step over the last token and a guess; yields what it draws, returns how much of the guess was right. */
async function* verify(
  run: SpeculativeDecoding,
  text: number[],
  guess: readonly number[],
): AsyncGenerator<Drawn, number, undefined> {
  const { executor, sequence, drawing, tally, signal } = run;
  const tokens = [text[text.length - 1], ...guess];
  let drawnAt: (row: number) => Drawn;
  if (drawing.on === "device") {
    const sample = drawing.sampling;
    const [result] = await executor.step(
      [{ sequence, input: tokens, outputs: "all", sample }],
      signal,
    );
    drawnAt = (row) => ({ token: result.tokens[row] });
  } else {
    const [{ rows }] = await executor.step(
      [{ sequence, input: tokens, outputs: "all", read: true }],
      signal,
    );
    const width = rows.length / tokens.length;
    drawnAt = (row) => drawing.draw(rows.subarray(row * width, (row + 1) * width));
  }
  tally.steps++;
  tally.drafted += guess.length;
  for (let row = 0; ; row++) {
    const drawn = drawnAt(row);
    const right = row < guess.length && drawn.token === guess[row];
    if (right) tally.accepted++;
    tally.tokens++;
    text.push(drawn.token);
    yield drawn;
    signal.throwIfAborted();
    if (!right) return row;
  }
}

/**
 * Takes back the rows that do not belong to the text and computes those that went with them
 * (recurrent state goes back to where there is a copy of it); returns how many these were. Small
 * steps compute them exactly as they were.
 */
async function computeAgain(run: SpeculativeDecoding, text: readonly number[]): Promise<number> {
  const { executor, sequence, tally, signal } = run;
  const wanted = text.length - 1;
  if (executor.length(sequence) === wanted) return 0;
  const reached = executor.rewind(sequence, wanted);
  for (let at = reached; at < wanted; at += SMALL_ROWS) {
    const tokens = text.slice(at, Math.min(wanted, at + SMALL_ROWS));
    await executor.step([{ sequence, input: tokens, outputs: "none" }], signal);
    tally.steps++;
  }
  return wanted - reached;
}
