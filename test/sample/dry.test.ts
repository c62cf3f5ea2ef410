import { describe, expect, it } from "vitest";
import { breakersOf, findBreakers } from "../../src/sample/breakers.ts";
import { createCandidates, loadLogits } from "../../src/sample/candidates.ts";
import { type DryOptions, dry } from "../../src/sample/dry.ts";
import { createHistory } from "../../src/sample/history.ts";
import { uniform } from "../../src/sample/random.ts";

const options: DryOptions = { multiplier: 1, base: 2, allowedLength: 2 };

/** What DRY takes from each of `vocabulary` tokens. */
function penalties(
  text: readonly number[],
  vocabulary: number,
  breakers: readonly (readonly number[])[] = [],
  dryOptions = options,
  window = 1000,
): number[] {
  const c = createCandidates(vocabulary);
  loadLogits(c, new Float32Array(vocabulary));
  const history = createHistory(window);
  for (const token of text) history.push(token);
  dry(c, history, breakersOf(breakers), dryOptions);
  return Array.from(c.logits, (logit) => (logit === 0 ? 0 : -logit));
}

describe("dry", () => {
  it("penalises the token that goes on with a repetition", () => {
    // "1 2 3 4 … 1 2 3": going on with 4 repeats three tokens, one more than allowed.
    expect(penalties([1, 2, 3, 4, 5, 1, 2, 3], 7)).toEqual([0, 0, 0, 0, 2, 0, 0]);
  });

  it("takes the longest of several repetitions", () => {
    for (const text of [
      [9, 2, 3, 4, 0, 1, 2, 3, 4, 7, 1, 2, 3],
      [1, 2, 3, 4, 9, 2, 3, 4, 7, 1, 2, 3],
    ])
      expect(penalties(text, 10)[4]).toBe(2);
  });

  it("counts no further than a breaker, and spares a breaker of one token", () => {
    const text = [1, 2, 3, 4, 5, 1, 2, 3];
    expect(penalties(text, 7, [[1]])[4]).toBe(1);
    expect(penalties(text, 7, [[2]])[4]).toBe(0);
    expect(penalties(text, 7, [[4]])[4]).toBe(0);
    expect(penalties(text, 7, [[4, 5]])[4]).toBe(2);
    expect(penalties(text, 7, [[5, 1]])[4]).toBe(1);
  });

  it("sees the window only", () => {
    expect(penalties([1, 2, 3, 4, 5, 1, 2, 3], 7, [], options, 7)[4]).toBe(1);
    expect(penalties([1, 2, 3, 4, 5, 1, 2, 3], 7, [], options, 5)[4]).toBe(0);
  });

  it("stays finite for a very long repetition", () => {
    const text = new Array(5000).fill(1);
    const [, one] = penalties(text, 2);
    expect(one).toBe(2 ** 127); // 88.72 / ln 2, cut
  });

  it("equals a search by brute force on random texts", () => {
    for (let run = 0; run < 300; run++) {
      const length = 2 + Math.floor(uniform(9, run, 0) * 40);
      const text = Array.from({ length }, (_, i) => Math.floor(uniform(9, run, i + 1) * 3));
      const breaker = uniform(9, run, 100) < 0.3 ? [[2]] : [];
      let limit = length;
      if (breaker.length > 0 && text.includes(2)) limit = length - 1 - text.lastIndexOf(2);
      const expected = [0, 0, 0];
      for (let end = 0; end < length - 1; end++) {
        let same = 0;
        while (same <= end && text[end - same] === text[length - 1 - same]) same++;
        same = Math.min(same, limit);
        const token = text[end + 1];
        if (same >= 2 && !(breaker.length > 0 && token === 2))
          expected[token] = Math.max(expected[token], 2 ** (same - 2));
      }
      expect(penalties(text, 3, breaker)).toEqual(expected);
    }
  });

  it("is linear in the text", () => {
    const text = Array.from({ length: 400000 }, (_, i) => (i % 1000 === 999 ? 1 : 0));
    const began = performance.now();
    penalties(text, 2, [], options, text.length);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

describe("findBreakers", () => {
  it("finds tokens that contain the text or begin it", () => {
    const words = ["a", "b\n", "x:", "<", "a</", "</s>", "s", ">"];
    const tokenize = (text: string) => [...text].map((char) => words.indexOf(char));
    const found = findBreakers(
      ["\n", ":", "</s>", ""],
      words.length,
      (id) => words[id],
      (text) => tokenize(text.replace("/", "")),
    );
    expect(found).toEqual([[1], [2], [3, 6, 7], [4, 6, 7], [5]]);
  });

  it("asks for each rest once and cuts long tails", () => {
    let asked = 0;
    const found = findBreakers(
      ["ab".repeat(50)],
      1000,
      () => "a",
      (text) => {
        asked++;
        return [...text].map(() => 7);
      },
    );
    expect(asked).toBe(1);
    expect(found.length).toBe(1000);
    expect(found[0].length).toBe(21);
  });
});

describe("history", () => {
  it("counts the last tokens only", () => {
    const history = createHistory(3);
    const text = Array.from({ length: 5000 }, (_, i) => Math.floor(uniform(4, 0, i) * 4));
    text.forEach((token, i) => {
      history.push(token);
      const window = text.slice(Math.max(0, i - 2), i + 1);
      expect(history.length).toBe(window.length);
      expect(history.recent(0)).toBe(token);
      expect(history.recent(window.length - 1)).toBe(window[0]);
      for (let t = 0; t < 4; t++)
        expect(history.counts.get(t) ?? 0).toBe(window.filter((other) => other === t).length);
    });
    history.clear();
    expect(history.length + history.counts.size).toBe(0);
    const none = createHistory(0);
    none.push(1);
    expect(none.length + none.counts.size).toBe(0);
  });
});
