/**
 * What happens per token: start a step, wait for the oldest one in flight, hand its token out.
 *
 * When the executor samples, several steps are in flight: each reads the token that the one before
 * it left on the device, and while one group is read the next is computed already, so that the
 * device never waits for the host. When the host samples, one step is waited for, its logits are
 * read, and the token goes in with the next step.
 */
import type { Executor } from "../graph/executor.ts";
import type { DeviceSampling, SequenceId, StepResult } from "../graph/requests.ts";
import { type GivenVectors, requestsFor } from "./history.ts";

/** A token as it was sampled. */
export interface Sampled {
  readonly token: number;
  readonly logprob?: number;
  readonly topLogprobs?: readonly { readonly token: number; readonly logprob: number }[];
}

/** Who samples: the executor by these settings, or a function of the last row's logits. */
export type Sampling =
  | { readonly on: "device"; readonly settings: DeviceSampling }
  | {
      readonly on: "host";
      readonly sample: (logits: Float32Array) => Sampled;
      /** Takes the next token where only one can come, else gives -1: it needs no logits. */
      readonly forced?: () => number;
      /** Called while a step is computed, to make ready for its logits. */
      readonly prepare?: () => void;
      /** How many tokens of a draft may come. */
      readonly allowed?: (draft: readonly number[]) => number;
    };

export interface Decoding {
  readonly executor: Executor;
  readonly sequence: SequenceId;
  /** Items that the sequence lacks; at least one. */
  readonly feed: ArrayLike<number>;
  /** Of the given rows among the items. @default there are none */
  readonly vectors?: GivenVectors;
  /** Tokens to sample at most; there is room for all but the last of them. */
  readonly limit: number;
  readonly sampling: Sampling;
  readonly signal: AbortSignal;
  /** Nothing of the items is taken from other sequences. */
  readonly fresh?: boolean;
  /** Told what each step came to. */
  readonly onStep?: (results: readonly StepResult[]) => void;
}

/**
 * Yields one token after another until `limit`. Steps already in flight when the caller stops
 * are waited for; what they appended to the sequence is the caller's to rewind.
 */
export async function* decode(run: Decoding): AsyncGenerator<Sampled, void, undefined> {
  const { executor, sampling, signal } = run;
  const group = sampling.on === "device" ? executor.stepsInFlight : 1;
  const most = group === 1 ? 1 : 2 * group;
  const flying: Promise<Sampled>[] = [];
  let next: ArrayLike<number> | "sampled" = run.feed;
  let left = run.limit;
  /** Tokens that can only come as they do are rows of the next step, which nothing is sampled from. */
  function* ride(items: number[]): Generator<Sampled> {
    if (sampling.on !== "host" || !sampling.forced) return;
    for (; left > 0; left--) {
      const token = sampling.forced();
      if (token < 0) return;
      items.push(token);
      yield { token };
      signal.throwIfAborted();
    }
  }
  try {
    if (sampling.on === "host") {
      const forced: number[] = [];
      yield* ride(forced);
      if (forced.length > 0) next = [...Array.from(run.feed), ...forced];
    }
    while (left > 0 || flying.length > 0) {
      if (flying.length <= most - group)
        for (let i = 0; i < group && left > 0; i++, left--) {
          const step = stepOf(run, next);
          step.catch(() => {}); // reported when its turn comes
          flying.push(step);
          next = "sampled";
        }
      const sampled = await flying.shift()!;
      yield sampled;
      signal.throwIfAborted();
      if (sampling.on === "host") {
        const items = [sampled.token];
        yield* ride(items);
        next = items;
      }
    }
  } finally {
    await Promise.allSettled(flying);
  }
}

/** Computes items (the token sampled last, where they are "sampled") and samples the token that follows them. */
async function stepOf(run: Decoding, items: ArrayLike<number> | "sampled"): Promise<Sampled> {
  const { executor, sequence, vectors, sampling, signal, fresh } = run;
  if (sampling.on === "device") {
    const sample = sampling.settings;
    const asked = { outputs: "last", sample, fresh } as const;
    const results = await executor.step(requestsFor(sequence, items, vectors, asked), signal);
    run.onStep?.(results);
    return { token: results[results.length - 1].tokens[0] };
  }
  const asked = { outputs: "last", read: true, fresh } as const;
  const step = executor.step(requestsFor(sequence, items, vectors, asked), signal);
  sampling.prepare?.();
  const results = await step;
  run.onStep?.(results);
  return sampling.sample(results[results.length - 1].rows);
}
