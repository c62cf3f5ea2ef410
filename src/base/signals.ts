/** Signals of several owners as one, and promises that a signal ends. No listener stays behind. */

/** A signal that fires when one of others does, while it follows them. */
export class Follower {
  readonly #stop = new AbortController();
  readonly #others: readonly AbortSignal[];
  readonly #check = (): void => {
    const fired = this.#others.find(({ aborted }) => aborted);
    if (fired) this.#stop.abort(fired.reason);
  };

  /** Follows the signals at once. */
  constructor(...others: readonly (AbortSignal | undefined)[]) {
    this.#others = others.filter((other) => other !== undefined);
    this.follow();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Fires at once where one of the others has fired meanwhile. */
  follow(): void {
    this.#check();
    for (const other of this.#others) other.addEventListener("abort", this.#check);
  }

  /** Lets go of the others until {@link follow}: they may live longer than this. */
  rest(): void {
    for (const other of this.#others) other.removeEventListener("abort", this.#check);
  }
}

/** The promise's outcome, or the signal's reason as soon as that fires. */
export async function orAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise;
  let abort: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
  });
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
