import { describe, expect, it } from "vitest";
import { PageTable } from "../../src/gpu/pages.ts";
import { PAGE } from "../../src/plan/cache-layout.ts";
import { Numbers } from "../kernels/run.ts";

/** Pages that the table says a sequence owns. */
const owned = (table: PageTable, sequence: number, length: number): number[] => {
  const from = sequence * table.pagesPerSequence;
  return [...table.table.subarray(from, from + Math.ceil(length / PAGE))];
};

const code = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe("page table", () => {
  it("gives whole pages, and says which entries changed", () => {
    const table = new PageTable(4 * PAGE, 2);
    expect(table.reserve(1, 1)).toEqual({ first: 4, count: 1 });
    table.advance(1, 1);
    expect(table.length(1)).toBe(1);
    expect(table.reserve(1, PAGE - 1)).toBeUndefined();
    expect(table.reserve(1, PAGE)).toEqual({ first: 5, count: 1 });
    expect(table.reserve(1, 3 * PAGE)).toEqual({ first: 6, count: 2 });
    expect(table.length(1)).toBe(1);
    expect(table.length(0)).toBe(0);
  });
  it("takes pages back and gives them to others", () => {
    const table = new PageTable(2 * PAGE, 2);
    table.reserve(0, 2 * PAGE);
    table.advance(0, 2 * PAGE);
    const before = owned(table, 0, 2 * PAGE);
    table.rewind(0, PAGE + 1);
    table.reserve(1, PAGE);
    expect(before).not.toContain(owned(table, 1, PAGE)[0]);
    table.rewind(0, PAGE);
    table.rewind(0, 2 * PAGE);
    expect(table.length(0)).toBe(PAGE);
    table.rewind(0, 0);
    table.advance(1, PAGE);
    table.reserve(1, PAGE);
    table.reserve(0, 2 * PAGE);
    expect(new Set([...owned(table, 0, 2 * PAGE), ...owned(table, 1, 2 * PAGE)]).size).toBe(4);
  });
  it("refuses what does not fit, and unknown sequences, without changing anything", () => {
    const table = new PageTable(PAGE + 5, 1);
    table.reserve(0, PAGE + 5);
    table.advance(0, PAGE);
    expect(code(() => table.reserve(0, 6))).toBe("context/overflow");
    expect(() => table.reserve(0, 6)).toThrow("38 tokens: the context is 37");
    expect(table.reserve(0, 5)).toBeUndefined();
    for (const sequence of [-1, 1, 0.5, Number.NaN])
      expect(code(() => table.reserve(sequence, 1))).toBe("input/invalid");
  });
  it("never gives a page to two sequences", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const numbers = new Numbers(seed);
      const context = numbers.integer(1, 300);
      const table = new PageTable(context, 3);
      const lengths = [0, 0, 0];
      for (let i = 0; i < 200; i++) {
        const s = numbers.integer(0, 2);
        if (numbers.integer(0, 3) === 0) {
          lengths[s] = Math.min(lengths[s], numbers.integer(0, context));
          table.rewind(s, lengths[s]);
        } else {
          const count = numbers.integer(1, 80);
          const before = owned(table, s, lengths[s]);
          if (lengths[s] + count > context) {
            expect(code(() => table.reserve(s, count))).toBe("context/overflow");
          } else {
            table.reserve(s, count);
            table.advance(s, count);
            lengths[s] += count;
            // What stands in the cache stays where it is.
            expect(owned(table, s, lengths[s]).slice(0, before.length)).toEqual(before);
          }
        }
        expect([0, 1, 2].map((one) => table.length(one))).toEqual(lengths);
        const all = lengths.flatMap((length, one) => owned(table, one, length));
        expect(new Set(all).size).toBe(all.length);
        expect(all.every((page) => page < table.table.length)).toBe(true);
      }
    }
  });
});
