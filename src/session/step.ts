/**
 * What happens per token: start a step, wait for the oldest one in flight, hand its token out.
 *
 * When the executor samples, several steps are in flight: each reads the token that the one before
 * it left on the device, and while one group is read the next is computed already, so that the
 * device never waits for the host. When the host samples, one step is waited for, its logits are
 * read, and the token goes in with the next step.
 */
import type { Executor } from "../graph/executor.ts";
import type { DeviceSampling, SequenceId } from "../graph/requests.ts";

/** A token as it was drawn. */
export interface Drawn {
  readonly token: number;
  readonly logprob?: number;
  readonly topLogprobs?: readonly { readonly token: number; readonly logprob: number }[];
}

/** Who draws: the executor by these settings, or a function of the last row's logits. */
export type Drawing =
  | { readonly on: "device"; readonly sampling: DeviceSampling }
  | { readonly on: "host"; readonly draw: (logits: Float32Array) => Drawn };

export interface Decoding {
  readonly executor: Executor;
  readonly sequence: SequenceId;
  /** Tokens that the sequence does not hold yet; at least one. */
  readonly feed: ArrayLike<number>;
  /** Tokens to draw at most; there is room for all but the last of them. */
  readonly limit: number;
  readonly drawing: Drawing;
  readonly signal: AbortSignal;
}

/**
 * Yields one token after another until `limit`. Steps already in flight when the caller stops
 * are waited for; what they appended to the sequence is the caller's to rewind.
 */
export async function* decode(run: Decoding): AsyncGenerator<Drawn, void, undefined> {
  const { executor, drawing, signal } = run;
  const group = drawing.on === "device" ? executor.stepsInFlight : 1;
  const most = group === 1 ? 1 : 2 * group;
  const flying: Promise<Drawn>[] = [];
  let next: ArrayLike<number> | "sampled" = run.feed;
  let left = run.limit;
  try {
    while (left > 0 || flying.length > 0) {
      if (flying.length <= most - group)
        for (let i = 0; i < group && left > 0; i++, left--) {
          const step = stepOf(run, next);
          step.catch(() => {}); // reported when its turn comes
          flying.push(step);
          next = "sampled";
        }
      const drawn = await flying.shift()!;
      yield drawn;
      signal.throwIfAborted();
      if (drawing.on === "host") next = [drawn.token];
    }
  } finally {
    await Promise.allSettled(flying);
  }
}

/** Computes tokens (the one sampled last, where they are "sampled") and samples the token that follows them. */
async function stepOf(run: Decoding, tokens: ArrayLike<number> | "sampled"): Promise<Drawn> {
  const { executor, sequence, drawing, signal } = run;
  if (drawing.on === "device") {
    const sample = drawing.sampling;
    const [result] = await executor.step(
      [{ sequence, input: tokens, outputs: "last", sample }],
      signal,
    );
    return { token: result.tokens[0] };
  }
  const [result] = await executor.step(
    [{ sequence, input: tokens, outputs: "last", read: true }],
    signal,
  );
  return drawing.draw(result.rows);
}
