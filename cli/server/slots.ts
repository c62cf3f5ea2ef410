/**
 * The slots of a model: how many answers run at once, each in a session of its own that keeps its
 * tokens for the next request with the same beginning. Requests wait in order; one that leaves the
 * queue harms nobody.
 */
import type { Model, Session } from "../../mod.ts";
import { ApiError } from "./errors.ts";

export interface Slot {
  readonly id: number;
  readonly session: Session;
  /** What runs in it. */
  task: { readonly id: number; decoded: number } | undefined;
  /** When it was last used, in milliseconds. */
  usedAt: number;
}

interface Waiting {
  readonly wanted: number | undefined;
  readonly tokens: readonly number[];
  readonly give: (slot: Slot) => void;
  readonly refuse: (reason: unknown) => void;
}

export class Slots {
  readonly all: readonly Slot[];
  readonly #queue: Waiting[] = [];
  readonly #most: number;
  #tasks = 0;

  /** @param most requests that may wait */
  constructor(model: Model, count: number, most: number) {
    this.#most = most;
    this.all = Array.from({ length: count }, (_, id) => ({
      id,
      session: model.session(),
      task: undefined,
      usedAt: 0,
    }));
  }

  get busy(): number {
    return this.all.filter(({ task }) => task !== undefined).length;
  }
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * The slot `wanted`, or the free one with the longest beginning of `tokens`, else the one longest
   * unused; waits while there is none. Errors: 429 when too many wait; the signal's reason.
   */
  async acquire(
    tokens: readonly number[],
    wanted: number | undefined,
    signal: AbortSignal,
  ): Promise<Slot> {
    signal.throwIfAborted();
    const free = this.#queue.length === 0 ? this.#choose(tokens, wanted) : undefined;
    if (free) return this.#take(free);
    if (this.#queue.length >= this.#most)
      throw new ApiError(429, `Cannot wait: ${this.#most} requests wait already; try again later`, {
        retryAfter: 1,
      });
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const at = this.#queue.indexOf(waiting);
        if (at >= 0) this.#queue.splice(at, 1);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        wanted,
        tokens,
        give: (slot) => {
          signal.removeEventListener("abort", leave);
          resolve(slot);
        },
        refuse: (reason) => {
          signal.removeEventListener("abort", leave);
          reject(reason);
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#queue.push(waiting);
    });
  }

  release(slot: Slot): void {
    slot.task = undefined;
    slot.usedAt = performance.now();
    for (let i = 0; i < this.#queue.length; ) {
      const { wanted, tokens, give } = this.#queue[i];
      const free = this.#choose(tokens, wanted);
      if (free) {
        this.#queue.splice(i, 1);
        give(this.#take(free));
      } else i++;
    }
  }

  /** Refuses what waits. */
  close(reason: unknown): void {
    for (const { refuse } of this.#queue.splice(0)) refuse(reason);
  }

  #take(slot: Slot): Slot {
    slot.task = { id: this.#tasks++, decoded: 0 };
    return slot;
  }

  #choose(tokens: readonly number[], wanted: number | undefined): Slot | undefined {
    const free = this.all.filter(
      (slot) => slot.task === undefined && (wanted === undefined || slot.id === wanted),
    );
    let best: Slot | undefined;
    let longest = -1;
    for (const slot of free) {
      const common = commonPrefix(slot.session.tokens, tokens);
      // What another conversation has in a slot is left alone while there is one longer unused.
      const score = common * 2 >= tokens.length ? common : 0;
      if (score > longest || (score === longest && slot.usedAt < best!.usedAt))
        [best, longest] = [slot, score];
    }
    return best;
  }
}

/** Tokens that two lists begin with alike. */
export function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let i = 0;
  while (i < most && a[i] === b[i]) i++;
  return i;
}
