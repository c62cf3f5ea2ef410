/** Text that is put together from pieces, within the budget. */
import type { Budget } from "./budget.ts";

/** What a piece costs besides its text. */
const PIECE = 96;

export class Output {
  readonly #budget: Budget;
  readonly #pieces: string[] = [];
  #length = 0;

  readonly #written: ((piece: string) => void) | undefined;

  /** `written` is told of each piece. */
  constructor(budget: Budget, written?: (piece: string) => void) {
    this.#budget = budget;
    this.#written = written;
  }

  /**
   * Adds a piece and pays for it, as shared lists can make the whole exponentially long; `work` is
   * what a unit of the piece took.
   */
  add(piece: string, work = 1): void {
    this.#length += piece.length;
    this.#budget.work(work * piece.length + PIECE);
    this.#pieces.push(piece);
    this.#written?.(piece);
  }

  /** Everything so far. */
  text(): string {
    this.#budget.text(this.#length);
    return this.#pieces.join("");
  }
}
