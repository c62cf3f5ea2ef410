/**
 * Which session owns which sequence of the cache. There may be more sessions than sequences: an
 * idle session's sequence goes to whoever needs one (the session longest idle first; it computes
 * its tokens again when it goes on), and when all are busy the next one waits in order.
 */
import type { Executor } from "../graph/executor.ts";
import type { SequenceId } from "../graph/requests.ts";

interface Waiting {
  readonly holder: object;
  readonly give: (sequence: SequenceId) => void;
}

/** Hands out the sequences of one executor. */
export class Sequences {
  #executor: Executor;
  readonly #free: SequenceId[];
  /** In the order of their last use. */
  readonly #owned = new Map<object, SequenceId>();
  readonly #busy = new Set<object>();
  readonly #waiting: Waiting[] = [];

  constructor(executor: Executor) {
    this.#executor = executor;
    this.#free = Array.from({ length: executor.maxSequences }, (_, i) => i);
  }

  /** The holder's own sequence if it still has one, else an empty one; waits while all are busy. */
  async acquire(holder: object, signal: AbortSignal): Promise<SequenceId> {
    const own = this.#owned.get(holder);
    if (own !== undefined) {
      this.#busy.add(holder);
      return own;
    }
    const sequence = this.#free.pop() ?? this.#takeFromIdle();
    if (sequence !== undefined) return this.#give(holder, sequence);
    const given = await new Promise<SequenceId>((resolve, reject) => {
      const waiting: Waiting = { holder, give: resolve };
      this.#waiting.push(waiting);
      signal.addEventListener(
        "abort",
        () => {
          const at = this.#waiting.indexOf(waiting);
          if (at < 0) return;
          this.#waiting.splice(at, 1);
          reject(signal.reason);
        },
        { once: true },
      );
    });
    return given;
  }

  /** The holder is idle; the sequence stays its own as long as nobody else needs it. */
  release(holder: object): void {
    this.#busy.delete(holder);
    const sequence = this.#owned.get(holder);
    if (sequence === undefined) return;
    this.#owned.delete(holder);
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting.give(this.#give(waiting.holder, sequence));
    } else {
      this.#owned.set(holder, sequence);
    }
  }

  /** The holder is done for good. */
  drop(holder: object): void {
    this.#busy.delete(holder);
    const sequence = this.#owned.get(holder);
    if (sequence === undefined) return;
    this.#owned.delete(holder);
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting.give(this.#give(waiting.holder, sequence));
    } else {
      this.#executor.rewind(sequence, 0);
      this.#free.push(sequence);
    }
  }

  /** A new executor, whose sequences are all empty. */
  replace(executor: Executor): void {
    this.#executor = executor;
  }

  #give(holder: object, sequence: SequenceId): SequenceId {
    this.#executor.rewind(sequence, 0);
    this.#owned.set(holder, sequence);
    this.#busy.add(holder);
    return sequence;
  }

  #takeFromIdle(): SequenceId | undefined {
    for (const [holder, sequence] of this.#owned)
      if (!this.#busy.has(holder)) {
        this.#owned.delete(holder);
        return sequence;
      }
    return undefined;
  }
}
