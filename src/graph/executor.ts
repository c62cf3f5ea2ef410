/** What the session knows of whatever computes the model: the GPU plan or the CPU path. */

import { WebggufError } from "../base/errors.ts";
import type { Instruments } from "./instruments.ts";

/** Numbered by the caller, 0 ≤ id < maxSequences. */
export type SequenceId = number;

/** The largest `topK` that every executor can draw with. */
export const MAX_DEVICE_TOP_K = 128;

/** Tokens back to which every executor can penalize repetition. */
export const MAX_DEVICE_LAST_N = 1024;

/** Lowers the logits of the tokens among the last ones of the sequence, before anything else. */
export interface DevicePenalties {
  /** Tokens looked back upon, 1 to {@link MAX_DEVICE_LAST_N}. */
  readonly lastN: number;
  /** 1, 0 and 0 = off. */
  readonly repeat: number;
  readonly frequency: number;
  readonly presence: number;
}

/**
 * How the executor itself draws the next token: penalties first; then greedy when the temperature is
 * 0 or less, else by top-k, top-p, min-p and temperature in this order. The random number depends on
 * the seed and on the position that the token will have, not on the sequence's number: the same text
 * on any of them.
 */
export interface DeviceSampling {
  readonly temperature: number;
  /** 1 to {@link MAX_DEVICE_TOP_K} unless greedy. */
  readonly topK: number;
  /** 1 or more = off. */
  readonly topP: number;
  /** 0 or less = off. */
  readonly minP: number;
  /** From 0 to 2⁵³ − 1. */
  readonly seed: number;
  readonly penalties?: DevicePenalties;
}

/** Whether it is more than taking the largest logit. */
export const isDrawn = ({ temperature, penalties }: DeviceSampling): boolean =>
  temperature > 0 || penalties !== undefined;

/** Penalties change the logits where they stand. */
export const penalizedError = (): WebggufError =>
  new WebggufError(
    "input/invalid",
    "Cannot both bring back the logits of a row and draw from it with penalties, which change them in place: do one of the two",
  );

/** Consecutive rows of one sequence. */
export interface StepRequest {
  readonly sequence: SequenceId;
  /** Token ids, appended at the sequence's length; "sampled" = one row, the token sampled last for it. */
  readonly tokens: ArrayLike<number> | "sampled";
  /** Rows whose output is computed. */
  readonly outputs: "none" | "last" | "all";
  /** Bring the output rows back to the host (logits or embeddings); not together with penalties. */
  readonly read?: boolean;
  /** Sample a token from each output row on the device; the last becomes the sequence's "sampled" token. */
  readonly sample?: DeviceSampling;
}

export interface StepResult {
  /** [output rows][width of the graph's output] when `read`. */
  readonly logits?: Float32Array;
  /** One id an output row when `sample`. */
  readonly tokens?: Int32Array;
}

/**
 * Two implementations, one contract. A sequence has a length: the rows it has been given. `step`
 * takes effect in call order; lengths advance at the call, the promise resolves when the results
 * are back, so calls can be in flight. An executor cuts long requests into chunks by itself.
 */
export interface Executor {
  readonly kind: "gpu" | "cpu";
  /** Adapter description for people: "SwiftShader driver 5.0.0", "CPU (TypeScript)". */
  readonly adapter: string;
  readonly contextLength: number;
  readonly maxSequences: number;
  /** Steps worth keeping in flight (1 = wait for each). */
  readonly stepsInFlight: number;
  /** Rows computed at once. */
  readonly chunk: number;
  /** Bytes held, by owner, for `stats` and `inspect --memory`. */
  readonly memory: { readonly weights: number; readonly cache: number; readonly arena: number };
  /** Makes room for `count` more rows of a sequence; `context/overflow` when they do not fit. */
  reserve(sequence: SequenceId, count: number): void;
  length(sequence: SequenceId): number;
  step(requests: readonly StepRequest[], signal?: AbortSignal): Promise<StepResult[]>;
  /** Shortens a sequence to `length`; returns the length really reached (≤ asked; recompute the rest). 0 frees it. */
  rewind(sequence: SequenceId, length: number): number;
  /** For benchmarks and tests, where the executor was opened with them. */
  readonly instruments?: Instruments;
  /** Resolves with the reason when the device is lost; never on the CPU. */
  readonly lost: Promise<string>;
  dispose(): Promise<void>;
}
