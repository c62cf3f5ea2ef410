/** Loops whose entries matter to nothing end early, with the text that they would have written. */
import { describe, expect, it } from "vitest";
import { parseTemplate } from "../../src/jinja/parser.ts";
import { renderTemplate } from "./render.ts";

const render = (source: string, units?: number): string =>
  renderTemplate(parseTemplate(source), {}, { now: new Date(0), units });

const random = (seed: number): ((limit: number) => number) => {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
};

const TESTS = [
  "n.found",
  "not n.found",
  "n.count > 2",
  "n.found and n.count == 1",
  "a == 1",
  "l[a] == 3",
  "loop.first",
  "loop.index > 2",
  "a is odd",
  "n.count is odd",
  "a in l",
  "3 in l",
  "(l | length) > a",
  "l.append(a) or n.found",
  "m()",
  "true",
  "false",
  "missing",
];
const BODIES = [
  ["", "", "", "{{ a }}", "-", "{% set n.found = true %}"],
  ["{% set n.count = n.count + 1 %}", "{% break %}", "{% continue %}", "{% set b = 1 %}"],
].flat();

describe("a loop over a choice", () => {
  it("writes what it writes with something else in its body", () => {
    for (let seed = 1; seed <= 1500; seed++) {
      const below = random(seed);
      const pick = (from: readonly string[]): string => from[below(from.length)];
      const branches = Array.from(
        { length: below(3) },
        () => `{% elif ${pick(TESTS)} %}${pick(BODIES)}`,
      );
      const choice = `{% if ${pick(TESTS)} %}${pick(BODIES)}${branches.join("")}${pick(["", `{% else %}${pick(BODIES)}`])}{% endif %}`;
      const count = below(6);
      const [short, whole] = ["", "{% set _ = 0 %}"].map(
        (also) =>
          "{% set n = namespace(found=false, count=0) %}{% set l = [3, 1] %}" +
          "{% macro m() %}{% set n.count = n.count + 1 %}{% endmacro %}" +
          `{% for a in range(${count}) %}${also}${choice}{% endfor %}{{ n.found }}{{ n.count }}{{ l }}`,
      );
      expect([short, render(short)]).toEqual([short, render(whole)]);
    }
  });

  it("is done when the nearest entry of a kind is found: no more work", () => {
    // As google-gemma-4-31B-it.jinja looks for the turn before, in a sixth of the work of looking at all.
    const source =
      "{% for i in range(300) %}{% set n = namespace(found=false) %}" +
      "{% for j in range(i, -1, -1) %}{% if not n.found %}{% if j is even %}{% set n.found = true %}{% endif %}{% endif %}{% endfor %}" +
      "{{ n.found }}{% endfor %}";
    expect(render(source, 2 ** 23)).toBe("True".repeat(300));
  });
});
