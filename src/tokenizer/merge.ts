/**
 * Merging neighbours, best pair first: the core of byte pair encoding and of SentencePiece's BPE.
 *
 * A binary heap of (order, place) over a linked list gives O(n log n) for n symbols, whatever they
 * are. Pairs of equal order merge from left to right.
 */

/** Which neighbours merge. A rule has a number (at least 0). */
export interface MergeRules {
  /** The rule for two neighbouring symbols, or -1. */
  find(left: number, right: number): number;
  /** Position of a rule among all: the lowest goes first. Below 2^23. */
  order(rule: number): number;
  /** The symbol that a rule makes. */
  result(rule: number): number;
}

const placeLimit = 2 ** 30;

/** Merges sequences of symbols; keeps its arrays from one call to the next. */
export class Merger {
  /** Symbols left after {@link merge}. */
  symbols: Int32Array = new Int32Array(64);
  /** Where each of them starts among the symbols given. */
  starts: Int32Array = new Int32Array(64);
  /** Heap operations so far, for tests of how the work grows. */
  steps = 0;
  #next: Int32Array = new Int32Array(64);
  #previous: Int32Array = new Int32Array(64);
  /** Rule for each place and its right neighbour, or -1. */
  #rule: Int32Array = new Int32Array(64);
  #heap: Float64Array = new Float64Array(192);
  #heapSize = 0;
  readonly #rules: MergeRules;

  constructor(rules: MergeRules) {
    this.#rules = rules;
  }

  /** Makes room for `count` symbols in {@link symbols}, which the caller then fills. */
  reserve(count: number): Int32Array {
    if (this.symbols.length < count) {
      const size = Math.max(count, this.symbols.length * 2);
      this.symbols = new Int32Array(size);
      this.starts = new Int32Array(size);
      this.#next = new Int32Array(size);
      this.#previous = new Int32Array(size);
      this.#rule = new Int32Array(size);
      // Every merge adds at most two pairs, and there are fewer merges than symbols.
      this.#heap = new Float64Array(size * 3);
    }
    return this.symbols;
  }

  /** Merges the first `count` of {@link symbols} in place and returns how many are left. */
  merge(count: number): number {
    const { symbols, starts } = this;
    const next = this.#next;
    const previous = this.#previous;
    const rule = this.#rule;
    const rules = this.#rules;
    this.#heapSize = 0;
    for (let i = 0; i < count; i++) {
      next[i] = i + 1 < count ? i + 1 : -1;
      previous[i] = i - 1;
      rule[i] = i + 1 < count ? rules.find(symbols[i], symbols[i + 1]) : -1;
      if (rule[i] >= 0) this.#heap[this.#heapSize++] = rules.order(rule[i]) * placeLimit + i;
    }
    for (let i = (this.#heapSize >> 1) - 1; i >= 0; i--) this.#sink(i);

    while (this.#heapSize > 0) {
      const key = this.#pop();
      const order = Math.floor(key / placeLimit);
      const left = key - order * placeLimit;
      // The pair may have changed since; if its order is still the same it is this one's turn.
      if (rule[left] < 0 || rules.order(rule[left]) !== order) continue;
      const right = next[left];
      symbols[left] = rules.result(rule[left]);
      rule[right] = -1;
      next[left] = next[right];
      if (next[right] >= 0) previous[next[right]] = left;
      this.#look(previous[left]);
      this.#look(left);
    }

    let kept = 0;
    for (let i = 0; i >= 0 && i < count; i = next[i]) {
      symbols[kept] = symbols[i];
      starts[kept++] = i;
    }
    return kept;
  }

  /** Finds the rule for a place and its right neighbour, and queues it. */
  #look(place: number): void {
    if (place < 0) return;
    const right = this.#next[place];
    const rule = right < 0 ? -1 : this.#rules.find(this.symbols[place], this.symbols[right]);
    this.#rule[place] = rule;
    if (rule < 0) return;
    let hole = this.#heapSize++;
    const key = this.#rules.order(rule) * placeLimit + place;
    const heap = this.#heap;
    while (hole > 0) {
      this.steps++;
      const parent = (hole - 1) >> 1;
      if (heap[parent] <= key) break;
      heap[hole] = heap[parent];
      hole = parent;
    }
    heap[hole] = key;
  }

  #pop(): number {
    const top = this.#heap[0];
    this.#heapSize--;
    if (this.#heapSize > 0) {
      this.#heap[0] = this.#heap[this.#heapSize];
      this.#sink(0);
    }
    return top;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const size = this.#heapSize;
    const key = heap[from];
    let hole = from;
    for (let child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
      this.steps++;
      if (child + 1 < size && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= key) break;
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = key;
  }
}
