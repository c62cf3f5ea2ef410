/** An executor whose next token is a function of all tokens before it: for tests of what stands before executors. */
import { WebggufError } from "../../src/base/errors.ts";
import type { Executor } from "../../src/graph/executor.ts";
import { Pool } from "../../src/graph/pool.ts";
import {
  checkPages,
  checkRequests,
  checkSequence,
  itemToken,
  type ResultOf,
  rowsOf,
  type SequenceId,
  SMALL_ROWS,
  StepOrder,
  type StepRequest,
  type StepResult,
} from "../../src/graph/requests.ts";

export const FAKE_VOCABULARY = 5;

/** The token that follows a text. */
export function follows(text: readonly number[], seed = 0): number {
  let h = seed + 17;
  // Not far back, so that texts repeat now and then.
  for (const token of text.slice(-3)) h = (Math.imul(h, 31) + token) >>> 0;
  return ((h ^ (h >>> 5)) >>> 0) % FAKE_VOCABULARY;
}

export interface FakeOptions {
  readonly contextLength?: number;
  readonly maxSequences?: number;
  readonly stepsInFlight?: number;
  /** 1: a given row is one number, and counts as the token of that number. @default 0 */
  readonly givenWidth?: number;
  /** Taking back ends at a multiple of this. */
  readonly border?: number;
  /** Milliseconds of a step. */
  readonly delay?: number;
  /** @default 64 */
  readonly chunk?: number;
  /** @default true */
  readonly uniform?: boolean;
  /** @default SMALL_ROWS */
  readonly smallRows?: number;
}

export class FakeExecutor implements Executor {
  readonly kind = "cpu";
  readonly adapter = "fake";
  readonly contextLength: number;
  readonly maxSequences: number;
  readonly stepsInFlight: number;
  readonly vocabulary: number = FAKE_VOCABULARY;
  readonly givenWidth: number;
  readonly causal = true;
  readonly chunk: number;
  readonly outputChunk: number;
  readonly uniform: boolean;
  readonly smallRows: number;
  readonly memory = { weights: 0, cache: 0, arena: 0 };
  /** The requests of every step. */
  readonly steps: (readonly StepRequest[])[] = [];
  readonly #texts: number[][];
  readonly #sampled: number[] = [];
  readonly #options: FakeOptions;
  readonly #order = new StepOrder();
  readonly #pool: Pool;
  #disposed = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: FakeOptions = {}) {
    this.contextLength = options.contextLength ?? 1000;
    this.maxSequences = options.maxSequences ?? 1;
    this.givenWidth = options.givenWidth ?? 0;
    this.stepsInFlight = options.stepsInFlight ?? 1;
    this.chunk = options.chunk ?? 64;
    this.outputChunk = this.chunk;
    this.uniform = options.uniform ?? true;
    this.smallRows = options.smallRows ?? SMALL_ROWS;
    const { contextLength, maxSequences } = this;
    this.#pool = new Pool({ contextLength, maxSequences });
    this.#options = options;
    this.#texts = Array.from({ length: this.maxSequences }, () => []);
  }

  /** The tokens of a sequence. */
  text(sequence: SequenceId): readonly number[] {
    return this.#texts[sequence];
  }
  get pages(): Executor["pages"] {
    return this.#pool.pages;
  }
  pagesFor(sequence: SequenceId, count: number): number {
    return this.#pool.pagesFor(sequence, count);
  }
  publish(sequence: SequenceId, text: readonly number[]): void {
    this.#pool.publish(sequence, text);
  }
  begin(sequence: SequenceId, text: readonly number[]): number {
    const begun = this.#pool.begin(sequence, text);
    if (begun) {
      this.#order.shortened(sequence);
      this.#texts[sequence] = text.slice(0, begun.length).map(itemToken);
    }
    return this.length(sequence);
  }
  length(sequence: SequenceId): number {
    checkSequence(sequence, this.maxSequences);
    return this.#texts[sequence].length;
  }
  step<const R extends StepRequest>(
    requests: readonly R[],
    signal?: AbortSignal,
  ): Promise<ResultOf<R>[]>;
  async step(requests: readonly StepRequest[], signal?: AbortSignal): Promise<StepResult[]> {
    if (this.#disposed) throw disposed();
    signal?.throwIfAborted();
    checkRequests(requests, this, (sequence) => this.length(sequence));
    checkPages(requests, this);
    for (const request of requests) {
      const rows = rowsOf(request, this.givenWidth);
      this.#pool.reserve(request.sequence, rows);
      this.#pool.advance(request.sequence, rows);
    }
    const called = this.#order.call(requests);
    this.steps.push(requests);
    const lengths = requests.map(({ sequence }) => this.length(sequence));
    const results = requests.map((request) => this.#take(request));
    const work = this.#queue.then(async () => {
      try {
        await wait(this.#options.delay);
        if (this.#disposed) throw disposed();
        signal?.throwIfAborted();
        this.#order.check(requests, called);
      } catch (error) {
        requests.forEach(({ sequence }, at) => {
          if (this.#order.stands(requests, called, at)) this.rewind(sequence, lengths[at]);
        });
        throw error;
      }
    });
    this.#queue = work.catch(() => {});
    await work;
    return results;
  }
  rewind(sequence: SequenceId, length: number): number {
    checkSequence(sequence, this.maxSequences);
    const text = this.#texts[sequence];
    if (length >= text.length) return text.length;
    this.#order.shortened(sequence);
    const { border = 1 } = this.#options;
    text.length = Math.floor(length / border) * border;
    this.#pool.rewind(sequence, text.length);
    return text.length;
  }
  async dispose(): Promise<void> {
    this.#disposed = true;
  }

  #take({ sequence, input, outputs, read, sample }: StepRequest): StepResult {
    const text = this.#texts[sequence];
    const given = typeof input === "object" && "rows" in input ? input.rows : input;
    const rows = given === "sampled" ? [this.#sampled[sequence]] : Array.from(given);
    const sampled: number[] = [];
    rows.forEach((token, i) => {
      text.push(token);
      if (outputs === "all" || (outputs === "last" && i === rows.length - 1))
        sampled.push(follows(text, sample?.seed));
    });
    if (sample) this.#sampled[sequence] = sampled[sampled.length - 1];
    const logits = new Float32Array(sampled.length * FAKE_VOCABULARY);
    sampled.forEach((token, i) => {
      logits[i * FAKE_VOCABULARY + token] = 1;
    });
    return {
      ...(read && { rows: logits }),
      ...(sample && { tokens: Int32Array.from(sampled) }),
    };
  }
}

const wait = (ms: number | undefined): Promise<void> | undefined =>
  ms === undefined ? undefined : new Promise((resolve) => setTimeout(resolve, ms));

const disposed = (): WebggufError =>
  new WebggufError("session/disposed", "Cannot use the fake executor");
