/** Pages, or copies of state, that are counted by who uses them, and keep what they hold until they are needed. */
import type { Block } from "./prefixes.ts";

export class Units {
  readonly count: number;
  readonly #users: Int32Array;
  /** The block whose rows a unit holds, for whoever comes. */
  readonly #blocks: (Block | undefined)[];
  readonly #free: number[];
  /** Units of blocks that nobody uses, the one unused longest first. */
  readonly #kept = new Set<number>();

  constructor(count: number) {
    this.count = count;
    this.#users = new Int32Array(count);
    this.#blocks = new Array(count);
    this.#free = Array.from({ length: count }, (_, i) => count - 1 - i);
  }

  /** Units that {@link take} can give. */
  get free(): number {
    return this.#free.length + this.#kept.size;
  }
  /** Those of them that still hold rows of some text. */
  get kept(): number {
    return this.#kept.size;
  }

  users(unit: number): number {
    return this.#users[unit];
  }
  block(unit: number): Block | undefined {
    return this.#blocks[unit];
  }
  /** Says whose rows a unit holds; undefined: nobody's. */
  assign(unit: number, block: Block | undefined): void {
    this.#blocks[unit] = block;
    if (!block && this.#kept.delete(unit)) this.#free.push(unit);
  }

  /** A unit with one user, an empty one if there is one; -1 when all are used. `lost` is told of the block that loses it. */
  take(lost: (block: Block, unit: number) => void): number {
    let unit = this.#free.pop();
    if (unit === undefined) {
      [unit] = this.#kept;
      if (unit === undefined) return -1;
      this.#kept.delete(unit);
      const block = this.#blocks[unit]!;
      this.#blocks[unit] = undefined;
      lost(block, unit);
    }
    this.#users[unit] = 1;
    return unit;
  }

  /** One more user. */
  share(unit: number): void {
    if (this.#users[unit]++ === 0) this.#kept.delete(unit);
  }

  /** One user less; true where that leaves a unit that is kept for its block. */
  release(unit: number): boolean {
    if (--this.#users[unit] > 0) return false;
    const kept = this.#blocks[unit] !== undefined;
    if (kept) this.#kept.add(unit);
    else this.#free.push(unit);
    return kept;
  }
}
