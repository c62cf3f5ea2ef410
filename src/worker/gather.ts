/** Messages of one moment in one message. */
import type { Together } from "./protocol.ts";

/** Turns of waiting promises that a moment has: those who were answered together ask together. */
const TURNS = 16;

export class Gather<T> {
  readonly #post: (message: T | Together<T>) => void;
  #waiting: T[] = [];
  #gathering = false;

  constructor(post: (message: T | Together<T>) => void) {
    this.#post = post;
  }

  /** Posts a message with others of this moment. */
  add(message: T): void {
    this.#waiting.push(message);
    if (this.#gathering) return;
    this.#gathering = true;
    void this.#soon();
  }

  /** Posts what waits: what comes behind it must not overtake it. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) this.#post(waiting.length === 1 ? waiting[0] : { together: waiting });
  }

  async #soon(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await undefined;
    this.#gathering = false;
    this.flush();
  }
}
