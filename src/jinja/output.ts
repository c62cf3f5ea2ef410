/** Text that is put together from pieces, within the budget. */
import type { Budget } from "./budget.ts";

export class Output {
  readonly #budget: Budget;
  readonly #pieces: string[] = [];
  #length = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Adds a piece and pays for it: shared lists can make the whole exponentially long. */
  add(piece: string): void {
    this.#length += piece.length;
    this.#budget.text(piece.length + 1);
    this.#pieces.push(piece);
  }

  /** Everything so far. */
  text(): string {
    this.#budget.text(this.#length);
    return this.#pieces.join("");
  }
}
