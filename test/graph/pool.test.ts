/** The cache's pages against a memory that remembers what was written to each of them. */
import { describe, expect, it } from "vitest";
import { PAGE, type PageCopy, Pool, type PoolShape } from "../../src/graph/pool.ts";
import { Numbers } from "../kernels/run.ts";

const code = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

/** A pool with rows on its pages: of each, the item that was written there. State is the text behind it. */
class Memory {
  readonly pool: Pool;
  readonly shape: PoolShape;
  readonly texts: number[][];
  readonly #rows: number[][][];
  readonly #copies: number[][] = [];
  readonly #states: number[][];

  constructor(shape: PoolShape) {
    this.shape = shape;
    this.pool = new Pool(shape);
    this.texts = Array.from({ length: shape.maxSequences }, () => []);
    this.#states = this.texts.map(() => []);
    this.#rows = [undefined, ...(shape.rings ?? [])].map(() => []);
  }

  #copy(copies: readonly PageCopy[]): void {
    for (const { kind, from, to } of copies) this.#rows[kind][to] = [...this.#rows[kind][from]];
  }

  append(id: number, items: readonly number[]): void {
    const text = this.texts[id];
    this.#copy(this.pool.reserve(id, items.length));
    this.pool.advance(id, items.length);
    const prompt = items.length > 8;
    items.forEach((item) => {
      this.#rows.forEach((pages, kind) => {
        const page = this.pool.pageOf(id, kind, Math.floor(text.length / PAGE));
        // A window's page may have gone again within a long step.
        if (page >= 0) (pages[page] ??= [])[text.length % PAGE] = item;
      });
      text.push(item);
    });
    if (!this.shape.copies) return;
    this.#states[id] = [...text];
    this.pool.computed(id, text.length);
    if (prompt || text.length % PAGE === 0)
      this.#copies[this.pool.copyState(id, text.length, prompt)] = [...text];
  }

  rewind(id: number, wanted: number): void {
    const kept = this.pool.reachable(id, Math.min(wanted, this.texts[id].length));
    const { length, restore } = this.pool.rewindState(id, kept);
    if (restore >= 0) this.#states[id] = [...this.#copies[restore]];
    else if (length === 0) this.#states[id] = [];
    this.pool.rewind(id, length);
    this.texts[id].length = length;
  }

  begin(id: number, text: readonly number[]): number | undefined {
    const begun = this.pool.begin(id, text);
    if (!begun) return undefined;
    this.#copy(begun.copies);
    this.texts[id] = text.slice(0, begun.length);
    if (begun.restore >= 0) this.#states[id] = [...this.#copies[begun.restore]];
    return begun.length;
  }

  /** Whether every row that a sequence may look at is its own. */
  check(): void {
    this.texts.forEach((text, id) => {
      expect(this.pool.length(id)).toBe(text.length);
      this.#rows.forEach((pages, kind) => {
        const window = kind === 0 ? Number.POSITIVE_INFINITY : this.shape.rings![kind - 1].window;
        for (let at = Math.max(0, text.length - window + 1); at < text.length; at++) {
          const page = this.pool.pageOf(id, kind, Math.floor(at / PAGE));
          const row = pages[page]?.[at % PAGE];
          if (row !== text[at])
            throw new Error(`row ${at} of kind ${kind}, sequence ${id}: ${row}, not ${text[at]}`);
        }
      });
      if (this.shape.copies) expect(String(this.#states[id])).toBe(String(text));
    });
  }
}

const shapes: Record<string, Partial<PoolShape>> = {
  plain: {},
  windows: { rings: [{ rows: 3 * PAGE, window: 20 }] },
  "two windows": {
    rings: [
      { rows: 3 * PAGE, window: 20 },
      { rows: 4 * PAGE, window: 50 },
    ],
  },
  recurrent: { copies: 3, promptCopies: 1 },
};

describe("pool", () => {
  it.each(Object.entries(shapes))("never mixes the rows of sequences up: %s", (_, shape) => {
    for (let seed = 1; seed <= 10; seed++) {
      const numbers = new Numbers(seed);
      const maxSequences = numbers.integer(1, 4);
      const contextLength = PAGE * numbers.integer(3, 12) - numbers.integer(0, 5);
      const memory = new Memory({ contextLength, maxSequences, ...shape });
      const { pool, texts } = memory;
      const known: number[][] = [Array.from({ length: contextLength }, (_, i) => i % 7)];
      let next = 100;
      for (let move = 0; move < 120; move++) {
        const id = numbers.integer(0, maxSequences - 1);
        switch (numbers.integer(0, 5)) {
          case 0:
            memory.rewind(id, numbers.integer(0, texts[id].length));
            break;
          case 1:
            if (numbers.integer(0, 2) === 0) memory.rewind(id, 0);
            pool.publish(id, texts[id].slice(0, numbers.integer(0, texts[id].length)));
            known.push([...texts[id]]);
            break;
          case 2: {
            const text = [...numbers.pick(known)].slice(0, contextLength - 1);
            const cut = numbers.integer(0, text.length);
            const before = texts[id].length;
            const begun = memory.begin(id, [...text.slice(0, cut), next++]);
            if (begun !== undefined) expect(begun).toBeGreaterThan(before);
            break;
          }
          default: {
            const most = Math.min(40, contextLength - texts[id].length);
            const count = numbers.integer(1, 40);
            if (count > most) break;
            const from = numbers.integer(0, 1) ? known[0].slice(texts[id].length) : [];
            const items = Array.from({ length: count }, (_, i) => from[i] ?? next++);
            const { free } = pool.pages;
            if (pool.pagesFor(id, count) > free)
              expect(code(() => pool.reserve(id, count))).toBe("context/overflow");
            else {
              memory.append(id, items);
              expect(pool.pages.free).toBeLessThanOrEqual(free);
            }
          }
        }
        memory.check();
      }
      for (let id = 0; id < maxSequences; id++) memory.rewind(id, 0);
      expect(pool.pages.free, "no page is lost").toBe(pool.pages.total);
    }
  });

  it("shares whole pages and copies the one that is written", () => {
    const memory = new Memory({ contextLength: 20 * PAGE, maxSequences: 8 });
    const { pool } = memory;
    const text = Array.from({ length: 5 * PAGE + 7 }, (_, i) => i);
    memory.append(0, text);
    pool.publish(0, text);
    for (let id = 1; id < 8; id++) expect(memory.begin(id, [...text, 900 + id])).toBe(text.length);
    // Five pages of all, and one for each.
    expect(pool.pages.free).toBe(20 - 5 - 8);
    for (let id = 0; id < 8; id++) memory.append(id, [900 + id, id]);
    expect(pool.pages.free).toBe(20 - 5 - 8);
    memory.check();
  });

  it("keeps what nobody uses until the room is needed, what was used last the longest", () => {
    const memory = new Memory({ contextLength: 8 * PAGE, maxSequences: 2 });
    const { pool } = memory;
    const texts = [0, 1, 2].map((one) =>
      Array.from({ length: 2 * PAGE }, (_, i) => 1000 * one + i),
    );
    for (const text of texts) {
      memory.append(0, text);
      pool.publish(0, text);
      memory.rewind(0, 0);
    }
    expect(pool.pages).toEqual({ total: 8, free: 8, kept: 6 });
    // Used again, so the second is the oldest.
    expect(memory.begin(0, texts[0])).toBe(2 * PAGE);
    memory.rewind(0, 0);
    memory.append(
      1,
      Array.from({ length: 4 * PAGE }, (_, i) => 9000 + i),
    );
    expect(memory.begin(0, texts[1])).toBeUndefined();
    expect(memory.begin(0, texts[2])).toBe(2 * PAGE);
    memory.rewind(0, 0);
    expect(memory.begin(0, texts[0])).toBe(2 * PAGE);
  });

  it("goes back within a window only as far as it is kept", () => {
    const ring = { rows: 3 * PAGE, window: 40 };
    const memory = new Memory({ contextLength: 10 * PAGE, maxSequences: 1, rings: [ring] });
    memory.append(
      0,
      Array.from({ length: 5 * PAGE }, (_, i) => i),
    );
    expect(memory.pool.reachable(0, 4 * PAGE)).toBe(4 * PAGE);
    expect(memory.pool.reachable(0, 3 * PAGE)).toBe(0);
    expect(memory.pool.reachable(0, 0)).toBe(0);
  });

  it("says which entries of the table changed", () => {
    const pool = new Pool({ contextLength: 4 * PAGE, maxSequences: 2 });
    const reserve = (id: number, count: number): void => void pool.reserve(id, count);
    reserve(1, 1);
    expect(pool.changes()).toEqual({ first: 4, count: 1 });
    pool.advance(1, 1);
    reserve(1, PAGE - 1);
    expect(pool.changes()).toBeUndefined();
    reserve(1, 3 * PAGE);
    expect(pool.changes()).toEqual({ first: 5, count: 3 });
    expect(new Set(pool.table.subarray(4, 8)).size).toBe(4);
  });

  it("refuses what does not fit, and unknown sequences, without changing anything", () => {
    const pool = new Pool({ contextLength: PAGE + 5, maxSequences: 2 });
    pool.reserve(0, PAGE + 5);
    pool.advance(0, PAGE);
    expect(() => pool.reserve(0, 6)).toThrow("38 tokens: the context is 37");
    expect(pool.reserve(0, 5)).toEqual([]);
    expect(() => pool.reserve(1, 1)).toThrow("1 pages of the cache are needed and 0 are free");
    for (const id of [-1, 2, 0.5, Number.NaN])
      expect(code(() => pool.reserve(id, 1))).toBe("input/invalid");
  });
});
