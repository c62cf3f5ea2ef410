/** Copies of recurrent state against a reference that remembers which text each copy is of. */
import { describe, expect, it } from "vitest";
import { SNAPSHOTS, Snapshots } from "../../src/plan/snapshots.ts";
import { Numbers } from "../kernels/run.ts";

describe("snapshots", () => {
  it("bring back the longest copy of the same text, whatever was computed and taken back before", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const numbers = new Numbers(seed);
      const snapshots = new Snapshots(1, 8);
      const copies: number[][] = Array.from({ length: SNAPSHOTS }, () => []);
      let text: number[] = [];
      let next = 0;
      for (let move = 0; move < 80; move++) {
        if (numbers.integer(0, 3) > 0) {
          const count = numbers.pick([1, 1, 5, 8, 20, 40]);
          const made = snapshots.advance({ sequence: 0, position: text.length, count });
          for (let i = 0; i < count; i++) text.push(next++);
          if (made !== undefined) copies[made] = [...text];
          continue;
        }
        const length = numbers.integer(0, text.length);
        const { length: reached, restore } = snapshots.rewind(0, length);
        // A token stands in one text only, so a copy is of this text if its last token is.
        const usable = copies.filter(
          (copy) => copy.length <= length && copy.at(-1) === text[copy.length - 1],
        );
        const longest = Math.max(0, ...usable.map((copy) => copy.length));
        expect(reached, `seed ${seed}`).toBe(length === text.length ? length : longest);
        if (restore !== undefined) expect(copies[restore]).toEqual(text.slice(0, reached));
        text = text.slice(0, reached);
      }
    }
  });
});
