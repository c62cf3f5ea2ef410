/** Hash tables of small integers: pairs to a value, and a trie of byte strings on top of it. */

/**
 * A map from pairs of integers (at least 0) to integers. Open addressing in typed arrays; the
 * multipliers are chosen at random once a process, so that no file can be made to collide on purpose.
 */
export class PairMap {
  static readonly #a: number = oddNumber();
  static readonly #b: number = oddNumber();
  static readonly #c: number = oddNumber();
  #first: Int32Array;
  #second: Int32Array;
  #value: Int32Array;
  #shift: number;
  #size = 0;

  /** @param expected number of pairs to make room for */
  constructor(expected = 8) {
    let bits = 4;
    while (2 ** bits * 0.6 < expected) bits++;
    this.#shift = 32 - bits;
    this.#first = new Int32Array(2 ** bits).fill(-1);
    this.#second = new Int32Array(2 ** bits);
    this.#value = new Int32Array(2 ** bits);
  }

  get size(): number {
    return this.#size;
  }

  #slot(first: number, second: number): number {
    const mask = this.#first.length - 1;
    let hash = Math.imul(first, PairMap.#a) + Math.imul(second, PairMap.#b);
    hash = Math.imul(hash ^ (hash >>> 15), PairMap.#c);
    let slot = hash >>> this.#shift;
    while (
      this.#first[slot] !== -1 &&
      (this.#first[slot] !== first || this.#second[slot] !== second)
    )
      slot = (slot + 1) & mask;
    return slot;
  }

  /** The value, or -1. */
  get(first: number, second: number): number {
    const slot = this.#slot(first, second);
    return this.#first[slot] === -1 ? -1 : this.#value[slot];
  }

  /** Stores a value unless the pair has one; says whether it stored. */
  add(first: number, second: number, value: number): boolean {
    const slot = this.#slot(first, second);
    if (this.#first[slot] !== -1) return false;
    this.#first[slot] = first;
    this.#second[slot] = second;
    this.#value[slot] = value;
    if (++this.#size > this.#first.length * 0.75) this.#grow();
    return true;
  }

  #grow(): void {
    const first = this.#first;
    const second = this.#second;
    const value = this.#value;
    this.#shift--;
    this.#first = new Int32Array(first.length * 2).fill(-1);
    this.#second = new Int32Array(first.length * 2);
    this.#value = new Int32Array(first.length * 2);
    for (let i = 0; i < first.length; i++) {
      if (first[i] === -1) continue;
      const slot = this.#slot(first[i], second[i]);
      this.#first[slot] = first[i];
      this.#second[slot] = second[i];
      this.#value[slot] = value[i];
    }
  }
}

function oddNumber(): number {
  return (Math.floor(Math.random() * 0x7fffffff) << 1) | 1;
}

/** Longer strings are left out of a {@link ByteTrie}; real tokens have a few dozen bytes. */
export const LONGEST = 512;

/**
 * Byte strings, each with a value; walked a byte at a time from node 0. Walks have at most 512
 * steps, so that no vocabulary can make the work at each byte of a text grow with the text.
 */
export class ByteTrie {
  readonly #children: PairMap = new PairMap();
  readonly #values: number[] = [-1];

  /** Adds a string; the last value given to a string stays. */
  add(bytes: Uint8Array, value: number): void {
    if (bytes.length > LONGEST) return;
    let node = 0;
    for (const byte of bytes) {
      let next = this.#children.get(node, byte);
      if (next < 0) {
        next = this.#values.length;
        this.#values.push(-1);
        this.#children.add(node, byte, next);
      }
      node = next;
    }
    this.#values[node] = value;
  }

  /** The node after `byte`, or -1. */
  step(node: number, byte: number): number {
    return this.#children.get(node, byte);
  }

  /** The value of the string that ends at a node, or -1. */
  value(node: number): number {
    return this.#values[node];
  }

  /** True while no string was added. */
  get empty(): boolean {
    return this.#values.length === 1;
  }
}
