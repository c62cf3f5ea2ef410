/**
 * The cache's pages, shared by all sequences: which page holds which rows of whom. Pages are counted by their users;
 * what nobody uses any more is kept, findable by its text, until the room is needed. A page that several use is
 * copied before one of them writes to it. Pure numbers: executors do the copies.
 *
 * Besides the pages of all rows (kind 0) there are pages of windows, which a sequence keeps for its last rows alone,
 * and copies of recurrent state.
 */
import { WebggufError } from "../base/errors.ts";
import { type Block, PAGE, Prefixes } from "./prefixes.ts";
import { checkSequence, poolFull } from "./requests.ts";
import { Units } from "./units.ts";

export { PAGE };

/** A window: a row looks back `window` positions, and a sequence has room for `rows` of them, whole pages. */
export interface Ring {
  readonly rows: number;
  readonly window: number;
}

export interface PoolShape {
  /** Rows of all sequences together; one alone may have them all. */
  readonly contextLength: number;
  readonly maxSequences: number;
  /** @default no windows */
  readonly rings?: readonly Ring[];
  /** Copies of recurrent state that a sequence keeps at most. @default 0, no state */
  readonly copies?: number;
  /** How many of them are of the end of a prompt. @default 0 */
  readonly promptCopies?: number;
}

/** A page to be copied before anything else is written. */
export interface PageCopy {
  readonly kind: number;
  readonly from: number;
  readonly to: number;
}

/** Who holds the contents themselves outside of pages is told when they are to be kept, and when not any more. */
export interface Keeper {
  /** The last user of a page leaves; its rows are kept. */
  kept(page: number, sequence: number, block: number): void;
  /** A page gets new contents; a copy of state is not needed any more. */
  pageTaken(page: number): void;
  copyGone(copy: number): void;
}

interface StateCopy {
  readonly length: number;
  readonly unit: number;
  readonly prompt: boolean;
}

interface Sequence {
  length: number;
  /** Rows whose state was computed. */
  computed: number;
  /** Blocks that have pages. */
  blocks: number;
  /** By kind: the pages, and the first block that still has its own. */
  readonly pages: number[][];
  readonly low: number[];
  copies: StateCopy[];
}

export const pagesPerSequence = (contextLength: number): number => Math.ceil(contextLength / PAGE);

/** Pages of a window that all sequences have together: room for each, and for others that are kept. */
export const ringPages = ({ rows }: Ring, maxSequences: number): number =>
  (2 * maxSequences - 1) * (rows / PAGE);

/** Entries of a sequence in the table. */
export const tableStride = (contextLength: number, rings: readonly Ring[]): number =>
  rings.reduce((sum, { rows }) => sum + rows / PAGE, pagesPerSequence(contextLength));

export class Pool {
  /** [sequence][pages of all rows, then those of each window, round and round] → page. */
  readonly table: Uint32Array<ArrayBuffer>;
  readonly #shape: PoolShape;
  readonly #rings: readonly Ring[];
  readonly #stride: number;
  /** By kind, where its entries of a sequence begin. */
  readonly #offsets: number[] = [0];
  readonly #units: Units[];
  readonly #copies: Units;
  readonly #keep: number;
  readonly #sequences: Sequence[];
  readonly #index: Prefixes;
  readonly #keeper: Keeper | undefined;
  #changed: { first: number; end: number } | undefined;

  constructor(shape: PoolShape, keeper?: Keeper) {
    const { contextLength, maxSequences, rings = [], copies = 0 } = shape;
    this.#shape = shape;
    this.#rings = rings;
    this.#keep = copies;
    this.#keeper = keeper;
    this.#stride = tableStride(contextLength, rings);
    this.table = new Uint32Array(this.#stride * maxSequences);
    this.#units = [new Units(pagesPerSequence(contextLength))];
    let offset = pagesPerSequence(contextLength);
    for (const ring of rings) {
      this.#offsets.push(offset);
      offset += ring.rows / PAGE;
      this.#units.push(new Units(ringPages(ring, maxSequences)));
    }
    this.#copies = new Units(copies * maxSequences);
    this.#index = new Prefixes(this.#units.length);
    this.#sequences = Array.from({ length: maxSequences }, () => ({
      length: 0,
      computed: 0,
      blocks: 0,
      pages: this.#units.map(() => []),
      low: this.#units.map(() => 0),
      copies: [],
    }));
  }

  /** Pages of rows: all, those that can be had, and those of these that still hold something. */
  get pages(): { readonly total: number; readonly free: number; readonly kept: number } {
    const [{ count, free, kept }] = this.#units;
    return { total: count, free, kept };
  }

  length(id: number): number {
    return this.#of(id).length;
  }

  /** Pages that `count` more rows take. */
  pagesFor(id: number, count: number): number {
    const { length, blocks } = this.#of(id);
    const own = length % PAGE > 0 && this.#units[0].users(this.#page(id, 0, blocks - 1)) > 1;
    return Math.max(0, Math.ceil((length + count) / PAGE) - blocks) + Number(own);
  }

  /** Makes room for `count` more rows; what has to be copied first. `context/overflow` where there is no room. */
  reserve(id: number, count: number): PageCopy[] {
    const own = this.#of(id);
    const wanted = own.length + count;
    const { contextLength } = this.#shape;
    if (wanted > contextLength)
      throw new WebggufError(
        "context/overflow",
        `Cannot hold ${wanted} tokens: the context is ${contextLength}; load with a larger contextLength`,
        { expected: contextLength, actual: wanted },
      );
    const needed = this.pagesFor(id, count);
    if (needed > this.#units[0].free) throw poolFull(needed, this.#units[0].free);
    const copies = this.#makeOwn(id, needed);
    for (const blocks = Math.ceil(wanted / PAGE); own.blocks < blocks; own.blocks++)
      this.#units.forEach((_, kind) => {
        const ring = this.#ringOf(kind);
        const gone = own.blocks - ring;
        if (ring > 0 && gone >= own.low[kind]) {
          this.#release(id, kind, gone);
          own.low[kind] = gone + 1;
        }
        this.#set(id, kind, own.blocks, this.#take(kind));
      });
    return copies;
  }

  /** Counts rows that were reserved. */
  advance(id: number, count: number): void {
    this.#of(id).length += count;
  }

  /** Gives back a sequence's pages of a window before a block: nothing stands there. */
  without(id: number, kind: number, block: number): void {
    const own = this.#of(id);
    for (; own.low[kind] < block; own.low[kind]++) this.#release(id, kind, own.low[kind]);
  }

  /** How much of `length` rows is left where the windows before them are not all kept: all or nothing. */
  reachable(id: number, length: number): number {
    const { low } = this.#of(id);
    return this.#rings.every((ring, i) => firstBlock(length, ring) >= low[i + 1]) ? length : 0;
  }

  /** Shortens a sequence and gives the pages behind its end back. */
  rewind(id: number, length: number): void {
    const own = this.#of(id);
    if (length > own.length) return;
    own.length = length;
    const keep = Math.ceil(length / PAGE);
    // From the end, so that what stands nearer to the beginning is kept longer.
    while (own.blocks > keep) {
      own.blocks--;
      for (let kind = 0; kind < this.#units.length; kind++)
        if (own.blocks >= own.low[kind]) this.#release(id, kind, own.blocks);
    }
    if (keep === 0) own.low.fill(0);
    if (length === 0) this.rewindState(id, 0);
  }

  /**
   * Gives a sequence the longest computed beginning of `text` that there is, where that is longer than what it has:
   * its length, the pages to be copied, and the copy of state to bring back. What it had is given back.
   */
  begin(
    id: number,
    text: readonly number[],
  ): { length: number; copies: PageCopy[]; restore: number } | undefined {
    const own = this.#of(id);
    const found = this.#index.find(text);
    const without = found.findIndex(({ block }) => block.pages[0] < 0);
    for (let i = (without < 0 ? found.length : without) - 1; i >= 0; i--) {
      const { block: last, rows } = found[i];
      const length = i * PAGE + rows;
      if (length <= own.length) return undefined;
      const first = this.#units.map((_, kind) =>
        kind === 0 ? 0 : firstBlock(length, this.#rings[kind - 1]),
      );
      const shared = first.flatMap((from, kind) =>
        found
          .slice(from, i + 1)
          .map(({ block }, b) => [kind, from + b, block.pages[kind]] as const),
      );
      if (shared.some(([, , page]) => page < 0)) continue;
      if (this.#keep > 0 && (rows < PAGE || last.copy < 0)) continue;
      const [units] = this.#units;
      const idle = shared.filter(([kind, , page]) => kind === 0 && units.users(page) === 0).length;
      // A page that is in use is written to as a copy.
      if (rows < PAGE && units.users(last.pages[0]) > 0 && units.free <= idle) continue;
      for (const [kind, , page] of shared) this.#units[kind].share(page);
      if (this.#keep > 0) this.#copies.share(last.copy);
      this.rewind(id, 0);
      own.length = length;
      own.computed = length;
      own.blocks = i + 1;
      own.low.splice(0, own.low.length, ...first);
      for (const [kind, b, page] of shared) this.#set(id, kind, b, page);
      if (this.#keep > 0)
        own.copies = [{ length, unit: last.copy, prompt: (this.#shape.promptCopies ?? 0) > 0 }];
      const copies = this.#makeOwn(id, 0);
      return { length: own.length, copies, restore: this.#keep > 0 ? last.copy : -1 };
    }
    return undefined;
  }

  /** Says what the first rows of a sequence are, so that others can begin with them. */
  publish(id: number, text: readonly number[]): void {
    const own = this.#of(id);
    let block = this.#index.root;
    for (let at = 0, b = 0; at < text.length; at += PAGE, b++) {
      const next = this.#index.add(block, text, at, this.#page(id, 0, b));
      if (!next) break;
      block = next;
      this.#units.forEach((units, kind) => {
        const page = b < own.low[kind] ? -1 : this.#page(id, kind, b);
        if (page < 0 || next.pages[kind] >= 0 || units.block(page)) return;
        next.pages[kind] = page;
        units.assign(page, next);
      });
      const copy = own.copies.find(({ length }) => length === at + PAGE && length <= text.length);
      if (!copy || next.copy >= 0 || this.#copies.block(copy.unit)) continue;
      next.copy = copy.unit;
      this.#copies.assign(copy.unit, next);
    }
    this.#index.prune(block);
  }

  /** The copy to make of a sequence's state behind its row number `length`, in place of one that is not needed. */
  copyState(id: number, length: number, prompt: boolean): number {
    const own = this.#of(id);
    const alike = own.copies.filter((copy) => copy.prompt === prompt);
    const { promptCopies = 0 } = this.#shape;
    const most = prompt ? promptCopies : this.#keep - promptCopies;
    if (alike.length >= most) this.#dropCopy(own, alike[0]);
    const unit = this.#copies.take((block) => {
      block.copy = -1;
      this.#index.prune(block);
    });
    this.#keeper?.copyGone(unit);
    own.copies.push({ length, unit, prompt });
    return unit;
  }

  /** Takes note of how many rows the state has behind it. */
  computed(id: number, length: number): void {
    this.#of(id).computed = length;
  }

  /**
   * Shortens the state to `length` rows or, where that is not at hand, to the longest copy that is not longer;
   * returns the rows left, and the copy to bring back or -1. `moved`: it is that of no row, in the middle of some.
   */
  rewindState(id: number, length: number, moved = false): { length: number; restore: number } {
    const own = this.#of(id);
    if (this.#keep === 0 || (length >= own.computed && !moved))
      return { length: this.#keep === 0 ? length : own.computed, restore: -1 };
    let best: StateCopy | undefined;
    for (const copy of [...own.copies])
      if (copy.length > length) this.#dropCopy(own, copy);
      else if (copy.length > (best?.length ?? 0)) best = copy;
    own.computed = best?.length ?? 0;
    return { length: own.computed, restore: best?.unit ?? -1 };
  }

  /** A sequence but `not` that has `page` for its block of that number, if there is one. */
  holder(page: number, block: number, not: number): number | undefined {
    const id = this.#sequences.findIndex(
      (own, i) => i !== not && block < own.blocks && own.pages[0][block] === page,
    );
    return id < 0 ? undefined : id;
  }

  /** A sequence's page of a kind for its block of that number; -1 where it has none. */
  pageOf(id: number, kind: number, block: number): number {
    const { low, blocks } = this.#of(id);
    return block < low[kind] || block >= blocks ? -1 : this.#page(id, kind, block);
  }

  /** The entries of the table that changed since this was asked last. */
  changes(): { readonly first: number; readonly count: number } | undefined {
    const changed = this.#changed;
    this.#changed = undefined;
    return changed && { first: changed.first, count: changed.end - changed.first };
  }

  /** Makes the page that is written next the sequence's own, where `needed` more are wanted. */
  #makeOwn(id: number, needed: number): PageCopy[] {
    const own = this.#of(id);
    const rows = own.length % PAGE;
    const copies: PageCopy[] = [];
    if (rows === 0) return copies;
    const b = own.blocks - 1;
    this.#units.forEach((units, kind) => {
      const from = this.#page(id, kind, b);
      const block = units.block(from);
      const shared = units.users(from) > 1;
      const published = block !== undefined && block.items.length > rows;
      if (!shared && !published) return;
      if (!shared && units.free <= needed) {
        // No room for both: the further rows of that block are lost.
        block!.pages[kind] = -1;
        units.assign(from, undefined);
        this.#index.prune(block!);
        return;
      }
      const to = this.#take(kind);
      copies.push({ kind, from, to });
      this.#release(id, kind, b);
      this.#set(id, kind, b, to);
    });
    return copies;
  }

  #take(kind: number): number {
    const page = this.#units[kind].take((block: Block) => {
      block.pages[kind] = -1;
      this.#index.prune(block);
    });
    if (kind === 0) this.#keeper?.pageTaken(page);
    return page;
  }

  #release(id: number, kind: number, block: number): void {
    const page = this.#page(id, kind, block);
    if (this.#units[kind].release(page) && kind === 0) this.#keeper?.kept(page, id, block);
  }

  #dropCopy(own: Sequence, copy: StateCopy): void {
    own.copies = own.copies.filter((one) => one !== copy);
    const kept = this.#copies.release(copy.unit);
    if (!kept && this.#copies.users(copy.unit) === 0) this.#keeper?.copyGone(copy.unit);
  }

  /** Pages of a window, or 0. */
  #ringOf(kind: number): number {
    return kind === 0 ? 0 : this.#rings[kind - 1].rows / PAGE;
  }

  #at(kind: number, block: number): number {
    return kind === 0 ? block : block % this.#ringOf(kind);
  }

  #page(id: number, kind: number, block: number): number {
    return this.#sequences[id].pages[kind][this.#at(kind, block)];
  }

  #set(id: number, kind: number, block: number, page: number): void {
    const at = this.#at(kind, block);
    this.#sequences[id].pages[kind][at] = page;
    const entry = id * this.#stride + this.#offsets[kind] + at;
    this.table[entry] = page;
    this.#changed = {
      first: Math.min(this.#changed?.first ?? entry, entry),
      end: Math.max(this.#changed?.end ?? 0, entry + 1),
    };
  }

  #of(id: number): Sequence {
    checkSequence(id, this.#shape.maxSequences);
    return this.#sequences[id];
  }
}

/** The first block that a row behind `length` rows looks back at. */
const firstBlock = (length: number, { window }: Ring): number =>
  Math.floor(Math.max(0, length - window + 1) / PAGE);
