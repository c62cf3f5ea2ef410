import { describe, expect, it } from "vitest";
import { commonPrefix } from "../../src/base/common-prefix.ts";
import type { ChatMessage } from "../../src/chat/messages.ts";
import type { Graph } from "../../src/graph/ops.ts";
import { isChat, readPrompt } from "../../src/session/prompt.ts";
import type { EncodeOptions, Tokenizer } from "../../src/tokenizer/tokenizer.ts";

/** One token a character; 1 is BOS. */
const text = {
  tokenizer: {
    encode: (given: string, { addSpecial }: EncodeOptions = {}) =>
      Int32Array.from([...(addSpecial ? [1] : []), ...Array.from(given, (c) => c.charCodeAt(0))]),
  } as Tokenizer,
  graph: { vocabulary: 200 } as Graph,
  render: (messages: readonly ChatMessage[]) => ({
    text: "",
    tokens: [
      1,
      ...messages.flatMap(({ content }) => Array.from(content ?? "", (c) => c.charCodeAt(0))),
    ],
  }),
};

describe("a prompt", () => {
  it("is appended when it is text, with BOS at the very beginning only", () => {
    expect(readPrompt(text, [], "ab", {})).toEqual({ kept: 0, tokens: [1, 97, 98] });
    expect(readPrompt(text, [1, 97], "b", {})).toEqual({ kept: 2, tokens: [1, 97, 98] });
  });

  it("is appended when it is ids, which are checked", () => {
    expect(readPrompt(text, [5], Int32Array.of(6, 7), {})).toEqual({ kept: 1, tokens: [5, 6, 7] });
    for (const bad of [-1, 200, 1.5, Number.NaN])
      expect(() => readPrompt(text, [], [3, bad], {})).toThrow("Token 1 of the prompt");
  });

  it("is the whole conversation when it is messages", () => {
    const messages = [{ role: "user", content: "abc" }];
    expect(isChat(messages)).toBe(true);
    expect(isChat([])).toBe(false);
    const read = readPrompt(text, [1, 97, 98, 120], messages, {});
    expect(read).toEqual({ kept: 3, tokens: [1, 97, 98, 99], parser: undefined });
  });

  it("is an error when nothing is there, not when the session holds tokens", () => {
    expect(() => readPrompt(text, [], [], {})).toThrow("The prompt is empty");
    expect(readPrompt(text, [4], [], {})).toEqual({ kept: 1, tokens: [4] });
  });

  it("shares the longest common beginning", () => {
    expect(commonPrefix([1, 2, 3], [1, 2, 4])).toBe(2);
    expect(commonPrefix([], [1])).toBe(0);
    expect(commonPrefix([1, 2], [1, 2])).toBe(2);
  });
});
