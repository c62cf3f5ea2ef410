/**
 * Into how many submits the calls of a prompt's chunk are cut, so that none keeps a device for long: a browser draws
 * between submits, and watchdogs end what takes seconds. Results do not depend on it.
 */

/** Seconds that a submit should take at the most, with room below the 200 ms after which a page feels stuck. */
const WANTED = 0.1;
const FIRST = 8;
const MOST = 256;

export class Slices {
  #count = FIRST;
  #finished = 0;

  /** Submits of the next chunk. */
  get count(): number {
    return this.#count;
  }

  /** A chunk of that many submits was handed over at `started` and is done `now`, in milliseconds. */
  done(count: number, started: number, now: number): void {
    // The device may have been busy with the chunk before.
    const seconds = (now - Math.max(started, this.#finished)) / 1000;
    this.#finished = now;
    // A slice at the end of its time is cut at once; one far below it grows slowly.
    const fitting = Math.ceil(seconds / WANTED);
    this.#count = Math.min(MOST, Math.max(1, fitting, Math.floor(count / 2)));
  }
}
