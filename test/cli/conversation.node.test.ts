/** What of a conversation is in the prompt when the context is full, and that the conversation goes on. */
import { describe, expect, it } from "vitest";
import { answerTo, firstThatFits, from, laterStart, type Talk } from "../../cli/conversation.ts";
import { type FinishReason, type GenerateOptions, loadModel, type Session } from "../../mod.ts";
import { WebggufError } from "../../src/base/errors.ts";
import { contextOverflow } from "../../src/base/overflow.ts";
import type { ChatMessage } from "../../src/chat/messages.ts";
import { answerStream } from "../../src/session/answer-stream.ts";
import { fixture } from "../fixture.ts";

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

/** Numbers below n, the same every time. */
function random(): (n: number) => number {
  let state = 1;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % n;
  };
}

describe("a conversation", () => {
  it("fits after its oldest turns are left out, whatever their lengths", () => {
    const below = random();
    for (let round = 0; round < 500; round++) {
      const system = below(2) === 1;
      const count = 1 + 2 * below(20);
      const messages = talk(
        system,
        Array.from({ length: count }, () => 1 + below(40)),
      );
      const room = below(60);
      const start = firstThatFits(model(100), { messages, start: 0 }, {}, room);
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

  it("keeps what was left out left out, and all of it where no later question fits", () => {
    const start = (messages: ChatMessage[], from = 0): number =>
      firstThatFits(model(100), { messages, start: from }, {}, 10);
    expect(start(talk(false, [9, 9, 9, 9, 9]), 2)).toBe(2);
    expect(start(talk(true, [900]))).toBe(0);
    expect(start(talk(true, [9, 9, 900]))).toBe(0);
    // Less than half of the context is free behind it, but some.
    expect(start(talk(true, [90, 9, 60]))).toBe(3);
  });

  it("loses half of its turns at a time where nobody counts tokens, and never the last", () => {
    const messages = talk(true, [9, 9, 9, 9, 9, 9, 9]);
    expect(laterStart({ messages, start: 0 })).toBe(5);
    expect(laterStart({ messages, start: 5 })).toBe(7);
    expect(laterStart({ messages, start: 7 })).toBeUndefined();
    expect(laterStart({ messages: talk(false, [9, 9, 9]), start: 0 })).toBe(2);
    // The system message stays in any case: to begin behind it leaves nothing out.
    expect(laterStart({ messages: talk(true, [9]), start: 0 })).toBeUndefined();
  });
});

const CONTEXT = 100;

/** Says the script, one token a character, and goes on in it where the last message stops. */
function scripted(script: string): Pick<Session, "generate"> {
  return {
    generate: (prompt, options: GenerateOptions = {}) =>
      answerStream(async function* (ended) {
        const messages = prompt as readonly ChatMessage[];
        const goesOn = options.template?.continueFinalMessage;
        const said = goesOn ? String(messages.at(-1)?.content) : "";
        const { length } = model(CONTEXT).render(messages).text;
        if (length >= CONTEXT) throw contextOverflow(CONTEXT, length + 1);
        const most = options.maxTokens ?? -1;
        const room = CONTEXT - length;
        const limit = most < 0 ? room : Math.min(room, most);
        let content = "";
        let finishReason: FinishReason = "aborted";
        try {
          for (const letter of script.slice(said.length)) {
            if (content.length === limit) break;
            content += letter;
            yield { channel: "content", text: letter };
          }
          const whole = said + content === script;
          finishReason = whole ? "stop" : limit === most ? "length" : "context";
        } finally {
          const usage = { promptTokens: length, cachedTokens: 0, promptMs: 0, completionMs: 0 };
          ended({
            message: { role: "assistant", content },
            finishReason,
            usage: { ...usage, completionTokens: content.length },
          });
        }
      }),
  };
}

/** The two ways of choosing what is left out: the command line's, and the page's, which does not count. */
const ways: Readonly<Record<string, (conversation: Talk, options: GenerateOptions) => number>> = {
  counted: (conversation, options) => firstThatFits(model(CONTEXT), conversation, options, 20),
  halved: (conversation) => laterStart(conversation) ?? conversation.start,
};

describe.each(Object.keys(ways))("an answer in a full context (turns %s)", (way) => {
  const answer = async (conversation: Talk, script: string, options: GenerateOptions = {}) => {
    let text = "";
    let ends = 0;
    const pieces = answerTo(scripted(script), conversation, options, {
      leaveOut(given) {
        const { start } = conversation;
        conversation.start = ways[way](conversation, given);
        return conversation.start > start;
      },
      onEnd: () => void ends++,
    });
    for await (const piece of pieces) text += piece.text;
    return { text, ends };
  };
  const script = Array.from({ length: 300 }, (_, i) => String.fromCharCode(97 + (i % 26))).join("");

  it("goes on behind fewer turns, to its end or until its own turn fills the context", async () => {
    const below = random();
    for (let round = 0; round < 500; round++) {
      const lengths = Array.from({ length: 1 + 2 * below(12) }, () => 1 + below(40));
      const messages = talk(below(2) === 1, lengths);
      const before = [...messages];
      const conversation = { messages, start: 0 };
      const wanted = script.slice(0, 1 + below(120));
      const maxTokens = below(3) === 0 ? 1 + below(100) : -1;
      const { text, ends } = await answer(conversation, wanted, { maxTokens });
      const whole = maxTokens < 0 ? wanted : wanted.slice(0, maxTokens);
      expect(messages).toEqual([...before, { role: "assistant", content: text }]);
      expect(whole.startsWith(text)).toBe(true);
      expect(ends).toBe(Number(text !== whole));
      if (ends === 0) continue;
      const prompt = from(messages, conversation.start);
      expect(prompt.filter(({ role }) => role === "user").length).toBe(1);
      expect(model(CONTEXT).render(prompt).text.length).toBeGreaterThanOrEqual(CONTEXT);
    }
  });

  it("is refused where the question alone is too long for it, whatever stood before", async () => {
    for (const lengths of [[100], [9, 9, 100], [40, 9, 40, 9, 500]]) {
      const messages = talk(false, lengths);
      const error = await answer({ messages, start: 0 }, script).catch((one: unknown) => one);
      expect(error).toMatchObject({ code: "context/overflow" });
      expect(messages.length).toBe(lengths.length);
    }
  });

  it("keeps what was said when its reader leaves", async () => {
    const conversation = { messages: talk(false, [40, 20, 30]), start: 0 };
    const pieces = answerTo(
      scripted(script),
      conversation,
      {},
      {
        leaveOut: () => {
          conversation.start = 2;
          return true;
        },
        onEnd() {},
      },
    );
    // Beyond the ten that the context had room for at first.
    for (let i = 0; i < 15; i++) await pieces.next();
    await pieces.return();
    expect(conversation.messages.at(-1)).toEqual({
      role: "assistant",
      content: script.slice(0, 15),
    });
  });
});

it("a model goes on in an answer that filled its context, in one message", async () => {
  const bytes = await fixture("../../models/webgguf-tale-q8_0.gguf");
  await using model = await loadModel(bytes, { device: "cpu", contextLength: 48 });
  const ask = (content: string): ChatMessage => ({ role: "user", content });
  const messages = [
    ask("What is 7 + 5?"),
    { role: "assistant", content: "7 + 5 = 12." },
    ask("Tell me a story about a fox."),
  ];
  const conversation: Talk = { messages, start: 0 };
  let text = "";
  const told: unknown[] = [];
  const options = { temperature: 0, ignoreEos: true };
  for await (const piece of answerTo(model.session(), conversation, options, {
    leaveOut(given) {
      const { start } = conversation;
      conversation.start = firstThatFits(model, conversation, given, 16);
      told.push(conversation.start);
      return conversation.start > start;
    },
    onEnd: () => void told.push("end"),
  }))
    text += piece.text;
  // With all turns, with the last alone, and no more.
  expect(told).toEqual([2, 2, "end"]);
  expect(messages.length).toBe(4);
  expect(messages.at(-1)).toMatchObject({ role: "assistant", content: text });
  const { tokens } = model.render(messages.slice(2), { template: { continueFinalMessage: true } });
  expect(Math.abs(tokens.length - 48)).toBeLessThan(4);
});
