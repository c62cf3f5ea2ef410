/** Tool calls in parts, while they are written: the parts of a call are the call, however its text is cut. */
import { describe, expect, it } from "vitest";
import { Incoming, type Reading } from "../../src/chat/formats/incoming.ts";
import { type AnswerOptions, AnswerParser, formatsOf } from "../../src/chat/formats/index.ts";
import { asJson } from "../../src/chat/formats/literal.ts";
import { GEMMA, PYTHON, transcode } from "../../src/chat/formats/transcode.ts";
import type { AnswerPiece, CallPart } from "../../src/chat/formats/types.ts";
import { fixtureText } from "../fixture.ts";
import { SAMPLES, tools } from "./answer-samples.ts";

/** Numbers from 0 to below n, the same ones in each run. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

function cut(text: string, below: (n: number) => number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const length = 1 + below(below(3) === 0 ? 40 : 4);
    parts.push(text.slice(at, at + length));
    at += length;
  }
  return parts;
}

type Formats = ReturnType<typeof formatsOf>;

function read(formats: Formats, parts: readonly string[], options?: AnswerOptions): AnswerPiece[] {
  const parser = new AnswerParser(formats, { tools, ...options });
  return [...parts.flatMap((part) => parser.push(part)), ...parser.end()];
}

const partsOf = (pieces: readonly AnswerPiece[], index: number): CallPart[] =>
  pieces.flatMap(({ part }) => (part?.index === index ? [part] : []));
const joined = (parts: readonly CallPart[]): string => parts.map((part) => part.arguments).join("");

const hermes = formatsOf("<tool_call></tool_call>");
const call = (body: string): string => `<tool_call>${body}</tool_call>`;

const withCalls = SAMPLES.filter(({ wanted }) => wanted.some(([channel]) => channel === "tool"));

describe("the parts of a call", () => {
  it.each(withCalls)("are the call in any cut: $template: $answer", async (sample) => {
    const formats = formatsOf(await fixtureText(`reference/templates/${sample.template}.jinja`));
    const wanted = sample.wanted.filter(([channel]) => channel === "tool");
    const below = random(7);
    for (let run = 0; run < 12; run++) {
      const text = run === 0 ? Array.from(sample.answer) : cut(sample.answer, below);
      const pieces = read(formats, text, sample.options);
      const calls = pieces.flatMap(({ toolCall }) => (toolCall ? [toolCall] : []));
      expect(calls.length).toBe(wanted.length);
      calls.forEach((one, i) => {
        expect(one.index).toBe(i);
        const parts = partsOf(pieces, i);
        expect(joined(parts)).toBe(one.arguments);
        expect(one.unfinished).toBe(undefined);
        expect(parts[0].name).toBe(one.name);
        expect(parts.slice(1).every(({ name }) => name === undefined)).toBe(true);
        // One of the parts names the id, or says that the model wrote none.
        const ids = parts.flatMap(({ id }) => (id === undefined ? [] : [id]));
        expect(ids).toEqual([one.id ?? null]);
        const last = pieces.findLastIndex(({ part }) => part?.index === i);
        expect(last).toBeLessThan(pieces.findIndex(({ toolCall }) => toolCall === one));
      });
    }
  });

  it.each(withCalls)("come while it is written: $template: $answer", async (sample) => {
    const formats = formatsOf(await fixtureText(`reference/templates/${sample.template}.jinja`));
    const pieces = read(formats, Array.from(sample.answer), sample.options);
    const json = /\{ ?["']\w+["'] ?: ?/.test(sample.answer);
    const first = partsOf(pieces, 0).filter((part) => part.arguments !== "");
    // JSON comes as it is written; of parameters in tags each one.
    expect(first.length).toBeGreaterThanOrEqual(json ? 8 : 2);
  });

  it("begin before the call ends, with name and arguments so far", () => {
    const parser = new AnswerParser(hermes, { tools });
    const begun = parser.push('<tool_call>\n{"name": "write", "arguments": {"text": "Once upon');
    expect(begun.map(({ part }) => part)).toEqual([
      { index: 0, name: "write", id: null, arguments: '{"text": "Once upon' },
    ]);
    expect(parser.push(" a time")[0].part).toEqual({ index: 0, arguments: " a time" });
  });

  it.each([
    ["<tool_call> <function=", "<function=f><parameter=p>a </parameter> b</parameter></function>"],
    [
      "<tool_call> <arg_key>",
      "f<arg_key>p</arg_key><arg_value>a </arg_value> b</arg_value><arg_key>q</arg_key><arg_value>1</arg_value>",
    ],
  ])("keep end tags that do not end a parameter: %s", (template, body) => {
    const pieces = read(formatsOf(template), Array.from(call(body)));
    const whole = pieces.find(({ toolCall }) => toolCall)?.toolCall;
    expect(JSON.parse(whole?.arguments ?? "").p).toMatch(/^a .* b$/);
    expect(joined(partsOf(pieces, 0))).toBe(whole?.arguments);
  });

  it("wait for the name where the arguments come first", () => {
    const text = call('{"arguments": {"a": [1, {"b": "}"}]}, "name": "f"}');
    const pieces = read(hermes, Array.from(text));
    expect(joined(partsOf(pieces, 0))).toBe('{"a": [1, {"b": "}"}]}');
    expect(partsOf(pieces, 0)[0].name).toBe("f");
  });

  it("are the whole call where it was not certain before its end", () => {
    for (const body of ['{"name": "f"}', '{"name": "f", "arguments": "{\\"a\\": 1}"}']) {
      const pieces = read(hermes, Array.from(call(body)));
      const whole = pieces.find(({ toolCall }) => toolCall)?.toolCall;
      expect(joined(partsOf(pieces, 0))).toBe(whole?.arguments);
      expect(JSON.parse(whole?.arguments ?? "")).toBeTypeOf("object");
    }
  });
  it("give a text parameter in tags while it is written", () => {
    const given = [
      {
        type: "function",
        function: { name: "write", parameters: { properties: { text: { type: "string" } } } },
      },
    ] as const;
    const parser = new AnswerParser(formatsOf("<tool_call> <function="), { tools: given });
    parser.push("<tool_call>\n<function=write>\n<parameter=text>\n");
    expect(parser.push("Once upon\n")[0].part?.arguments).toBe("Once upon");
    expect(parser.push(" a time")[0].part?.arguments).toBe("\\n a time");
  });

  it("of a call that breaks off stay a call, and its number is not used again", () => {
    const broken = call('{"name": "f", "arguments": {"a": oops}}');
    const good = call('{"name": "g", "arguments": {}}');
    const pieces = read(hermes, Array.from(`${broken}${good}`));
    expect(joined(partsOf(pieces, 0))).toBe('{"a": ');
    expect(pieces.flatMap(({ toolCall }) => toolCall ?? [])).toEqual([
      { index: 0, name: "f", arguments: '{"a": ', unfinished: true },
      { index: 1, name: "g", arguments: "{}" },
    ]);
  });
});

/** Text in, JSON out. */
function rewritten(text: string, parts: readonly string[], notation = PYTHON): string {
  const input = new Incoming();
  let out = "";
  const reading: Reading = transcode(
    input,
    (json) => {
      out += json;
    },
    notation,
  );
  for (const part of [...parts, " "]) {
    input.push(part);
    if (reading.next().done) return out;
  }
  throw new Error(`no end of ${text}`);
}

describe("values as JSON while they are written", () => {
  const below = random(3);
  const strings = [
    "",
    "a",
    'q"uote',
    "it's",
    "back\\slash",
    "line\nfeed",
    "é€😀",
    "\u0001",
    "{[,]}",
  ];
  const value = (depth: number): unknown => {
    const kind = below(depth > 3 ? 4 : 6);
    if (kind === 0) return strings[below(strings.length)];
    if (kind === 1) return [0, -1, 1.5, 1e-7, 123456789][below(5)];
    if (kind === 2) return [true, false][below(2)];
    if (kind === 3) return null;
    const items = Array.from({ length: below(4) }, () => value(depth + 1));
    return kind === 4 ? items : Object.fromEntries(items.map((item, i) => [`k${i}`, item]));
  };

  it("are JSON's own text where they are JSON, in any cut", () => {
    for (let run = 0; run < 200; run++) {
      const text = JSON.stringify(value(0), null, below(3));
      expect(rewritten(text, cut(text, below))).toBe(text);
    }
  });

  const python = (one: unknown): string => {
    if (typeof one === "string")
      return `'${one.replace(/[\\'\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}'`;
    if (one === null) return "None";
    if (typeof one === "boolean") return one ? "True" : "False";
    if (Array.isArray(one)) return `(${one.map((item) => `${python(item)}, `).join("")})`;
    if (typeof one !== "object") return String(one);
    return `{${Object.entries(one).map(([k, v]) => `${python(k)} : ${python(v)}`)}}`;
  };
  it("are what a Python literal says", () => {
    for (let run = 0; run < 200; run++) {
      const one = value(0);
      const text = python(one);
      expect(JSON.parse(asJson(text) ?? "")).toEqual(one);
      expect(JSON.parse(rewritten(text, cut(text, below)))).toEqual(one);
    }
  });

  it.each([
    ["'\\x41\\u00e9\\U0001F600\\0\\a\\''", PYTHON, "Aé😀\0a'"],
    ["([ ] , ( ), { },)", PYTHON, [[], [], {}]],
    ["[+1, .5, 1., 01, 1e3,]", PYTHON, [1, 0.5, 1, 1, 1000]],
    ["{1: 2, True: None, 'a': 3}", PYTHON, { 1: 2, true: null, a: 3 }],
    ['{a b:<|"|>x\\"y\n<|"|>, c:[1,{d:"e"}]}', GEMMA, { "a b": 'x\\"y\n', c: [1, { d: "e" }] }],
  ] as const)("are values in other notations: %s", (text, notation, wanted) => {
    for (const parts of [[text], Array.from(text)])
      expect(JSON.parse(rewritten(text, parts, notation))).toEqual(wanted);
  });

  it("may be nested deeply", () => {
    const deep = `${'[{"a":'.repeat(5000)}1${"}]".repeat(5000)}`;
    expect(rewritten(deep, cut(deep, below))).toBe(deep);
  });

  it.each(["oops", "{[1]: 2}", "[1 2]", "'\\xzz'", '{"a" 1}', "-"])("stop at %s", (text) => {
    expect(() => rewritten(text, [text])).toThrow();
  });
});
