/** Page bookkeeping: which pages of the slabs a sequence owns. Pure numbers; the GPU holds a copy of the table. */
import { WebggufError } from "../base/errors.ts";
import { PAGE, pagesPerSequence } from "../plan/cache-layout.ts";

export class PageTable {
  readonly contextLength: number;
  readonly maxSequences: number;
  /** [sequence][page] → page of the slabs; entries past `owned` mean nothing. */
  readonly table: Uint32Array<ArrayBuffer>;
  readonly pagesPerSequence: number;
  readonly #lengths: number[];
  readonly #owned: number[];
  readonly #free: number[];

  constructor(contextLength: number, maxSequences: number) {
    this.contextLength = contextLength;
    this.maxSequences = maxSequences;
    this.pagesPerSequence = pagesPerSequence(contextLength);
    this.table = new Uint32Array(this.pagesPerSequence * maxSequences);
    this.#lengths = new Array<number>(maxSequences).fill(0);
    this.#owned = new Array<number>(maxSequences).fill(0);
    this.#free = Array.from({ length: this.table.length }, (_, i) => this.table.length - 1 - i);
  }

  length(sequence: number): number {
    this.#check(sequence);
    return this.#lengths[sequence];
  }

  /**
   * Makes room for `count` more rows; returns the range of table entries that changed, or undefined.
   * `context/overflow` when they do not fit.
   */
  reserve(sequence: number, count: number): { first: number; count: number } | undefined {
    this.#check(sequence);
    const wanted = this.#lengths[sequence] + count;
    if (wanted > this.contextLength) {
      throw new WebggufError(
        "context/overflow",
        `Cannot hold ${wanted} tokens: the context is ${this.contextLength}; load with a larger contextLength`,
        { expected: this.contextLength, actual: wanted },
      );
    }
    const owned = this.#owned[sequence];
    const needed = Math.ceil(wanted / PAGE);
    if (needed <= owned) return undefined;
    const base = sequence * this.pagesPerSequence;
    for (let i = owned; i < needed; i++) this.table[base + i] = this.#free.pop()!;
    this.#owned[sequence] = needed;
    return { first: base + owned, count: needed - owned };
  }

  /** Takes the rows into account that a step writes; they must have been reserved. */
  advance(sequence: number, count: number): void {
    this.#lengths[sequence] += count;
  }

  /** Shortens a sequence and gives the pages behind its end back. */
  rewind(sequence: number, length: number): void {
    this.#check(sequence);
    this.#lengths[sequence] = Math.min(length, this.#lengths[sequence]);
    const keep = Math.ceil(this.#lengths[sequence] / PAGE);
    const base = sequence * this.pagesPerSequence;
    while (this.#owned[sequence] > keep)
      this.#free.push(this.table[base + --this.#owned[sequence]]);
  }

  #check(sequence: number): void {
    if (!Number.isInteger(sequence) || sequence < 0 || sequence >= this.maxSequences) {
      throw new WebggufError(
        "input/invalid",
        `No sequence ${sequence}: there are ${this.maxSequences}`,
      );
    }
  }
}
