/**
 * Which session owns which sequence of the cache. There may be more sessions than sequences: an
 * idle session's sequence goes to whoever needs one (the session longest idle first; it computes
 * its tokens again when it goes on), and when all are busy the next one waits in order. An answer
 * whose reader keeps the others waiting between two pieces counts as idle after a moment.
 */
import type { Executor } from "../graph/executor.ts";
import type { SequenceId } from "../graph/requests.ts";

/** Milliseconds between two pieces for which an answer keeps its sequence from those that wait. */
const GRACE = 250;

interface Owned {
  readonly sequence: SequenceId;
  /** Since when others may have it, {@link GRACE} later: -Infinity when idle, Infinity when busy. */
  since: number;
}

interface Waiting {
  readonly holder: object;
  readonly give: (sequence: SequenceId) => void;
}

/** Hands out the sequences of one executor. */
export class Sequences {
  #executor: Executor;
  readonly #free: SequenceId[];
  /** In the order of their last use. */
  readonly #owned = new Map<object, Owned>();
  readonly #waiting: Waiting[] = [];
  /** The rows of holders whose sequence went to another: they are computed again, as they were. */
  readonly #texts = new WeakMap<object, readonly number[]>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(executor: Executor) {
    this.#executor = executor;
    this.#free = Array.from({ length: executor.maxSequences }, (_, i) => i);
  }

  /** The holder's own sequence if it still has one, else an empty one; waits while all are busy. */
  async acquire(holder: object, signal: AbortSignal): Promise<SequenceId> {
    signal.throwIfAborted();
    if (this.resume(holder)) return this.#owned.get(holder)!.sequence;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason);
      };
      const give = (sequence: SequenceId): void => {
        signal.removeEventListener("abort", abort);
        resolve(sequence);
      };
      const waiting = { holder, give };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.push(waiting);
      this.#serve();
    });
  }

  /** The holder waits for its reader. */
  pause(holder: object): void {
    this.#lend(holder, performance.now());
  }

  /** The holder goes on with its sequence; false where that has gone to another. */
  resume(holder: object): boolean {
    const own = this.#owned.get(holder);
    if (own) own.since = Number.POSITIVE_INFINITY;
    return own !== undefined;
  }

  /** The holder is idle; the sequence stays its own as long as nobody else needs it. */
  release(holder: object): void {
    this.#lend(holder, Number.NEGATIVE_INFINITY);
  }

  /** Whether something is computed on the holder's sequence. */
  isBusy(holder: object): boolean {
    return this.#owned.get(holder)?.since === Number.POSITIVE_INFINITY;
  }

  has(holder: object): boolean {
    return this.#owned.has(holder);
  }

  /** What the holder's rows are. */
  text(holder: object): readonly number[] {
    const own = this.#owned.get(holder);
    return (own ? this.#executor.texts?.of(own.sequence) : this.#texts.get(holder)) ?? [];
  }

  /** Rows of another holder, or that were saved, for a holder without a sequence. */
  remember(holder: object, text: readonly number[]): void {
    this.#texts.set(holder, text);
  }

  /** The holder is done for good. */
  drop(holder: object): void {
    this.#texts.delete(holder);
    const own = this.#owned.get(holder);
    if (!own) return;
    this.#owned.delete(holder);
    this.#executor.rewind(own.sequence, 0);
    this.#free.push(own.sequence);
    this.#serve();
  }

  /** A new executor, whose sequences are all empty. */
  replace(executor: Executor): void {
    for (const { sequence } of this.#owned.values())
      executor.texts?.resume(sequence, this.#executor.texts?.of(sequence) ?? []);
    this.#executor = executor;
  }

  #lend(holder: object, since: number): void {
    const own = this.#owned.get(holder);
    if (!own) return;
    own.since = since;
    this.#owned.delete(holder);
    this.#owned.set(holder, own);
    this.#serve();
  }

  /** Gives those that wait what there is for them, now and when it may be taken. */
  #serve(): void {
    clearTimeout(this.#timer);
    while (this.#waiting.length > 0) {
      let [first, since]: [object | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
      for (const [holder, own] of this.#owned)
        if (own.since < since) [first, since] = [holder, own.since];
      const wait = since + GRACE - performance.now();
      let sequence = this.#free.pop();
      if (sequence === undefined) {
        if (first === undefined) return;
        if (wait > 0) {
          this.#timer = setTimeout(() => this.#serve(), wait);
          return;
        }
        sequence = this.#owned.get(first)!.sequence;
        this.remember(first, this.text(first));
        this.#owned.delete(first);
        this.#executor.rewind(sequence, 0);
      }
      const { holder, give } = this.#waiting.shift()!;
      const text = this.#texts.get(holder);
      if (text) this.#executor.texts?.resume(sequence, text);
      this.#texts.delete(holder);
      this.#owned.set(holder, { sequence, since: Number.POSITIVE_INFINITY });
      give(sequence);
    }
  }
}
