/** What the session knows of whatever computes the model: the GPU plan or the CPU path. */
import type { Instruments } from "./instruments.ts";
import type { RequestLimits, ResultOf, SequenceId, StepRequest } from "./requests.ts";

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
