/**
 * What is computed, by its text: a tree of blocks, each the items of one page after the same items before it.
 * Every block names the pages that hold its rows. Pure bookkeeping for `Pool`.
 */

/** Rows of a page, and items of a whole block. */
export const PAGE = 32;

/** The rows of one page: its items, after those of all blocks above it. */
export interface Block {
  /** Undefined for the root. */
  readonly parent: Block | undefined;
  /** At most {@link PAGE}; only a whole block has blocks below it. */
  items: readonly number[];
  readonly below: Block[];
  /** The page of each kind that holds the rows, or -1. */
  readonly pages: number[];
  /** The copy of the state behind its last row, or -1. */
  copy: number;
}

/** How far a block and the next items of a text agree. */
export interface Match {
  readonly block: Block;
  /** Rows of the block, from its first. */
  readonly rows: number;
}

const agreeing = (a: readonly number[], b: readonly number[], from: number): number => {
  const most = Math.min(a.length, b.length - from);
  let i = 0;
  while (i < most && a[i] === b[from + i]) i++;
  return i;
};

export class Prefixes {
  readonly #kinds: number;
  readonly root: Block;

  /** @param kinds of pages that a block has one of each */
  constructor(kinds: number) {
    this.#kinds = kinds;
    this.root = this.#block(undefined, []);
  }

  /** The blocks that a text begins with, the last of them perhaps in part. */
  find(text: readonly number[]): Match[] {
    const found: Match[] = [];
    for (let at = 0, block = this.root; at < text.length; at += PAGE) {
      let best: Match | undefined;
      for (const one of block.below) {
        const rows = agreeing(one.items, text, at);
        if (rows > (best?.rows ?? 0)) best = { block: one, rows };
      }
      if (!best) break;
      found.push(best);
      if (best.rows < PAGE) break;
      block = best.block;
    }
    return found;
  }

  /**
   * The block of `text` from `at` on below `parent`, made where it is missing; one that `page` of the first kind
   * holds already gets the further items. Undefined where a longer block begins with these items.
   */
  add(parent: Block, text: readonly number[], at: number, page: number): Block | undefined {
    const end = Math.min(text.length, at + PAGE);
    for (const one of parent.below) {
      const same = agreeing(one.items, text, at);
      if (same === end - at) return one.items.length === same ? one : undefined;
      if (same < one.items.length || one.pages[0] !== page) continue;
      one.items = text.slice(at, end);
      return one;
    }
    const made = this.#block(parent, text.slice(at, end));
    parent.below.push(made);
    return made;
  }

  /** Forgets a block that holds nothing, and those above it that held nothing but it. */
  prune(block: Block): void {
    for (let one = block; one.parent; one = one.parent) {
      if (one.below.length > 0 || one.copy >= 0 || one.pages.some((page) => page >= 0)) return;
      one.parent.below.splice(one.parent.below.indexOf(one), 1);
    }
  }

  #block(parent: Block | undefined, items: readonly number[]): Block {
    const pages = new Array<number>(this.#kinds).fill(-1);
    return { parent, items, below: [], pages, copy: -1 };
  }
}
