/** What the session knows of whatever computes the model: the GPU plan or the CPU path. */
import type { Instruments } from "./instruments.ts";
import type { RequestLimits, ResultOf, SequenceId, StepRequest } from "./requests.ts";
import type { Saving } from "./saved.ts";

/**
 * One contract for all executors (test/executor is its suite). A sequence has a length: the rows that
 * it has been given. `step` takes effect in call order; lengths advance at the call, the promise
 * resolves when the results are back, so that calls can be in flight. An executor divides long
 * requests into chunks by itself.
 */
export interface Executor extends RequestLimits {
  readonly kind: "gpu" | "cpu";
  /** Adapter description for people: "SwiftShader driver 5.0.0", "CPU (WebAssembly SIMD)". */
  readonly adapter: string;
  /** Steps worth keeping in flight (1 = wait for each). */
  readonly stepsInFlight: number;
  /** Whether a row has the same bits in every step, whatever is computed with it; else `StepRequest.prompt` tells. */
  readonly uniform: boolean;
  /** Rows of a step that cost little more than one and do not depend on each other. */
  readonly smallRows: number;
  /** Pages of the cache, shared by all sequences: all, those that can be had, and of these those that are kept. */
  readonly pages: { readonly total: number; readonly free: number; readonly kept: number };
  /** Pages that `count` more rows of a sequence take; a step that finds too few is refused with `context/overflow`. */
  pagesFor(sequence: SequenceId, count: number): number;
  /** Bytes held, by owner. */
  readonly memory: { readonly weights: number; readonly cache: number; readonly arena: number };
  /** Rows that a sequence has been given and that were not taken back. */
  length(sequence: SequenceId): number;
  /**
   * Appends the rows of the requests in order, all of them or none; one result a request. Errors:
   * `input/invalid` and `context/overflow` by `checkRequests`, `session/disposed`, `device/lost`, and
   * the signal's reason: rows that were not computed because of it do not count, and the steps in
   * flight that would follow on them are refused with `input/invalid`.
   */
  step<const R extends StepRequest>(
    requests: readonly R[],
    signal?: AbortSignal,
  ): Promise<ResultOf<R>[]>;
  /**
   * Shortens a sequence to `length`; returns the length really reached (≤ asked; recompute the rest). 0 frees it.
   * Steps in flight that have rows behind it may be refused.
   */
  rewind(sequence: SequenceId, length: number): number;
  /**
   * Says what the first rows of a sequence are: any numbers, one a row, the same for rows that are the same. Their steps
   * must be done. Others can begin with them then, even after the sequence is freed, as long as there is room.
   */
  publish(sequence: SequenceId, text: readonly number[]): void;
  /**
   * Gives a sequence the longest beginning of `text` that is computed, whoever computed it, if that is longer than what
   * the sequence has; returns its length then. No step of it may be in flight.
   */
  begin(sequence: SequenceId, text: readonly number[]): number;
  /**
   * What the rows of a sequence are, as `begin` takes it, and the way back: an empty sequence counts as having the rows
   * of `text`, which are computed, as they were, when they are needed. Of executors that callers share.
   */
  readonly texts?: {
    of(sequence: SequenceId): readonly number[];
    resume(sequence: SequenceId, text: readonly number[]): void;
  };
  /** Rows out of the executor and into it; that of an executor which callers share frees what the sequence had. */
  saving?(): Promise<Saving>;
  /** For benchmarks and tests, where the executor was opened with them. */
  readonly instruments?: Instruments;
  /** Steps that were not submitted are refused with `session/disposed`. */
  dispose(): Promise<void>;
}

/** Takes rows back until a sequence has at most `length`; returns how many it has. */
export function shorten(executor: Executor, sequence: SequenceId, length: number): number {
  const has = executor.length(sequence);
  return has > length ? executor.rewind(sequence, length) : has;
}
