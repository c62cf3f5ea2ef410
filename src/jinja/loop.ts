/** Jinja's `loop`: what the body of a loop knows of the iteration. */
import type { Budget } from "./budget.ts";
import { bool, int, type Key, type MappingValue, UNDEFINED, type Value } from "./values.ts";

/** `loop` of iteration `i`; most bodies ask for nothing of it, so it is made when one does. */
export class LoopVariable implements MappingValue {
  readonly type = "mapping";
  readonly #entries: readonly Value[];
  readonly #i: number;
  readonly #budget: Budget;
  #value: Map<Key, Value> | undefined;

  constructor(entries: readonly Value[], i: number, budget: Budget) {
    this.#entries = entries;
    this.#i = i;
    this.#budget = budget;
  }

  get value(): Map<Key, Value> {
    this.#value ??= this.#facts();
    return this.#value;
  }

  #facts(): Map<Key, Value> {
    this.#budget.entries(9);
    const i = this.#i;
    const count = this.#entries.length;
    return new Map<Key, Value>([
      ["index", int(i + 1)],
      ["index0", int(i)],
      ["revindex", int(count - i)],
      ["revindex0", int(count - i - 1)],
      ["first", bool(i === 0)],
      ["last", bool(i === count - 1)],
      ["length", int(count)],
      ["previtem", this.#entries[i - 1] ?? UNDEFINED],
      ["nextitem", this.#entries[i + 1] ?? UNDEFINED],
    ]);
  }
}
