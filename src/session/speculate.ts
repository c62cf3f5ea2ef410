/**
 * Speculative decoding: a drafter proposes the next tokens, one step of the model computes the rows of
 * all of them, and each row then samples its token as if it had come alone. While the sampled token is
 * the drafted one, the next row is right too; the first that differs is kept and the rows behind it
 * are taken back. Every position has its own random number and a row's result does not depend on how
 * many rows are computed with it, so the text is the one that comes without drafts.
 */
import type { DeviceSampling } from "../graph/requests.ts";
import { SMALL_ROWS } from "../graph/requests.ts";
import { requestsFor } from "./history.ts";
import { type Decoding, decode, type Sampled } from "./step.ts";
import type { SpeculationStats } from "./types.ts";

/** Whatever drafts tokens. */
export interface Drafter {
  /**
   * At most `max` tokens that may follow `items`, fewer or none where it has no draft. What
   * `items` begins with is usually what it was at the last call.
   *
   * @param sampling how the tokens will be sampled, where that is known
   */
  draft(
    items: readonly number[],
    max: number,
    signal: AbortSignal,
    sampling?: DeviceSampling,
  ): Promise<readonly number[]> | readonly number[];
}

/** Tokens of a draft at most: with the row of the token that is known they fill a small step. */
export const MAX_DRAFT: number = SMALL_ROWS - 1;
/** Tokens of the first draft. */
const FIRST_DRAFT = 4;

/** Counts of one answer. */
export type Tally = { -readonly [name in keyof SpeculationStats]: SpeculationStats[name] };

export const newTally = (): Tally => ({ drafted: 0, accepted: 0, steps: 0, tokens: 0 });

export interface SpeculativeDecoding extends Decoding {
  /** All items that the answer follows; the sequence lacks the last of them, `feed`. */
  readonly items: readonly number[];
  readonly drafter: Drafter;
  /** Tokens of a draft at most, 1 to {@link MAX_DRAFT}; shorter ones than `draftMin` are not tried. */
  readonly draftMax: number;
  readonly draftMin: number;
  readonly tally: Tally;
}

/** Yields the tokens that {@link decode} would, under the same terms, in fewer steps. */
export async function* speculate(
  run: SpeculativeDecoding,
): AsyncGenerator<Sampled, void, undefined> {
  const { executor, drafter, sampling, tally, signal } = run;
  const settings = sampling.on === "device" ? sampling.settings : undefined;
  const least = Math.max(1, run.draftMin);
  const text = Array.from(run.items);
  const end = text.length + run.limit;
  let length = Math.max(least, Math.min(FIRST_DRAFT, run.draftMax));
  let feed = run.feed;
  /** Tokens to sample before drafting again. */
  let rest = 0;
  while (text.length < end) {
    const prompt = feed.length > 1 || feed[0] < 0;
    // Tokens that can only come as they do are rows of the next step, which tries no draft.
    const certain: number[] = [];
    while (sampling.on === "host" && sampling.forced && text.length < end) {
      const token = sampling.forced();
      if (token < 0) break;
      certain.push(token);
      text.push(token);
      yield { token };
      signal.throwIfAborted();
    }
    if (text.length === end) return;
    if (certain.length > 0) feed = [...Array.from(feed), ...certain];
    const most = Math.min(length, end - text.length - 1);
    let draft =
      prompt || certain.length > 0 || rest > 0 || most < least
        ? []
        : await drafter.draft(text, most, signal, settings);
    if (sampling.on === "host" && sampling.allowed) draft = draft.slice(0, sampling.allowed(draft));
    if (draft.length < least) {
      const ahead = prompt || !settings ? 1 : executor.stepsInFlight;
      const limit = Math.min(ahead, end - text.length);
      for await (const sampled of decode({ ...run, feed, limit })) {
        if (!prompt) {
          tally.steps++;
          tally.tokens += 1 + certain.length;
        }
        text.push(sampled.token);
        yield sampled;
      }
      rest = Math.max(0, rest - limit);
    } else {
      const accepted = yield* verify(run, text, draft);
      length = accepted === draft.length ? length + 2 : accepted + 1;
      length = Math.max(least, Math.min(run.draftMax, length));
      // Where taking back means computing again, a rejected draft is made up for before the next.
      rest = await computeAgain(run, text);
    }
    feed = text.slice(-1);
  }
}

/** One step over the last token and a draft; yields what it samples, returns how much of the draft was accepted. */
async function* verify(
  run: SpeculativeDecoding,
  text: number[],
  draft: readonly number[],
): AsyncGenerator<Sampled, number, undefined> {
  const { executor, sequence, sampling, tally, signal } = run;
  const tokens = [text[text.length - 1], ...draft];
  let sampledAt: (row: number) => Sampled;
  if (sampling.on === "device") {
    const sample = sampling.settings;
    const [result] = await executor.step(
      [{ sequence, input: tokens, outputs: "all", sample }],
      signal,
    );
    sampledAt = (row) => ({ token: result.tokens[row] });
  } else {
    const [{ rows }] = await executor.step(
      [{ sequence, input: tokens, outputs: "all", read: true }],
      signal,
    );
    const width = rows.length / tokens.length;
    sampledAt = (row) => sampling.sample(rows.subarray(row * width, (row + 1) * width));
  }
  tally.steps++;
  tally.drafted += draft.length;
  for (let row = 0; ; row++) {
    const sampled = sampledAt(row);
    const right = row < draft.length && sampled.token === draft[row];
    if (right) tally.accepted++;
    tally.tokens++;
    text.push(sampled.token);
    yield sampled;
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
    const items = text.slice(at, Math.min(wanted, at + SMALL_ROWS));
    const asked = { outputs: "none" } as const;
    await executor.step(requestsFor(sequence, items, run.vectors, asked), signal);
    tally.steps++;
  }
  return wanted - reached;
}
