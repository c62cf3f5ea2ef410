/**
 * Sessions that work at the same time share steps: an executor in front of another that holds a
 * request back for a moment until the other sequences at work have asked too, and sends them as one
 * step of a few rows, which costs little more than one of them alone. A sequence that works alone is
 * never held back. Rows do not depend on what else is in their step, so no text changes.
 */
import type { Executor } from "../graph/executor.ts";
import {
  checkRequests,
  type ResultOf,
  rowsAdded,
  rowsOf,
  type SequenceId,
  SMALL_ROWS,
  type StepRequest,
  type StepResult,
  shortenedError,
} from "../graph/requests.ts";

/** Milliseconds that a request waits, at most, for sequences that were answered but do not go on. */
const PATIENCE = 2;

/** The same executor for sequences at work together; one that holds a single sequence is returned as it is. */
export function batched(inner: Executor): Executor {
  if (inner.maxSequences === 1) return inner;
  const { kind, adapter, stepsInFlight, instruments } = inner;
  const { contextLength, maxSequences, vocabulary, causal, chunk, outputChunk, givenWidth } = inner;
  const batch = new Batch(inner);
  const length = (sequence: SequenceId): number => inner.length(sequence) + batch.waiting(sequence);
  return {
    ...{ kind, adapter, stepsInFlight, instruments },
    ...{ contextLength, maxSequences, vocabulary, causal, chunk, outputChunk, givenWidth },
    get memory() {
      return inner.memory;
    },
    length,
    async step<const R extends StepRequest>(requests: readonly R[], signal?: AbortSignal) {
      signal?.throwIfAborted();
      // Here, so that a wrong request is not the fault of a step that others share.
      checkRequests(requests, inner, length);
      return batch.add(requests, signal) as Promise<ResultOf<R>[]>;
    },
    rewind(sequence, length) {
      if (batch.waiting(sequence) > 0) batch.sendAll();
      return inner.rewind(sequence, length);
    },
    dispose() {
      batch.sendAll();
      return inner.dispose();
    },
  };
}

/** A call of `step` that was not sent yet. */
interface Call {
  readonly requests: readonly StepRequest[];
  readonly signal: AbortSignal | undefined;
  readonly resolve: (results: StepResult[]) => void;
  readonly reject: (reason: unknown) => void;
}

class Batch {
  readonly #inner: Executor;
  /** In the order they came. */
  #calls: Call[] = [];
  /** Sequences that something is computed of, or was a moment ago. */
  readonly #atWork = new Set<SequenceId>();
  /** Steps sent and not answered, and when the last answer came. */
  #flying = 0;
  #answered = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(inner: Executor) {
    this.#inner = inner;
  }

  add(requests: readonly StepRequest[], signal: AbortSignal | undefined): Promise<StepResult[]> {
    return new Promise((resolve, reject) => {
      this.#calls.push({ requests, signal, resolve, reject });
      this.#consider();
    });
  }

  /** Rows of a sequence that were not sent yet. */
  waiting(sequence: SequenceId): number {
    let rows = 0;
    for (const { requests } of this.#calls)
      rows += rowsAdded(requests, sequence, this.#inner.givenWidth);
    return rows;
  }

  /** Sends what there is and waits for nobody. */
  sendAll(): void {
    if (this.#flying === 0) this.#atWork.clear();
    while (this.#calls.length > 0) void this.#send(this.#takeStep());
  }

  /** Sends steps as long as every sequence at work has its part in the next; else the wait has an end. */
  #consider(): void {
    while (this.#calls.length > 0 && !this.#incomplete()) void this.#send(this.#takeStep());
    if (this.#calls.length === 0 || this.#flying > 0) return;
    const left = this.#answered + PATIENCE - performance.now();
    if (left <= 0) this.sendAll();
    else this.#timer ??= setTimeout(() => this.sendAll(), left);
  }

  /** Whether a sequence at work asks for nothing yet. */
  #incomplete(): boolean {
    const asking = new Set(this.#calls.flatMap(sequencesOf));
    return [...this.#atWork].some((sequence) => !asking.has(sequence));
  }

  /** Takes the calls of the next step: the first, and those behind it that fit in, one of a sequence. */
  #takeStep(): Call[] {
    const step: Call[] = [];
    const left: Call[] = [];
    const seen = new Set<SequenceId>();
    let rows = 0;
    for (const call of this.#calls) {
      const own = sequencesOf(call);
      rows += this.#rowsOf(call);
      const fits = rows <= SMALL_ROWS && !own.some((sequence) => seen.has(sequence));
      if (step.length === 0 || fits) step.push(call);
      else {
        rows -= this.#rowsOf(call);
        left.push(call);
      }
      for (const sequence of own) seen.add(sequence);
    }
    this.#calls = left;
    return step;
  }

  #rowsOf({ requests }: Call): number {
    return requests.reduce((rows, request) => rows + rowsOf(request, this.#inner.givenWidth), 0);
  }

  async #send(calls: readonly Call[]): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const wanted = calls.filter(({ signal }) => !signal?.aborted);
    const stopped = calls.filter(({ signal }) => signal?.aborted);
    for (const { signal, reject } of stopped) reject(signal?.reason);
    this.#refuseBehind(stopped);
    if (wanted.length === 0) return;
    const requests = wanted.flatMap((call) => call.requests);
    for (const { sequence } of requests) this.#atWork.add(sequence);
    this.#flying++;
    try {
      // A shared step is small, and to stop it is one caller's wish only.
      const signal = wanted.length === 1 ? wanted[0].signal : undefined;
      const results = await this.#inner.step(requests, signal);
      for (const call of wanted) call.resolve(results.splice(0, call.requests.length));
    } catch (error) {
      for (const { reject } of wanted) reject(error);
      this.#refuseBehind(wanted);
    }
    this.#flying--;
    this.#answered = performance.now();
    this.#consider();
  }

  /** Refuses the calls that would have followed on those that failed. */
  #refuseBehind(failed: readonly Call[]): void {
    if (failed.length === 0) return;
    const lost = new Set(failed.flatMap(sequencesOf));
    const left: Call[] = [];
    for (const call of this.#calls) {
      const sequence = sequencesOf(call).find((id) => lost.has(id));
      if (sequence === undefined) left.push(call);
      else {
        for (const id of sequencesOf(call)) lost.add(id);
        call.reject(shortenedError(sequence));
      }
    }
    this.#calls = left;
  }
}

const sequencesOf = ({ requests }: Call): SequenceId[] =>
  requests.map((request) => request.sequence);
