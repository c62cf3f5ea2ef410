/** What work is paid for, and what room the input makes for it. */
import { describe, expect, it } from "vitest";
import { Budget, LimitError } from "../../src/jinja/budget.ts";
import { parseTemplate } from "../../src/jinja/parser.ts";
import { renderTemplate } from "./render.ts";

describe("the budget of a rendering", () => {
  it("has room for every pair of messages, whatever the number of lists", () => {
    const room = (...lists: readonly number[]): number => {
      const budget = new Budget(0);
      for (const count of lists) budget.grantEntries(count);
      let units = 0;
      const step = 2 ** 16;
      try {
        for (; units < 2 ** 40; units += step) budget.work(step);
      } catch (error) {
        expect(error).toBeInstanceOf(LimitError);
      }
      return units;
    };
    // Twice the messages have four times the pairs; a shorter list beside them has none of its own.
    expect(room(2000) / room(1000)).toBeGreaterThan(3.5);
    expect(room(1000, 10) / room(1000)).toBeLessThan(1.05);
  });

  it("is spent by each part that a text is taken apart into", () => {
    const template = parseTemplate("{{ text.split(',') | length }}{{ text.replace(',', '') }}");
    const render = (text: string): string =>
      renderTemplate(template, { text }, { now: new Date(0), units: 20_000 });
    const length = 50_000;
    expect(render("a".repeat(length)).slice(0, 2)).toBe("1a");
    expect(() => render(",".repeat(length))).toThrow("too much work");
  });
});
