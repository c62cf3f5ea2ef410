/**
 * How models write reasoning and tool calls, and which of these a chat template shows. A format is a
 * start mark, an end mark and a parse function; a few families put headers before messages instead.
 */
import { GEMMA, readCalls, readLiteral } from "./formats-literal.ts";
import {
  cut,
  jsonCalls,
  keyedCalls,
  keyValueCall,
  namedArguments,
  readArguments,
  sections,
  splitValues,
  taggedCalls,
} from "./formats-parse.ts";

export { type AnswerOptions, AnswerParser } from "./formats-answer.ts";
export type { AnswerChannel, AnswerFormat, AnswerPiece, ParsedToolCall } from "./formats-types.ts";

import type {
  AnswerChannel,
  AnswerFormat,
  HeaderFormat,
  MarkFormat,
  ParseCalls,
} from "./formats-types.ts";

/** A format, and how a template shows that its model writes it. */
interface Entry {
  readonly format: AnswerFormat;
  /** Texts of which the template has one. @default the start mark */
  readonly shown?: readonly string[];
}

const marks = (
  channel: AnswerChannel,
  name: string,
  start: string,
  end: string,
  more: Partial<MarkFormat> = {},
): MarkFormat => ({ kind: "marks", name, channel, start, end, ...more });

const reasoning = (name: string, start: string, end: string): MarkFormat =>
  marks("reasoning", name, start, end, { first: true });

const tool = (
  name: string,
  start: string,
  end: string,
  parse: ParseCalls,
  more: Partial<MarkFormat> = {},
): MarkFormat => marks("tool", name, start, end, { parse, ...more });

/** A mark that is dropped. */
const silent = (start: string): Entry => ({ format: marks("content", start, start, "") });

/** Blocks that can only begin with one of these characters, after white space. */
const beginsWith =
  (characters: string) =>
  (body: string): boolean => {
    const first = body.trimStart()[0];
    return first === undefined || characters.includes(first);
  };

/** Blocks that, spaces aside, can only begin with one of these texts. */
const beginsLike =
  (...beginnings: readonly string[]) =>
  (body: string): boolean => {
    const begun = body.slice(0, 200).replace(/\s/g, "");
    return beginnings.some((one) => one.startsWith(begun) || begun.startsWith(one));
  };

const functionTags = taggedCalls({
  call: "<function=",
  callEnd: "</function>",
  parameter: "<parameter=",
  parameterEnd: () => "</parameter>",
  openEnd: ">",
});

/** `invoke` and `parameter` tags under a prefix. */
const invokeTags = (prefix: string): ParseCalls =>
  taggedCalls({
    call: `<${prefix}invoke name="`,
    callEnd: `</${prefix}invoke>`,
    parameter: `<${prefix}parameter name="`,
    parameterEnd: () => `</${prefix}parameter>`,
    openEnd: ">",
  });

/** What stands in `<tool_call>`: JSON (Hermes, Qwen), function tags (Qwen3-Coder) or keys and values (GLM). */
const toolCall: ParseCalls = (body, types) => {
  const text = body.trim();
  if (text.startsWith("<function=")) return functionTags(text, types);
  return /^[[{`]/.test(text) ? jsonCalls(text, types) : keyValueCall()(text, types);
};

/** MiniMax-M3: tags named after the parameters, each behind a separator. */
const minimaxSeparator = "]<]minimax[>[";
const minimaxTags = taggedCalls({
  call: '<invoke name="',
  callEnd: "</invoke>",
  parameter: "<",
  parameterEnd: (name) => `</${name}>`,
  openEnd: ">",
});

const kimiTags = taggedCalls({
  call: '<|open|>call tool="',
  callEnd: "<|close|>call<|sep|>",
  parameter: '<|open|>argument key="',
  parameterEnd: () => "<|close|>argument<|sep|>",
  openEnd: "<|sep|>",
});

/** Kimi-K2: `functions.NAME:INDEX`, which is also the call's id. */
const kimiCall = namedArguments("<|tool_call_argument_begin|>", (head) => ({
  name: head.replace(/^functions\./, "").replace(/:\d+$/, ""),
  id: head,
}));

/** DeepSeek: `NAME SEPARATOR {…}`, or `function SEPARATOR NAME` with the arguments in a fence. */
const deepseekCall: ParseCalls = (body, types) => {
  const [head, rest = ""] = cut(body, "<｜tool▁sep｜>");
  const [name, fenced] = cut(rest, "```json");
  if (fenced === undefined)
    return namedArguments("<｜tool▁sep｜>", (text) => ({ name: text }))(body, types);
  if (head.trim() !== "function") return undefined;
  const args = readArguments(cut(fenced, "```")[0]);
  return args && [{ name: name.trim(), arguments: args }];
};

/** Mistral: a JSON list, or `NAME[ARGS]{…}` with `[TOOL_CALLS]` between calls. */
const mistralCalls: ParseCalls = (body, types) => {
  if (!body.includes("[ARGS]")) return jsonCalls(body, types);
  const one = namedArguments("[ARGS]", (head) => {
    const [name, id] = cut(head, "[CALL_ID]");
    return { name: name.trim(), id };
  });
  return sections("[TOOL_CALLS]", "[TOOL_CALLS]", one)(`[TOOL_CALLS]${body}`, types);
};

/** Solar: an id, a name and arguments between marks. */
const solarCall = namedArguments("<|tool_call:args|>", (head) => {
  const [id, name = ""] = cut(head, "<|tool_call:name|>");
  return { name, id };
});

/** Llama's built-in tools: JSON, or `NAME.call(key="value")`. */
const pythonTag: ParseCalls = (body, types) =>
  jsonCalls(body, types) ??
  readCalls(body.trim())?.map((call) => ({ ...call, name: call.name.replace(/\.call$/, "") }));

const gemmaCall: ParseCalls = (body) => {
  const [, name, args] = /^\s*call:([\w.-]+)(\{.*)$/s.exec(body) ?? [];
  const read = args === undefined ? undefined : readArguments(readLiteral(args, GEMMA));
  return read && [{ name, arguments: read }];
};

/** GPT-OSS: channels analysis, commentary and final; calls are addressed to `functions.NAME`. */
const harmony: HeaderFormat = {
  kind: "headers",
  name: "harmony",
  begins: ["<|start|>", "<|channel|>"],
  headerEnd: "<|message|>",
  ends: ["<|end|>", "<|return|>", "<|call|>"],
  read(header) {
    const to = /to=([\w.-]+)/.exec(header)?.[1];
    if (to !== undefined && to !== "user")
      return { channel: "tool", tool: to.replace(/^functions\./, "") };
    return { channel: /analysis/.test(header) ? "reasoning" : "content" };
  },
  parse: (body, name) => {
    const args = readArguments(body);
    return args && [{ name, arguments: args }];
  },
};

/** Functionary 3.2: `>>>all` for text, `>>>NAME` with arguments for calls. */
const functionary: HeaderFormat = {
  ...harmony,
  name: "functionary",
  begins: [">>>"],
  headerEnd: "\n",
  ends: [],
  read(header) {
    const to = header.replace(/^>>>/, "").trim();
    return to === "all" ? { channel: "content" } : { channel: "tool", tool: to };
  },
};

/** Muse: `to=self` is reasoning, other recipients get tagged calls. */
const muse: HeaderFormat = {
  ...harmony,
  name: "muse",
  begins: ["<|start|>"],
  ends: ["<|eom|>", "<|eot|>"],
  read(header) {
    const to = /to=([\w.-]+)/.exec(header)?.[1];
    if (to === undefined || to === "user") return { channel: "content" };
    return to === "self" ? { channel: "reasoning" } : { channel: "tool", tool: to };
  },
  parse: (body, _, types) => {
    const [before, inside] = cut(body, "<atem:function_calls>");
    if (before.trim() !== "" || inside === undefined) return undefined;
    return invokeTags("atem:")(cut(inside, "</atem:function_calls>")[0], types);
  },
};

/** Hy3 builds its marks from pieces, so that only these can be looked for. */
const HY3 = ":opensource";
const hy3 = (format: MarkFormat): Entry => ({ format, shown: ["<tool_calls{}>"] });

const ENTRIES: readonly Entry[] = [
  { format: harmony, shown: ["<|channel|>analysis<|message|>"] },
  { format: functionary, shown: [">>>all"] },
  { format: muse, shown: ["<atem:function_calls>"] },

  { format: reasoning("think", "<think>", "</think>"), shown: ["<think>", "</think>"] },
  { format: reasoning("seed think", "<seed:think>", "</seed:think>") },
  { format: reasoning("minimax think", "<mm:think>", "</mm:think>") },
  { format: reasoning("mistral think", "[THINK]", "[/THINK]") },
  { format: reasoning("command think", "<|START_THINKING|>", "<|END_THINKING|>") },
  { format: reasoning("apertus think", "<|inner_prefix|>", "<|inner_suffix|>") },
  {
    format: reasoning("gemma thought", "<|channel>thought\n", "<channel|>"),
    shown: ["<|channel>thought"],
  },
  { format: reasoning("solar think", "<|think|>", "<|end|>"), shown: ["assistant<|think|>"] },
  {
    format: reasoning("kimi think", "<|open|>think<|sep|>", "<|close|>think<|sep|>"),
    shown: ["<|open|>"],
  },
  {
    format: reasoning("apriel steps", "Here are my reasoning steps:\n", "[BEGIN FINAL RESPONSE]"),
    shown: ["[BEGIN FINAL RESPONSE]"],
  },
  hy3(reasoning("hy think", `<think${HY3}>`, `</think${HY3}>`)),

  ...[
    "[BEGIN FINAL RESPONSE]",
    "[END FINAL RESPONSE]",
    "<|START_RESPONSE|>",
    "<|END_RESPONSE|>",
  ].map(silent),
  ...["<|START_TEXT|>", "<|END_TEXT|>"].map(silent),
  ...["<response>", "</response>"].map((mark) => ({
    ...silent(mark),
    shown: ["<response></response>"],
  })),
  ...["<|begin|>assistant", "<|content|>", "<|end|>"].map((mark) => ({
    ...silent(mark),
    shown: ["assistant<|think|>"],
  })),
  ...["<|open|>response<|sep|>", "<|close|>response<|sep|>", "<|close|>message<|sep|>"].map(
    (mark) => ({ ...silent(mark), shown: ["<|open|>"] }),
  ),

  { format: tool("tool_call", "<tool_call>", "</tool_call>", toolCall) },
  {
    format: tool("function", "<function=", "</function>", functionTags, { inclusive: true }),
  },
  {
    format: tool(
      "function name",
      '<function name="',
      "</function>",
      taggedCalls({
        call: '<function name="',
        callEnd: "</function>",
        parameter: '<param name="',
        parameterEnd: () => "</param>",
        openEnd: ">",
      }),
      { inclusive: true },
    ),
  },
  { format: tool("seed", "<seed:tool_call>", "</seed:tool_call>", functionTags) },
  { format: tool("minimax", "<minimax:tool_call>", "</minimax:tool_call>", invokeTags("")) },
  {
    format: tool(
      "minimax m3",
      `${minimaxSeparator}<tool_call>`,
      `${minimaxSeparator}</tool_call>`,
      (body, types) => minimaxTags(body.replaceAll(minimaxSeparator, ""), types),
    ),
    shown: [minimaxSeparator],
  },
  ...["function_calls", "tool_calls"].map((name) => ({
    format: tool(name, `<｜DSML｜${name}>`, `</｜DSML｜${name}>`, invokeTags("｜DSML｜")),
    shown: ["｜DSML｜"],
  })),
  { format: tool("tool_calls", "<tool_calls>", "</tool_calls>", jsonCalls) },
  { format: tool("nemotron", "<TOOLCALL>", "</TOOLCALL>", jsonCalls) },
  { format: tool("command action", "<|START_ACTION|>", "<|END_ACTION|>", jsonCalls) },
  ...["Action:\n```json", "Action: ```json"].map((start) => ({
    format: tool("command r+", start, "```", jsonCalls),
    shown: ["Action:\\n```json"],
  })),
  { format: tool("apertus", "<|tools_prefix|>", "<|tools_suffix|>", keyedCalls) },
  {
    format: tool(
      "kimi",
      "<|tool_calls_section_begin|>",
      "<|tool_calls_section_end|>",
      sections("<|tool_call_begin|>", "<|tool_call_end|>", kimiCall),
    ),
  },
  {
    format: tool("kimi k3", "<|open|>tools<|sep|>", "<|close|>tools<|sep|>", kimiTags),
    shown: ["<|open|>"],
  },
  {
    format: tool(
      "deepseek",
      "<｜tool▁calls▁begin｜>",
      "<｜tool▁calls▁end｜>",
      sections("<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", deepseekCall),
    ),
  },
  {
    format: tool(
      "lfm2",
      "<|tool_call_start|>",
      "<|tool_call_end|>",
      (body, types) => readCalls(body) ?? jsonCalls(body, types),
    ),
    shown: ["<|tool_call_start|>", "<|tool_list_start|>", "List of tools: ["],
  },
  {
    format: tool(
      "solar",
      "<|tool_calls|>",
      "<|calls|>",
      sections("<|tool_call:begin|>", "<|tool_call:end|>", solarCall),
    ),
  },
  { format: tool("gemma", "<|tool_call>", "<tool_call|>", gemmaCall) },
  {
    format: tool("granite", "<|tool_call|>", "", jsonCalls, { plausible: beginsWith("[{`") }),
  },
  { format: tool("mistral", "[TOOL_CALLS]", "", mistralCalls) },
  { format: tool("gigachat", "<|function_call|>", "", jsonCalls) },
  {
    format: tool("gigachat 3", "<|message_sep|>\n\nfunction call<|role_sep|>\n", "", jsonCalls),
    shown: ["'function call'"],
  },
  {
    format: tool(
      "firefunction",
      "functools[",
      "",
      (body, types) => jsonCalls(body.slice("functools".length), types),
      { inclusive: true },
    ),
  },
  { format: tool("python tag", "<|python_tag|>", "", pythonTag) },
  {
    format: tool(
      "bare JSON",
      "{",
      "",
      (body, types) => (splitValues(body) === undefined ? undefined : jsonCalls(body, types)),
      {
        inclusive: true,
        first: true,
        plausible: beginsLike('{"name":"', '{"type":"function","'),
      },
    ),
    shown: ['{"name": function name, "parameters"'],
  },
  hy3(
    tool(
      "hy3",
      `<tool_calls${HY3}>`,
      `</tool_calls${HY3}>`,
      sections(`<tool_call${HY3}>`, `</tool_call${HY3}>`, keyValueCall(HY3)),
    ),
  ),
];

/** The formats that a template's text shows. */
export function formatsOf(templateSource: string): AnswerFormat[] {
  const all = ENTRIES.filter(({ format, shown }) =>
    (shown ?? (format.kind === "marks" ? [format.start] : [])).some((text) =>
      templateSource.includes(text),
    ),
  ).map(({ format }) => narrowed(format, templateSource));
  // Headers say what everything is; marks inside messages would only be in the way.
  const headers = all.find((format) => format.kind === "headers");
  return headers ? [headers] : all;
}

/** `<tool_call>` of templates that write JSON or function tags in it can be told from prose early. */
function narrowed(format: AnswerFormat, templateSource: string): AnswerFormat {
  if (format.kind === "headers" || format.parse !== toolCall) return format;
  if (/<arg_key>|arg_key_/.test(templateSource)) return format;
  return { ...format, plausible: beginsWith("{[<`") };
}

/** True if a prompt ends inside reasoning, so that the answer goes on there. */
export function startsInReasoning(prompt: string, formats: readonly AnswerFormat[]): boolean {
  const end = prompt.trimEnd();
  return formats.some(
    (format) =>
      format.kind === "marks" &&
      format.channel === "reasoning" &&
      end.endsWith(format.start.trimEnd()),
  );
}
