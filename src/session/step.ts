/**
 * What happens per token: make room, start a step, wait for the oldest, hand its token out.
 *
 * When the executor draws tokens itself, steps fly in groups: each step reads the token that the
 * one before it left on the device, and while one group is read the next is computed already, so
 * the host never stands between two steps. When the host draws, one step is waited for, its logits
 * are read, and the token goes in with the next step.
 */
import type { DeviceSampling, Executor, SequenceId, StepResult } from "../graph/executor.ts";

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
  const { executor, sequence, drawing, signal } = run;
  const group = drawing.on === "device" ? executor.stepsInFlight : 1;
  const most = group === 1 ? 1 : 2 * group;
  const flying: Promise<StepResult[]>[] = [];
  let next: ArrayLike<number> | "sampled" = run.feed;
  let left = run.limit;
  try {
    while (left > 0 || flying.length > 0) {
      if (flying.length <= most - group)
        for (let i = 0; i < group && left > 0; i++, left--) {
          executor.reserve(sequence, next === "sampled" ? 1 : next.length);
          const step = executor.step([request(sequence, next, drawing)], signal);
          step.catch(() => {}); // reported when its turn comes
          flying.push(step);
          next = "sampled";
        }
      const [result] = await (flying.shift() as Promise<StepResult[]>);
      const drawn: Drawn =
        drawing.on === "device"
          ? { token: (result.tokens as Int32Array)[0] }
          : drawing.draw(result.logits as Float32Array);
      yield drawn;
      signal.throwIfAborted();
      if (drawing.on === "host") next = [drawn.token];
    }
  } finally {
    await Promise.allSettled(flying);
  }
}

const request = (sequence: SequenceId, tokens: ArrayLike<number> | "sampled", drawing: Drawing) =>
  drawing.on === "device"
    ? ({ sequence, tokens, outputs: "last", sample: drawing.sampling } as const)
    : ({ sequence, tokens, outputs: "last", read: true } as const);
