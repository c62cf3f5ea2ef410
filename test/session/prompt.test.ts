import { describe, expect, it } from "vitest";
import { commonPrefix } from "../../src/base/common-prefix.ts";
import { atOnce } from "../../src/base/steps.ts";
import type { ChatMessage } from "../../src/chat/messages.ts";
import type { Executor } from "../../src/graph/executor.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { GivenVectors } from "../../src/session/history.ts";
import { isChat, type ReadPrompt, readPrompt } from "../../src/session/prompt.ts";
import type { PromptPart } from "../../src/session/types.ts";
import type { EncodeOptions, Tokenizer } from "../../src/tokenizer/tokenizer.ts";

/** One token a character; 1 is BOS. */
const text = {
  tokenizer: {
    encode: (given: string, { addSpecial }: EncodeOptions = {}) =>
      Int32Array.from([...(addSpecial ? [1] : []), ...Array.from(given, (c) => c.charCodeAt(0))]),
  } as Tokenizer,
  // Given rows are of two numbers.
  graph: { vocabulary: 200, given: 0, widths: [2] } as unknown as Graph,
  executor: { contextLength: 8 } as Executor,
  *render(messages: readonly ChatMessage[]) {
    const said = messages.flatMap(({ content }) =>
      Array.from(String(content ?? ""), (c) => c.charCodeAt(0)),
    );
    return { text: "", tokens: [1, ...said] };
  },
};

const read = (...input: Parameters<typeof readPrompt>): ReadPrompt => atOnce(readPrompt(...input));

const vectors = new GivenVectors();

describe("a prompt", () => {
  it("is appended when it is text, with BOS at the very beginning only", () => {
    expect(read(text, [], "ab", {}, vectors)).toEqual({ common: 0, items: [1, 97, 98] });
    expect(read(text, [1, 97], "b", {}, vectors)).toEqual({ common: 2, items: [1, 97, 98] });
  });

  it("is appended when it is ids, which are checked", () => {
    expect(read(text, [5], Int32Array.of(6, 7), {}, vectors)).toEqual({
      common: 1,
      items: [5, 6, 7],
    });
    for (const bad of [-1, 200, 1.5, Number.NaN])
      expect(() => read(text, [], [3, bad], {}, vectors)).toThrow("Token 1 of the prompt");
  });

  it("is the whole conversation when it is messages", () => {
    const messages = [{ role: "user", content: "abc" }];
    expect(isChat(messages)).toBe(true);
    expect(isChat([])).toBe(false);
    const whole = read(text, [1, 97, 98, 120], messages, {}, vectors);
    expect(whole).toEqual({ common: 3, items: [1, 97, 98, 99], parser: undefined });
  });

  it("is the whole conversation when it is parts: token ids and given rows, which are checked", () => {
    const rows = Float32Array.of(1, 2, 3, 4, 1, 2);
    const parts = [[1, 97], { rows }, Int32Array.of(98)];
    const { common, items } = read(text, [], parts, {}, vectors);
    expect([common, items.map(Math.sign)]).toEqual([0, [1, 1, -1, -1, -1, 1]]);
    expect(isChat(parts)).toBe(false);
    expect(items[2]).toBe(items[4]);
    expect(items[2]).not.toBe(items[3]);
    const other = [[1, 97], { rows: Float32Array.of(1, 2, 4, 4) }];
    expect(read(text, items, other, {}, vectors).common).toBe(3);
    expect(read(text, items, [{ rows }], {}, vectors).common).toBe(0);
    expect(read(text, items, [9], {}, vectors)).toEqual({ common: 6, items: [...items, 9] });
    const bad = (part: PromptPart) => () => read(text, [], [[1], part], {}, vectors);
    expect(bad([200])).toThrow("Token 0 of the prompt");
    // A list of ids stays one, whatever else hangs on it.
    const ids = Object.assign([1, 97], { rows });
    expect(read(text, [], ids, {}, vectors).items).toEqual([1, 97]);
    expect(bad({ rows: rows.subarray(1) })).toThrow("Cannot divide 5 numbers");
    const without = { ...text, graph: { vocabulary: 200, widths: [2] } as unknown as Graph };
    expect(() => read(without, [], parts, {}, vectors)).toThrow("Cannot compute given rows");
    expect(() => read(text, [], [[]], {}, vectors)).toThrow("The prompt is empty");
  });

  it("is an error when nothing is there, not when the session holds tokens", () => {
    expect(() => read(text, [], [], {}, vectors)).toThrow("The prompt is empty");
    expect(read(text, [4], [], {}, vectors)).toEqual({ common: 1, items: [4] });
  });

  it("is refused when the context does not hold it, before its ids are looked at", () => {
    expect(read(text, [1, 97], "bcdefg", {}, vectors).items.length).toBe(8);
    expect(() => read(text, [1, 97], "bcdefgh", {}, vectors)).toThrow("The context holds 8 tokens");
    expect(() => read(text, [], { length: 1e9 }, {}, vectors)).toThrow("this needs 1000000000");
  });

  it("shares the longest common beginning", () => {
    expect(commonPrefix([1, 2, 3], [1, 2, 4])).toBe(2);
    expect(commonPrefix([], [1])).toBe(0);
    expect(commonPrefix([1, 2], [1, 2])).toBe(2);
  });
});
