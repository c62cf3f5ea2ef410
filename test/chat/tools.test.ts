/** Parsed answers: each format in any cut, and what is no call after all. */
import { describe, expect, it } from "vitest";
import {
  type AnswerOptions,
  AnswerParser,
  type AnswerPiece,
  formatsOf,
  startsInReasoning,
} from "../../src/chat/formats/index.ts";
import type { ToolDefinition } from "../../src/chat/messages.ts";
import { fixtureText } from "../fixture.ts";
import { inside, SAMPLES, tools } from "./answer-samples.ts";

/** Adjacent text of one channel as one piece, without the parts of calls. */
function merged(pieces: readonly AnswerPiece[]): AnswerPiece[] {
  const out: AnswerPiece[] = [];
  for (const piece of pieces) {
    if (piece.part) continue;
    const last = out.at(-1);
    if (last && last.channel === piece.channel && !last.toolCall && !piece.toolCall)
      out[out.length - 1] = { ...last, text: last.text + piece.text };
    else out.push(piece);
  }
  return out;
}

type Formats = ReturnType<typeof formatsOf>;

function parse(formats: Formats, parts: readonly string[], options?: AnswerOptions): AnswerPiece[] {
  const parser = new AnswerParser(formats, options);
  const pieces = parts.flatMap((part) => parser.push(part));
  return merged([...pieces, ...parser.end()]);
}

const brief = (pieces: readonly AnswerPiece[]): unknown[] =>
  pieces.map(({ channel, text, toolCall }) => {
    if (!toolCall) return [channel, text];
    const { index: _, json: __, ...call } = toolCall;
    return [channel, call];
  });

const formatsFor = async (template: string): Promise<Formats> =>
  formatsOf(await fixtureText(`reference/templates/${template}.jinja`));

describe("answers of real formats", () => {
  it.each(SAMPLES)("$template: $answer", async ({ template, answer, wanted, options }) => {
    const formats = await formatsFor(template);
    const whole = parse(formats, [answer], { tools, ...options });
    expect(brief(whole)).toEqual(wanted);
    expect(parse(formats, Array.from(answer), { tools, ...options })).toEqual(whole);
    for (let at = 1; at < answer.length; at++) {
      const halves = [answer.slice(0, at), answer.slice(at)];
      expect(parse(formats, halves, { tools, ...options })).toEqual(whole);
    }
  });

  it.each(SAMPLES)("cut off, $template gives no part of a mark: $answer", async (sample) => {
    const formats = await formatsFor(sample.template);
    for (let at = 0; at < sample.answer.length; at += 3) {
      const parser = new AnswerParser(formats, { tools, ...sample.options });
      const pieces = merged(parser.push(sample.answer.slice(0, at)));
      // What has been given out is a beginning of what the whole answer gives.
      brief(pieces).forEach((piece, i) => {
        const [channel, text] = piece as [string, unknown];
        const [wantedChannel, wanted] = sample.wanted[i] ?? [];
        expect(channel).toBe(wantedChannel);
        if (typeof text === "string" && typeof wanted === "string")
          expect(wanted.startsWith(text.trimEnd())).toBe(true);
        else expect(text).toEqual(wanted);
      });
    }
  });
});

const hermes = formatsOf("<think></think> <tool_call></tool_call>");
const text = (answer: string, options?: AnswerOptions): unknown[] =>
  brief(parse(hermes, Array.from(answer), options));

describe("what is no call", () => {
  it.each([
    "<tool_call>\n{broken\n</tool_call>",
    '<tool_call>\n{"no name": 1}\n</tool_call> and on',
    "Use <tool_call> to call.",
    '<tool_call>{"name": "f"',
    "a < b <tool",
    "<<tool_call",
    "  spaced  out \n\n",
    "a <think> in the middle </think>",
  ])("is content in full: %s", (answer) => {
    expect(text(answer)).toEqual([["content", answer]]);
    expect(brief(parse(hermes, [answer]))).toEqual([["content", answer]]);
  });
  it("does not hide the call behind it", () => {
    const call = '<tool_call>{"name": "f", "arguments": {}}</tool_call>';
    expect(text(`The <tool_call> mark: ${call}`)).toEqual([
      ["content", "The <tool_call> mark:"],
      ["tool", { name: "f", arguments: {} }],
    ]);
  });
  it("is everything, if there are no tools", () => {
    const call = '<tool_call>{"name": "f", "arguments": {}}</tool_call>';
    expect(text(call, { tools: [] })).toEqual([["content", call]]);
  });
});

describe("reasoning", () => {
  it("may be empty, unfinished, or begun by the prompt and the model both", () => {
    expect(text("<think>\n\n</think>\n\nhi")).toEqual([["content", "hi"]]);
    expect(text("<think>on and on")).toEqual([["reasoning", "on and on"]]);
    expect(text("<think>\na</think>b", inside)).toEqual([
      ["reasoning", "a"],
      ["content", "b"],
    ]);
    expect(text("\n</think>\n\nb")).toEqual([["content", "b"]]);
  });
  it("is recognised in a prompt's end", () => {
    expect(startsInReasoning("<|im_start|>assistant\n<think>\n", hermes)).toBe(true);
    expect(startsInReasoning("assistant\n<think>\n\n</think>\n\n", hermes)).toBe(false);
    expect(startsInReasoning("<think>\n", formatsOf("plain"))).toBe(false);
  });
});

describe("parameters in tags", () => {
  const tags = formatsOf("<tool_call> <function=");
  const call = (value: string, schema: unknown): unknown => {
    const given: ToolDefinition[] = [
      { type: "function", function: { name: "f", parameters: { properties: { p: schema } } } },
    ];
    const body = `<tool_call>\n<function=f>\n<parameter=p>\n${value}\n</parameter>\n</function>\n</tool_call>`;
    return parse(tags, [body], { tools: given })[0].toolCall?.arguments["p"];
  };
  it("have the type that the schema says", () => {
    expect(call("12", { type: "string" })).toBe("12");
    expect(call("12", { type: "integer" })).toBe(12);
    expect(call("12", {})).toBe(12);
    expect(call("True", { type: "boolean" })).toBe(true);
    expect(call('{"a": [1]}', { type: "object" })).toEqual({ a: [1] });
    expect(call('"quoted"', {})).toBe('"quoted"');
    expect(call("12 apples", { type: "integer" })).toBe("12 apples");
  });
  it("keep lines, and tags that do not end them", () => {
    expect(call("a\n\nb </parameter> c\n", { type: "string" })).toBe("a\n\nb </parameter> c\n");
  });
});

describe("special tokens", () => {
  it("are wanted where they are marks, or anywhere in a call", () => {
    const parser = new AnswerParser(formatsOf("<|tool_call_start|>"));
    expect(parser.wants("<|tool_call_start|>")).toBe(true);
    expect(parser.wants("<|other|>")).toBe(false);
    parser.push("<|tool_call_start|>[");
    expect(parser.wants("<|other|>")).toBe(true);
    parser.push("f()]<|tool_call_end|>");
    expect(parser.wants("<|other|>")).toBe(false);
  });
});

describe("time and memory", () => {
  const seconds = (answer: string, formats = hermes): number => {
    const start = performance.now();
    const parser = new AnswerParser(formats);
    for (let at = 0; at < answer.length; at += 4) parser.push(answer.slice(at, at + 4));
    parser.end();
    return (performance.now() - start) / 1000;
  };
  const million = 1_000_000;
  it.each([
    ["plain text", "word ".repeat(million / 5)],
    ["beginnings of marks", "<tool_cal".repeat(million / 9)],
    ["marks of calls", "<tool_call>".repeat(million / 11)],
    ["marks of calls that go on", '<tool_call>{"'.repeat(million / 13)],
    ["white space", `<think>${" ".repeat(million)}`],
    ["white space in a call", `<tool_call>${" ".repeat(million)}x`],
    ["an open call", `<tool_call>{"a": "${"b".repeat(2 * million)}`],
    [
      "a long call",
      `<tool_call>{"name": "f", "arguments": {"a": "${"b".repeat(million)}"}}</tool_call>`,
    ],
    ["deep JSON", `<tool_call>${"[".repeat(million)}</tool_call>`],
    ["deep literals", `<tool_call>${"{'a':".repeat(million / 5)}</tool_call>`],
  ])("stay linear: %s", (_, answer) => {
    expect(seconds(answer)).toBeLessThan(10);
  });
  it("give up a block that is too long, in any cut", () => {
    const answer = `<tool_call>{"a": "${"b".repeat(1_100_000)}"}</tool_call>c`;
    const whole = parse(hermes, [answer]);
    const parts = answer.match(/.{1,1000}/gs) ?? [];
    expect(parse(hermes, parts)).toEqual(whole);
    expect(whole).toEqual([{ channel: "content", text: answer }]);
  });
});
