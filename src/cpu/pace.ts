/** Lets the event loop breathe during long computations. */

/** Longest stretch of work without a turn for others. */
const stretchMs = 50;

export class Pace {
  /** Products that surely take less than a stretch, also on slow machines. */
  readonly products: number = 2 ** 22;
  #since = performance.now();

  /** Whether others have waited for so long that it is their turn. */
  due(): boolean {
    return performance.now() - this.#since >= stretchMs;
  }
  /** Waits for one turn of the event loop; throws the reason of an aborted signal. */
  async rest(signal?: AbortSignal): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#since = performance.now();
    signal?.throwIfAborted();
  }
}
