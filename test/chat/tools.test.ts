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
    const { index: _, arguments: json, ...call } = toolCall;
    return [channel, { ...call, arguments: call.unfinished ? json : JSON.parse(json) }];
  });

const formatsFor = async (template: string): Promise<Formats> =>
  formatsOf(await fixtureText(`reference/templates/${template}.jinja`));

describe("answers of real formats", () => {
  it.each(SAMPLES)("$template: $answer", async ({ template, answer, wanted, options }) => {
    const formats = await formatsFor(template);
    const whole = parse(formats, [answer], { tools, ...options });
    expect(brief(whole)).toEqual(wanted);
    expect(parse(formats, Array.from(answer), { tools, ...options })).toEqual(whole);
    const cuts: number[] = [];
    for (let at = 1; at < answer.length; at++) {
      const halves = [answer.slice(0, at), answer.slice(at)];
      const same = JSON.stringify(parse(formats, halves, { tools, ...options }));
      if (same !== JSON.stringify(whole)) cuts.push(at);
    }
    expect(cuts).toEqual([]);
  });

  it.each(SAMPLES)("ended anywhere, $template gives the beginning: $answer", async (sample) => {
    const formats = await formatsFor(sample.template);
    const options = { tools, ...sample.options };
    const all = (pieces: readonly AnswerPiece[], wanted: string): string =>
      pieces.flatMap(({ channel, text }) => (channel === wanted ? [text] : [])).join("");
    const whole = parse(formats, [sample.answer], options);
    const calls = whole.flatMap(({ toolCall }) => toolCall ?? []);
    const wrong: unknown[] = [];
    for (let at = 0; at < sample.answer.length; at++) {
      const parser = new AnswerParser(formats, options);
      const pieces = merged([...parser.push(sample.answer.slice(0, at)), ...parser.end(true)]);
      // No mark and no part of a call is text.
      for (const channel of ["content", "reasoning"])
        if (!all(whole, channel).startsWith(all(pieces, channel).trimEnd()))
          wrong.push([at, channel, all(pieces, channel)]);
      for (const { toolCall } of pieces) {
        if (!toolCall) continue;
        const { arguments: json, unfinished, id, name } = toolCall;
        const one = calls[toolCall.index];
        const same = unfinished ? one.arguments.startsWith(json) : one.arguments === json;
        if (!same || name !== one.name || !(unfinished || id === one.id))
          wrong.push([at, toolCall]);
      }
    }
    expect(wrong).toEqual([]);
  });
});

const hermes = formatsOf("<think></think> <tool_call></tool_call>");
const text = (answer: string, options?: AnswerOptions): unknown[] =>
  brief(parse(hermes, Array.from(answer), { tools, ...options }));
const call = (name: string, json = "{}"): string =>
  `<tool_call>{"name": "${name}", "arguments": ${json}}</tool_call>`;

describe("what is no call", () => {
  it.each([
    "<tool_call>\n{broken\n</tool_call>",
    '<tool_call>\n{"no name": 1}\n</tool_call> and on',
    "Use <tool_call> to call.",
    "Use <tool_call> add or write </tool_call>.",
    "<tool_call>add</tool_call> adds, <tool_call> is the mark".replace(
      "add</tool_call>",
      "sum</tool_call>",
    ),
    '<tool_call>{"name": "ad',
    call("delete_all"),
    `Look: ${call("delete_all", '{"a": "</tool_call>"}')} and on`,
    '{"name": "add", "arguments": {"a": 1, "b": 2}}',
    '```json\n{"name": "add", "arguments": {}}\n```',
    "a < b <tool",
    "<<tool_call",
    "  spaced  out \n\n",
    "a <think> in the middle </think>",
    "ends with </tool_call>",
  ])("is content in full: %s", (answer) => {
    expect(text(answer)).toEqual([["content", answer]]);
    expect(brief(parse(hermes, [answer], { tools }))).toEqual([["content", answer]]);
  });
  it("does not hide the call behind it", () => {
    expect(text(`The <tool_call> mark: ${call("f")}`)).toEqual([
      ["content", "The <tool_call> mark:"],
      ["tool", { name: "f", arguments: {} }],
    ]);
    expect(text(`${call("delete_all")}\n${call("f")}`)).toEqual([
      ["content", call("delete_all")],
      ["tool", { name: "f", arguments: {} }],
    ]);
  });
  it("is everything, if there are no tools", async () => {
    for (const { template, answer, wanted, options } of SAMPLES) {
      const formats = await formatsFor(template);
      const pieces = parse(formats, [answer], { ...options, tools: undefined });
      expect(pieces.filter(({ channel }) => channel === "tool")).toEqual([]);
      // What stands before the first call is what it is with tools.
      const before = wanted.slice(
        0,
        wanted.findIndex(([channel]) => channel === "tool"),
      );
      before.forEach(([channel, said], i) => {
        expect(pieces[i].channel).toBe(channel);
        expect(pieces[i].text.startsWith(String(said))).toBe(true);
      });
    }
    expect(text(call("f"), { tools: [] })).toEqual([["content", call("f")]]);
  });
  it("is JSON that is no call of a tool, where calls are bare JSON", async () => {
    const llama = await formatsFor("meta-llama-Llama-3.1-8B-Instruct");
    for (const answer of [
      '{"name": "Alice", "age": 30}',
      '{"age": 30, "name": "add"}',
      '{"name": "add", "description": "adds two numbers"}',
      '{"a": {"name": "add"}}',
      "{",
      "{ braces } and more",
    ])
      for (const parts of [[answer], Array.from(answer)])
        expect(brief(parse(llama, parts, { tools }))).toEqual([["content", answer]]);
  });
});

describe("calls", () => {
  it("may hold any mark in their texts", () => {
    const marks = '</tool_call> <tool_call> </think> <think> {"} \\ ```';
    for (const [before, after] of [
      ["", ""],
      ["<think>hm</think>Well.", ""],
      ["", "Done."],
    ])
      expect(
        text(`${before}${call("f", JSON.stringify({ a: marks, [marks]: 1 }))}${after}`),
      ).toContainEqual(["tool", { name: "f", arguments: { a: marks, [marks]: 1 } }]);
  });
  it("keep all digits of a number", async () => {
    const digits = "123456789012345678901234567890";
    const xml = formatsOf("<tool_call> <function=");
    for (const [formats, answer] of [
      [hermes, call("f", `{"user": ${digits}}`)],
      [xml, `<tool_call><function=f><parameter=user>${digits}</parameter></function></tool_call>`],
      [formatsOf("<|tool_call_start|>"), `<|tool_call_start|>[f(user=${digits})]<|tool_call_end|>`],
    ] as const) {
      const [{ toolCall }] = parse(formats, [answer], { tools });
      expect(toolCall?.arguments.replace(" ", "")).toBe(`{"user":${digits}}`);
    }
  });
  it("follow each other in one block, with anything in common use between them", () => {
    const one = '{"name": "f", "arguments": {"a": "}{"}}';
    for (const between of ["", " ", "\n", ",", " ;\n"])
      for (const [open, close] of [
        ["", ""],
        ["[", "]"],
        ["```json\n", "\n```"],
      ]) {
        const block = `<tool_call>${open}${one}${between}${one}${close}</tool_call>`;
        const wanted = ["tool", { name: "f", arguments: { a: "}{" } }];
        expect(text(block)).toEqual([wanted, wanted]);
      }
  });
  it("may have a bracket too many", () => {
    for (const more of ["}", "]", "})"])
      expect(text(`<tool_call>{"name": "f", "arguments": {}}${more}</tool_call>Done.`)).toEqual([
        ["tool", { name: "f", arguments: {} }],
        ["content", "Done."],
      ]);
  });
  it("that the answer ends in are given as far as they came, and marked", () => {
    const unfinished = (json: string, id?: string): unknown => [
      "tool",
      { name: "f", ...(id && { id }), arguments: json, unfinished: true },
    ];
    for (const cut of [true, false]) {
      const read = (formats: Formats, answer: string): unknown[] => {
        const parser = new AnswerParser(formats, { tools });
        return brief(merged([...parser.push(answer), ...parser.end(cut)]));
      };
      expect(read(hermes, '<tool_call>{"name": "f"')).toEqual([unfinished("")]);
      expect(read(hermes, 'Hm.\n<tool_call>{"name": "f", "arguments": {"a": [1, "tw')).toEqual([
        ["content", "Hm."],
        unfinished('{"a": [1, "tw'),
      ]);
      const xml = formatsOf("<tool_call> <function=");
      expect(read(xml, "<tool_call><function=f><parameter=a>\nx\ny</para")[0]).toEqual(
        unfinished('{"a":'),
      );
      expect(
        read(formatsOf("[TOOL_CALLS]"), '[TOOL_CALLS]f[CALL_ID]abcdefgh1[ARGS]{"a": "'),
      ).toEqual([unfinished('{"a": "', "abcdefgh1")]);
    }
    // What may be the beginning of a mark or of a name is nothing yet.
    for (const begun of ["<tool_", "<tool_call>", '<tool_call>{"name": "ad', "<think"]) {
      const parser = new AnswerParser(hermes, { tools });
      expect(brief(merged([...parser.push(`Hm.${begun}`), ...parser.end(true)]))).toEqual([
        ["content", "Hm."],
      ]);
    }
  });
  it("that cannot be read any further are marked, and what follows them is read", () => {
    expect(
      text(`<tool_call>{"name": "f", "arguments": {"a": oops}}</tool_call>${call("g")}`),
    ).toEqual([
      ["tool", { name: "f", arguments: '{"a": ', unfinished: true }],
      ["tool", { name: "g", arguments: {} }],
    ]);
  });
  it("go on when a cut off answer goes on, in any cut", () => {
    const answer = `<think>hm</think>Well.${call("f", '{"a": "b"}')}${call("g")}Done.`;
    const whole = parse(hermes, [answer], { tools });
    for (let at = 0; at <= answer.length; at++) {
      const parser = new AnswerParser(hermes, { tools });
      const first = [...parser.push(answer.slice(0, at)), ...parser.end(true)];
      const rest = [...parser.push(answer.slice(at)), ...parser.end()];
      const all = [...first.filter(({ toolCall }) => !toolCall?.unfinished), ...rest];
      expect(brief(merged(all))).toEqual(brief(whole));
    }
  });
});

it("fences of code are content where calls stand in them as well", async () => {
  const source = await fixtureText(
    "reference/templates/CohereForAI-c4ai-command-r-plus-tool_use.jinja",
  );
  const code = "```json\n[1]\n```\nand\n```js\nx\n```";
  expect(brief(parse(formatsOf(source), [code], { tools }))).toEqual([["content", code]]);
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
  it("ends where a call begins, unless its own end comes after all", () => {
    expect(text(`<think>hm\n${call("f")}`)).toEqual([
      ["reasoning", "hm"],
      ["tool", { name: "f", arguments: {} }],
    ]);
    expect(text(`${call("f")}Done.`, inside)).toEqual([
      ["tool", { name: "f", arguments: {} }],
      ["content", "Done."],
    ]);
    expect(text(`<think>a ${call("f")} b</think>${call("g")}`)).toEqual([
      ["reasoning", `a ${call("f")} b`],
      ["tool", { name: "g", arguments: {} }],
    ]);
    // Reasoning about calls, with what nobody could call.
    for (const none of [call("f", "{…}"), '<tool_call>{"name": "f", "arguments": {...}} or so'])
      expect(text(`<think>a ${none} b</think>c`)).toEqual([
        ["reasoning", `a ${none} b`],
        ["content", "c"],
      ]);
    for (const none of [call("delete_all"), "<tool_call> is the mark", "<tool_call>"])
      expect(text(`<think>a ${none} b</think>c`)).toEqual([
        ["reasoning", `a ${none} b`],
        ["content", "c"],
      ]);
  });
  it("ends where the answer's own part begins, unless that is only written of", async () => {
    const of = async (template: string, answer: string): Promise<unknown[]> =>
      brief(parse(await formatsFor(template), Array.from(answer)));
    const kimi = "<|open|>think<|sep|>hm<|open|>response<|sep|>Well.<|close|>response<|sep|>";
    const wanted = [
      ["reasoning", "hm"],
      ["content", "Well."],
    ];
    expect(await of("Kimi-K3", kimi)).toEqual(wanted);
    const granite = "<think>a <response> b</think><response>Well.</response>";
    expect(await of("ibm-granite-granite-3.3-2B-Instruct", granite)).toEqual([
      ["reasoning", "a <response> b"],
      ["content", "Well."],
    ]);
    const cohere = "<|START_THINKING|>hm<|START_RESPONSE|>Well.<|END_RESPONSE|>";
    expect(await of("CohereForAI-c4ai-command-r7b-12-2024-tool_use", cohere)).toEqual(wanted);
  });
  it("may be what an answer goes on with, or content", () => {
    const go = (template: string, continues: "content" | "reasoning", answer: string): unknown[] =>
      brief(parse(formatsOf(template), Array.from(answer), { continues }));
    const wanted = [
      ["reasoning", " on"],
      ["content", "Well."],
    ];
    expect(go("<think></think>", "reasoning", " on</think>Well.")).toEqual(wanted);
    const harmony = "<|channel|>analysis<|message|>";
    const final = "<|end|><|start|>assistant<|channel|>final<|message|>Well.";
    expect(go(harmony, "reasoning", ` on${final}`)).toEqual(wanted);
    expect(go(harmony, "content", " on")).toEqual([["content", " on"]]);
    expect(go("<think></think>", "content", " on <think>")).toEqual([["content", " on <think>"]]);
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
    const [{ toolCall }] = parse(tags, [body], { tools: given });
    return toolCall && JSON.parse(toolCall.arguments).p;
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
    const value = "a\n\nb </parameter> c\n";
    for (const schema of [{ type: "string" }, {}]) expect(call(value, schema)).toBe(value);
  });
});

describe("special tokens", () => {
  it("are wanted where they are marks, or anywhere in a call", () => {
    const parser = new AnswerParser(formatsOf("<|tool_call_start|>"), { tools });
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
    const parser = new AnswerParser(formats, { tools });
    for (let at = 0; at < answer.length; at += 4) parser.push(answer.slice(at, at + 4));
    parser.end();
    return (performance.now() - start) / 1000;
  };
  const million = 300_000;
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
    ["marks of calls in a call's keys", `<tool_call>{"${'<tool_call>{\\"'.repeat(million / 14)}`],
    [
      "calls in reasoning",
      `<think>${'<tool_call>{"name": "f", "arguments": {}}</tool_call>'.repeat(million / 53)}`,
    ],
    ["deep JSON", `<tool_call>${"[".repeat(million)}</tool_call>`],
    ["deep literals", `<tool_call>${"{'a':".repeat(million / 5)}</tool_call>`],
  ])("stay linear: %s", (_, answer) => {
    expect(seconds(answer)).toBeLessThan(3);
  });
});
