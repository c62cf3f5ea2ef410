import { describe, expect, it } from "vitest";
import { AnswerParser, formatsOf } from "../../src/chat/formats/index.ts";
import type { ToolDefinition } from "../../src/chat/messages.ts";
import { AnswerReader } from "../../src/session/answer.ts";
import type { Piece } from "../../src/session/types.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";

/** A vocabulary of whole texts; ids from 100 on are special, 199 ends an answer. */
function tokenizerOf(texts: ReadonlyMap<number, string | Uint8Array>): Tokenizer {
  const bytes = (id: number): Uint8Array => {
    const text = texts.get(id) ?? "";
    return typeof text === "string" ? new TextEncoder().encode(text) : text;
  };
  return {
    endTokens: new Set([199]),
    isSpecial: (id: number) => id >= 100,
    token: (id: number) => String(texts.get(id) ?? ""),
    bytes: (id: number, unparse = false) => (id >= 100 && !unparse ? new Uint8Array() : bytes(id)),
  } as unknown as Tokenizer;
}

function read(answer: AnswerReader, ids: readonly number[]): { pieces: Piece[]; ended: boolean } {
  const pieces: Piece[] = [];
  for (const [i, token] of ids.entries()) {
    const taken = answer.take({ token }, i === ids.length - 1);
    pieces.push(...taken.pieces);
    if (taken.ended) return { pieces, ended: true };
  }
  return { pieces, ended: false };
}

const toolsOf = (...names: readonly string[]): ToolDefinition[] =>
  names.map((name) => ({ type: "function", function: { name } }));

const textOf = (pieces: readonly Piece[], channel: Piece["channel"]): string =>
  pieces
    .filter((piece) => piece.channel === channel)
    .map((piece) => piece.text)
    .join("");

describe("an answer", () => {
  it("never gives half a character", () => {
    const euro = new TextEncoder().encode("€");
    const tokenizer = tokenizerOf(
      new Map<number, string | Uint8Array>([
        [1, euro.slice(0, 1)],
        [2, euro.slice(1)],
      ]),
    );
    const { pieces } = read(new AnswerReader(tokenizer, undefined, {}), [1, 2]);
    expect(pieces.map((piece) => piece.text)).toEqual(["", "€"]);
  });

  it("goes on wherever it was cut off, by a limit or a break, in the channel and the call where it stood", () => {
    const text = new TextEncoder();
    const answer =
      '<think>hm 🙂 €</think>Well, "é" stop it.<tool_call>{"name": "f", "arguments": {"a": "中 🙂 st"}}</tool_call>Done ☂.';
    // A token a byte.
    const all = text.encode(answer);
    const bytewise = {
      ...tokenizerOf(new Map()),
      bytes: (id: number) => Uint8Array.of(id),
      isSpecial: () => false,
      endTokens: new Set(),
    } as unknown as Tokenizer;
    const tools = toolsOf("f");
    const options = { stop: ["stop!", "☂!!"] };
    const formats = formatsOf("<think></think><tool_call></tool_call>");
    const take = (reader: AnswerReader, from: number, to: number, limit: boolean): Piece[] =>
      Array.from(
        all.subarray(from, to),
        (token, i) => reader.take({ token }, limit && i === to - from - 1).pieces,
      ).flat();
    const said = (pieces: readonly Piece[]) => ({
      content: textOf(pieces, "content"),
      reasoning: textOf(pieces, "reasoning"),
      json: pieces.map(({ toolCallPart }) => toolCallPart?.arguments ?? "").join(""),
      calls: pieces.flatMap(({ toolCall }) =>
        toolCall?.unfinished ? [] : (toolCall?.function ?? []),
      ),
    });
    const whole = said(
      take(
        new AnswerReader(bytewise, new AnswerParser(formats, { tools }), options),
        0,
        all.length,
        true,
      ),
    );
    expect(whole).toMatchObject({ reasoning: "hm 🙂 €", calls: [{ name: "f" }] });
    for (const limit of [true, false])
      for (let at = 1; at < all.length; at++) {
        const first = new AnswerReader(bytewise, new AnswerParser(formats, { tools }), options);
        const pieces = take(first, 0, at, limit);
        expect(textOf(pieces, "content")).not.toContain("\ufffd");
        const second = new AnswerReader(bytewise, first.parser, options, first.held);
        pieces.push(...take(second, at, all.length, true));
        expect([at, said(pieces)]).toEqual([at, whole]);
      }
  });

  it("gives what was held for a stop text when none came", () => {
    const tokenizer = tokenizerOf(new Map([[1, "a st"]]));
    const answer = new AnswerReader(tokenizer, undefined, { stop: ["stop"] });
    expect(read(answer, [1])).toEqual({
      pieces: [{ token: 1, text: "a st", channel: "content" }],
      ended: false,
    });
    const other = new AnswerReader(tokenizer, undefined, { stop: ["stop"] });
    expect(textOf(read(other, [1, 199]).pieces, "content")).toBe("a st");
  });

  it("goes on after an end token if asked to", () => {
    const tokenizer = tokenizerOf(new Map([[1, "on"]]));
    const { pieces, ended } = read(
      new AnswerReader(tokenizer, undefined, { ignoreEos: true }),
      [199, 1],
    );
    expect(textOf(pieces, "content")).toBe("on");
    expect(ended).toBe(false);
  });

  it("tells thoughts and tool calls from content", () => {
    const template = '<think>\n</think> <tool_call>\n{"name": …}\n</tool_call>';
    const parser = new AnswerParser(formatsOf(template), { tools: toolsOf("add") });
    const tokenizer = tokenizerOf(
      new Map([
        [100, "<think>"],
        [101, "</think>"],
        [102, "<tool_call>"],
        [103, "</tool_call>"],
        [1, "hm"],
        [2, "Well."],
        [3, '{"name": "add", "arguments": {"a": 1}}'],
      ]),
    );
    const answer = new AnswerReader(tokenizer, parser, {});
    const { pieces, ended } = read(answer, [100, 1, 101, 2, 102, 3, 103, 199]);
    expect(ended).toBe(true);
    const { id } = pieces.find((piece) => piece.toolCall)?.toolCall ?? {};
    expect(pieces.flatMap(({ toolCallPart }) => toolCallPart ?? [])).toEqual([
      { index: 0, id, name: "add", arguments: '{"a": 1}' },
    ]);
    expect(textOf(pieces, "reasoning")).toBe("hm");
    expect(textOf(pieces, "content")).toBe("Well.");
    const call = pieces.find((piece) => piece.toolCall)?.toolCall;
    expect(call).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9]{9}$/),
      type: "function",
      function: { name: "add", arguments: '{"a": 1}' },
    });
    expect(answer.message).toEqual({
      role: "assistant",
      content: "Well.",
      reasoning_content: "hm",
      tool_calls: [call],
    });
    expect(pieces.filter((piece) => piece.token !== undefined).length).toBe(8);
  });

  it("gives a call the id that the model writes behind the arguments, once it is there", () => {
    const parser = new AnswerParser(formatsOf("[TOOL_CALLS]"), { tools: toolsOf("f", "g") });
    const tokenizer = tokenizerOf(
      new Map([
        [100, "[TOOL_CALLS]"],
        [1, '[{"name": "f", "arguments": {"a"'],
        [2, ': 1}, "id": "abcdefgh1"}, {"name": "g", "arguments": {}}]'],
      ]),
    );
    const reader = new AnswerReader(tokenizer, parser, { seed: 1 });
    const parts = read(reader, [100, 1, 2, 199]).pieces.flatMap(
      (piece) => piece.toolCallPart ?? [],
    );
    const calls = reader.message.tool_calls ?? [];
    expect(calls.map((call) => call.id)).toEqual(["abcdefgh1", expect.stringMatching(/^\w{9}$/)]);
    for (const [index, call] of calls.entries()) {
      const own = parts.filter((part) => part.index === index);
      expect(own.map((part) => part.arguments).join("")).toBe(call.function.arguments);
      expect(own.map((part) => part.id).filter(Boolean)).toEqual([call.id]);
    }
    expect(reader.message.content).toBe(null);
    expect(parts[0]).toEqual({ index: 0, name: "f", arguments: '{"a"' });
  });

  it("that ends inside a call has the call as far as it came, and none of its text", () => {
    const texts = [
      "Well.",
      "<tool_call>",
      '{"name": "f"',
      ', "arguments": {"a": [1, "b',
      '"]}',
      "}",
    ];
    const tokenizer = tokenizerOf(
      new Map<number, string>([...texts.entries()].map(([i, text]) => [i + 1, text])),
    );
    for (let limit = 1; limit <= texts.length; limit++)
      for (const last of [true, false]) {
        const parser = new AnswerParser(formatsOf("<tool_call>"), { tools: toolsOf("f") });
        const reader = new AnswerReader(tokenizer, parser, {});
        const pieces = texts
          .slice(0, limit)
          .flatMap((_, i) => reader.take({ token: i + 1 }, last && i === limit - 1).pieces);
        const { content, tool_calls } = reader.message;
        expect(content).toBe("Well.");
        expect(textOf(pieces, "content")).toBe("Well.");
        // Without an end (the caller stopped) what the parts told is known; a name alone is not told.
        if (limit < (last ? 3 : 4)) expect(tool_calls).toBe(undefined);
        else {
          const parts = pieces.flatMap(({ toolCallPart }) => toolCallPart ?? []);
          const json = parts.map((part) => part.arguments).join("");
          const whole = limit === texts.length;
          expect(tool_calls).toEqual([
            {
              id: parts[0].id,
              type: "function",
              function: { name: "f", arguments: json },
              ...(!whole && { unfinished: true }),
            },
          ]);
          const given = pieces.flatMap(({ toolCall }) => toolCall ?? []);
          expect(given).toEqual(last || whole ? tool_calls : []);
        }
      }
  });
});
