/** A filter between the model and the reader, here and around a worker. */
import { afterAll, describe, expect, it } from "vitest";
import {
  type Answer,
  type AnswerFilter,
  type GenerateOptions,
  loadModel,
  type Model,
  type Piece,
  type Session,
} from "../../mod.ts";
import { AnswerMessage } from "../../src/session/answer-message.ts";
import { filtered } from "../../src/session/filter.ts";
import { loadModelInWorker, serveModel } from "../../src/worker/mod.ts";
import { fixture } from "../fixture.ts";

const bytes = await fixture("../../models/webgguf-tale-q8_0.gguf");
const options = { device: "cpu", contextLength: 128 };
const { port1, port2 } = new MessageChannel();
serveModel(port1);
const models: readonly (readonly [string, Model])[] = [
  ["here", await loadModel(bytes, options)],
  ["around a worker", await loadModelInWorker(port2, bytes, options)],
];
afterAll(async () => {
  for (const [, model] of models) await model.dispose();
  port1.close();
});

const STORY = "Once upon a time";
const tools = [
  {
    type: "function" as const,
    function: {
      name: "look",
      parameters: {
        type: "object",
        properties: { at: { enum: ["fox", "wolf"] } },
        required: ["at"],
      },
    },
  },
];
const calling: GenerateOptions = {
  template: { template: '{{ messages[0].content }}{# Hermes: <tool_call>{"name": "…"} #}' },
  tools,
  toolChoice: "required",
  parallelToolCalls: false,
};

interface Read {
  readonly pieces: readonly Piece[];
  readonly text: string;
  readonly answer: Answer;
}

async function read(
  session: Session,
  more: GenerateOptions,
  prompt: Parameters<Session["generate"]>[0] = STORY,
): Promise<Read> {
  const stream = session.generate(prompt, { maxTokens: 40, seed: 3, temperature: 0.8, ...more });
  const pieces: Piece[] = [];
  for await (const piece of stream) pieces.push(piece);
  const text = pieces.map((piece) => piece.text).join("");
  return { pieces, text, answer: await stream };
}

/** Whole words, one piece each, as `say` puts them. */
const words = (say: (word: string) => string | undefined): AnswerFilter =>
  async function* (pieces) {
    let held = "";
    for await (const piece of pieces) {
      held += piece.text;
      const found = held.split(/(?<=\s)/);
      held = found.pop() ?? "";
      for (const word of found) {
        const said = say(word);
        if (said === undefined) return "content-filter";
        yield { channel: "content", text: said };
      }
    }
    const said = say(held);
    if (said === undefined) return "content-filter";
    yield { channel: "content", text: said };
  };

describe.each(models)("a filter %s", (_, model) => {
  const withSession = async <T>(work: (session: Session) => Promise<T>): Promise<T> => {
    const session = model.session();
    try {
      return await work(session);
    } finally {
      await session.dispose();
    }
  };

  it("that gives on what it reads changes nothing, whatever it holds back", () =>
    withSession(async (session) => {
      for (const how of [{}, { maxTokens: -1 }, { stop: " a" }, { logprobs: 1 }]) {
        session.reset();
        const plain = await read(session, how);
        const end = session.tokens.slice();
        for (const hold of [1, 1000]) {
          session.reset();
          const held = await read(session, {
            ...how,
            async *filter(pieces) {
              const waiting: Piece[] = [];
              for await (const piece of pieces)
                if (waiting.push(piece) > hold) yield waiting.shift()!;
              yield* waiting;
            },
          });
          expect(held.pieces).toEqual(plain.pieces);
          expect({ ...held.answer, usage: 0 }).toEqual({ ...plain.answer, usage: 0 });
          expect(held.answer.usage.completionTokens).toBe(plain.answer.usage.completionTokens);
          expect(session.tokens).toEqual(end);
        }
      }
    }));

  it("may put other words in place, of which the message is made", () =>
    withSession(async (session) => {
      const plain = await read(session, {});
      session.reset();
      const loud = await read(session, { filter: words((word) => word.toUpperCase()) });
      expect(loud.text).toBe(plain.text.toUpperCase());
      expect(loud.answer.message.content).toBe(loud.text);
      expect(loud.answer.finishReason).toBe("length");
      expect(loud.pieces.length).toBeGreaterThan(5);
    }));

  it("may end the answer, early or at its end, and the session is free", () =>
    withSession(async (session) => {
      const plain = await read(session, {});
      let left = 4;
      session.reset();
      const early = await read(session, {
        filter: words((word) => (left-- > 0 ? word : undefined)),
      });
      expect(early.answer.finishReason).toBe("content-filter");
      expect(plain.text.startsWith(early.text)).toBe(true);
      expect(early.answer.message.content).toBe(early.text);
      expect(early.text.split(" ").length).toBe(5);
      expect(session.stats().finishReason).toBe("content-filter");
      // What the model computed is known, and no more was computed than was read.
      expect(early.answer.usage.completionTokens).toBeLessThan(12);
      session.reset();
      const late = await read(session, {
        async *filter(pieces) {
          for await (const piece of pieces) yield piece;
          return "content-filter" as const;
        },
      });
      expect([late.text, late.answer.finishReason]).toEqual([plain.text, "content-filter"]);
      session.reset();
      const never = await read(session, { filter: async function* () {} });
      expect([never.pieces, never.answer.finishReason]).toEqual([[], "content-filter"]);
      session.reset();
      expect((await read(session, {})).text).toBe(plain.text);
    }));

  it("ends with its reader, which leaves the session free", () =>
    withSession(async (session) => {
      let closed = false;
      const stream = session.generate(STORY, {
        maxTokens: 40,
        async *filter(pieces) {
          try {
            yield* pieces;
          } finally {
            closed = true;
          }
        },
      });
      for await (const piece of stream) if (piece.text !== "") break;
      expect(closed).toBe(true);
      const { finishReason, message } = (await stream.return()).value;
      expect(finishReason).toBe("aborted");
      expect(message.content).not.toBe("");
      expect((await read(session, { maxTokens: 2 })).answer.finishReason).toBe("length");
    }));

  it("passes on what it throws, and the reason of a signal that fires while it waits", () =>
    withSession(async (session) => {
      const failing: AnswerFilter = async function* (pieces) {
        for await (const piece of pieces) {
          yield piece;
          throw new Error("the list of words is gone");
        }
      };
      await expect(read(session, { filter: failing })).rejects.toThrow("the list of words is gone");
      const controller = new AbortController();
      const waiting: AnswerFilter = async function* (pieces) {
        for await (const piece of pieces) {
          yield piece;
          setTimeout(() => controller.abort(new Error("no more")));
          await new Promise(() => {});
        }
      };
      await expect(read(session, { filter: waiting, signal: controller.signal })).rejects.toThrow(
        "no more",
      );
      expect((await read(session, { maxTokens: 2 })).answer.finishReason).toBe("length");
    }));

  it("is refused where it is none, or gives no pieces", () =>
    withSession(async (session) => {
      const filters: unknown[] = [
        5,
        "word",
        () => 1,
        () => undefined,
        async () => [],
        async function* () {
          yield "text";
        },
        async function* () {
          yield { text: "no channel" };
        },
        async function* () {
          yield undefined;
        },
      ];
      for (const filter of filters)
        await expect(read(session, { filter: filter as AnswerFilter })).rejects.toMatchObject({
          code: "input/invalid",
        });
      expect((await read(session, { maxTokens: 2 })).answer.finishReason).toBe("length");
    }));

  it("sees calls as they come, and may change them or leave them out", () =>
    withSession(async (session) => {
      const question = [{ role: "user", content: STORY }];
      const ask = (filter?: AnswerFilter): Promise<Read> => {
        session.reset();
        return read(session, { ...calling, maxTokens: 100, ...(filter && { filter }) }, question);
      };
      const plain = await ask();
      expect(plain.answer.finishReason).toBe("tool-calls");
      expect((await ask((pieces) => pieces)).answer.message).toEqual(plain.answer.message);
      const none = await ask(async function* (pieces) {
        for await (const piece of pieces) if (piece.channel !== "tool") yield piece;
        yield { channel: "content", text: "I may not look." };
      });
      expect(none.answer).toMatchObject({ finishReason: "stop", message: { role: "assistant" } });
      expect(none.answer.message.tool_calls).toBeUndefined();
      expect(none.answer.message.content).toMatch(/I may not look\.$/);
      const other = await ask(async function* (pieces) {
        for await (const { toolCallPart, ...piece } of pieces)
          if (piece.toolCall) {
            const changed = { ...piece.toolCall.function, arguments: '{"at":"moon"}' };
            yield { ...piece, toolCall: { ...piece.toolCall, function: changed } };
          } else if (!toolCallPart) yield piece;
      });
      expect(other.answer.finishReason).toBe("tool-calls");
      expect(other.answer.message.tool_calls).toMatchObject([
        { function: { name: "look", arguments: '{"at":"moon"}' } },
      ]);
      const cut = await ask(async function* (pieces) {
        for await (const piece of pieces) if (!piece.toolCall) yield piece;
      });
      expect(cut.answer.finishReason).toBe("stop");
      expect(cut.answer.message.tool_calls).toMatchObject([
        { function: plain.answer.message.tool_calls![0].function, unfinished: true },
      ]);
    }));
});

describe("a message", () => {
  const call = (id: string, name: string): Piece => ({
    ...{ channel: "tool", text: "" },
    toolCall: { id, type: "function", function: { name, arguments: "{}" } },
  });

  it("has each call once, whether its parts were given or not, in any order", () => {
    const of = (pieces: readonly Piece[]): unknown => {
      const message = new AnswerMessage();
      for (const piece of pieces) message.add(piece);
      return message.message.tool_calls?.map(({ id, unfinished }) => [id, unfinished]);
    };
    const part = (index: number, id: string): Piece => ({
      ...{ channel: "tool", text: "" },
      toolCallPart: { index, id, name: "f", arguments: "{" },
    });
    expect(of([part(0, "a"), call("a", "f"), part(1, "b"), call("b", "f")])).toEqual([
      ["a", undefined],
      ["b", undefined],
    ]);
    expect(of([call("a", "f"), call("b", "f")])).toEqual([
      ["a", undefined],
      ["b", undefined],
    ]);
    expect(of([part(0, "a"), part(1, "b"), call("b", "f")])).toEqual([
      ["a", true],
      ["b", undefined],
    ]);
    expect(of([part(3, "a"), call("b", "f")])).toEqual([
      ["a", true],
      ["b", undefined],
    ]);
  });
});

describe("without a filter", () => {
  it("nothing stands between", () => {
    const run = async function* (): AsyncGenerator<Piece, void, undefined> {};
    expect(filtered(run, {})).toBe(run);
  });
});
