/** Lets the event loop breathe during long computations. */

/** Longest stretch of work without a turn for others. */
const stretchMs = 50;

export class Pace {
  /** Products that surely take less than a stretch, also on slow machines. */
  readonly products: number = 2 ** 22;
  #since = performance.now();

  /**
   * After 50 ms of work, waits for one turn of the event loop; throws the reason of an aborted
   * signal.
   */
  async rest(signal?: AbortSignal): Promise<void> {
    if (performance.now() - this.#since < stretchMs) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#since = performance.now();
    signal?.throwIfAborted();
  }
}
