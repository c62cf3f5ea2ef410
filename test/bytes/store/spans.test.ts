/** Sets of ranges, against a plain array of flags. */
import { describe, expect, it } from "vitest";
import { Spans } from "../../../src/bytes/store/spans.ts";
import { random } from "../../fuzz/mutate.ts";

describe("spans", () => {
  it("hold what was added, whatever the order, and find every gap", () => {
    const below = random(11);
    for (let round = 0; round < 300; round++) {
      const size = 1 + below(40);
      const flags = new Array<boolean>(size).fill(false);
      const spans = new Spans();
      for (let times = below(12); times > 0; times--) {
        const from = below(size);
        const to = from + below(size - from + 1);
        spans.add(from, to);
        flags.fill(true, from, to);
      }
      expect(spans.bytes).toBe(flags.filter(Boolean).length);
      for (let at = 0; at < size; at++) {
        const missing = flags.indexOf(false, at);
        const reach = missing < 0 ? size : missing;
        expect(spans.reach(at)).toBe(reach);
        const there = flags.indexOf(true, reach);
        expect(spans.gap(at, size)).toEqual(
          reach === size ? undefined : [reach, there < 0 ? size : there],
        );
      }
      // In order, and no two that touch.
      spans.all.forEach(([from, to], i) => {
        expect(from).toBeLessThan(to);
        if (i > 0) expect(spans.all[i - 1][1]).toBeLessThan(from);
      });
      expect(new Spans([...spans.all].reverse()).all).toEqual(spans.all);
    }
  });
});
