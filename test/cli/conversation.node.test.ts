/** What of a conversation is in the prompt when the context is full. */
import { describe, expect, it } from "vitest";
import { firstThatFits, from, laterStart } from "../../cli/conversation.ts";
import { WebggufError } from "../../src/base/errors.ts";
import type { ChatMessage } from "../../src/chat/messages.ts";

/** One token a character; refuses what is very long, as a model does. */
const model = (contextLength: number) => ({
  contextLength,
  render(messages: readonly ChatMessage[]) {
    const text = messages.map(({ content }) => content).join("");
    if (text.length > 4 * contextLength) throw new WebggufError("context/overflow", "too long");
    return { text, tokens: Array.from(text, () => 0) };
  },
});

const talk = (system: boolean, lengths: readonly number[]): ChatMessage[] => [
  ...(system ? [{ role: "system", content: "s".repeat(5) }] : []),
  ...lengths.map((length, i) => ({
    role: i % 2 ? "assistant" : "user",
    content: "x".repeat(length),
  })),
];

describe("a conversation", () => {
  it("fits after its oldest turns are left out, whatever their lengths", () => {
    let state = 1;
    const below = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 8) % n;
    };
    for (let round = 0; round < 500; round++) {
      const system = below(2) === 1;
      const count = 1 + 2 * below(20);
      const messages = talk(
        system,
        Array.from({ length: count }, () => 1 + below(40)),
      );
      const room = below(60);
      const start = firstThatFits(model(100), messages, 0, {}, room);
      const kept = from(messages, start);
      expect(kept.slice(-1)).toEqual(messages.slice(-1));
      expect(kept[0].role).toBe(system ? "system" : "user");
      expect(kept[Number(system)].role).toBe("user");
      const { length } = model(100).render(kept).tokens;
      // The last question is at most 40 long: it fits into half of the context with the system message.
      expect(length + Math.min(room, 50)).toBeLessThanOrEqual(100);
      const all = model(1e6).render(messages).tokens.length;
      if (all + Math.min(room, 50) <= 100) expect(start).toBe(0);
      else expect(length).toBeLessThanOrEqual(50);
    }
  });

  it("keeps what was left out left out, and the last question whatever its length", () => {
    const messages = talk(false, [9, 9, 9, 9, 9]);
    expect(firstThatFits(model(100), messages, 2, {}, 10)).toBe(2);
    expect(firstThatFits(model(100), talk(true, [900]), 0, {}, 10)).toBe(1);
    expect(firstThatFits(model(100), talk(true, [9, 9, 900]), 0, {}, 10)).toBe(3);
  });

  it("loses half of its turns at a time where nobody counts tokens, and never the last", () => {
    const messages = talk(true, [9, 9, 9, 9, 9, 9, 9]);
    expect(laterStart(messages, 0)).toBe(5);
    expect(laterStart(messages, 5)).toBe(7);
    expect(laterStart(messages, 7)).toBeUndefined();
    expect(laterStart(talk(false, [9, 9, 9]), 0)).toBe(2);
  });
});
