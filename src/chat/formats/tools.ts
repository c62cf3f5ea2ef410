/** How models write tool calls between marks. */
import {
  deepseekParts,
  gemmaParts,
  jsonParts,
  keyedParts,
  mistralParts,
  namedParts,
  partsWithout,
  pythonParts,
  sectionParts,
} from "./call-parts.ts";
import { type Entry, HY3, hy3, marks } from "./entry.ts";
import { readCalls, readLiteral } from "./literal.ts";
import {
  cut,
  invokeTags,
  jsonCalls,
  keyedCalls,
  keyValueCall,
  namedArguments,
  readArguments,
  sections,
  splitValues,
  type Tags,
  taggedCalls,
} from "./parse.ts";
import { keyValueParts, taggedParts, toolCallParts } from "./tag-parts.ts";
import { GEMMA } from "./transcode.ts";
import type { AnswerFormat, MarkFormat, ParseCalls, Syntax } from "./types.ts";

const tool = (
  name: string,
  start: string,
  end: string,
  syntax: Syntax,
  more: Partial<MarkFormat> = {},
): MarkFormat => marks("tool", name, start, end, { syntax, ...more });

const json: Syntax = { parse: jsonCalls, parts: jsonParts() };
const tagged = (tags: Tags): Syntax => ({ parse: taggedCalls(tags), parts: taggedParts(tags) });

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

const functionTags = tagged({
  call: "<function=",
  callEnd: "</function>",
  parameter: "<parameter=",
  parameterEnd: () => "</parameter>",
  openEnd: ">",
});

/** What stands in `<tool_call>`: JSON (Hermes, Qwen), function tags (Qwen3-Coder) or keys and values (GLM). */
const toolCall: Syntax = {
  parse(body, types) {
    const text = body.trim();
    if (text.startsWith("<function=")) return functionTags.parse(text, types);
    return /^[[{`]/.test(text) ? jsonCalls(text, types) : keyValueCall()(text, types);
  },
  parts: toolCallParts(functionTags.parts),
};

/** MiniMax-M3: tags named after the parameters, each behind a separator. */
const minimaxSeparator = "]<]minimax[>[";
const minimaxTags = tagged({
  call: '<invoke name="',
  callEnd: "</invoke>",
  parameter: "<",
  parameterEnd: (name) => `</${name}>`,
  openEnd: ">",
});

const kimiTags = tagged({
  call: '<|open|>call tool="',
  callEnd: "<|close|>call<|sep|>",
  parameter: '<|open|>argument key="',
  parameterEnd: () => "<|close|>argument<|sep|>",
  openEnd: "<|sep|>",
});

/** `name SEPARATOR {…}`. */
const named = (...of: Parameters<typeof namedArguments>): Syntax => ({
  parse: namedArguments(...of),
  parts: namedParts(...of),
});

/** Calls between marks of their own. */
const inSections = (begin: string, end: string, one: Syntax): Syntax => ({
  parse: sections(begin, end, one.parse),
  parts: sectionParts(begin, end, one.parts),
});

/** Kimi-K2: `functions.NAME:INDEX`, which is also the call's id. */
const kimiCall = named("<|tool_call_argument_begin|>", (head) => ({
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
const solarCall = named("<|tool_call:args|>", (head) => {
  const [id, name = ""] = cut(head, "<|tool_call:name|>");
  return { name, id };
});

/** Llama's built-in tools: JSON, or `NAME.call(key="value")`. */
const pythonTag: ParseCalls = (body, types) =>
  jsonCalls(body, types) ??
  readCalls(body.trim())?.map((call) => ({ ...call, name: builtIn(call.name) }));
const builtIn = (name: string): string => name.replace(/\.call$/, "");

const gemmaCall: ParseCalls = (body) => {
  const [, name, args] = /^\s*call:([\w.-]+)(\{.*)$/s.exec(body) ?? [];
  const read = args === undefined ? undefined : readArguments(readLiteral(args, GEMMA));
  return read && [{ name, arguments: read }];
};

/** Tool calls. */
export const TOOLS: readonly Entry[] = [
  { format: tool("tool_call", "<tool_call>", "</tool_call>", toolCall) },
  {
    format: tool("function", "<function=", "</function>", functionTags, { inclusive: true }),
  },
  {
    format: tool(
      "function name",
      '<function name="',
      "</function>",
      tagged({
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
  {
    format: tool("minimax", "<minimax:tool_call>", "</minimax:tool_call>", tagged(invokeTags(""))),
  },
  {
    format: tool(
      "minimax m3",
      `${minimaxSeparator}<tool_call>`,
      `${minimaxSeparator}</tool_call>`,
      {
        parse: (body, types) => minimaxTags.parse(body.replaceAll(minimaxSeparator, ""), types),
        parts: partsWithout(minimaxSeparator, minimaxTags.parts),
      },
    ),
    shown: [minimaxSeparator],
  },
  ...["function_calls", "tool_calls"].map((name) => ({
    format: tool(name, `<｜DSML｜${name}>`, `</｜DSML｜${name}>`, tagged(invokeTags("｜DSML｜"))),
    shown: ["｜DSML｜"],
  })),
  { format: tool("tool_calls", "<tool_calls>", "</tool_calls>", json) },
  { format: tool("nemotron", "<TOOLCALL>", "</TOOLCALL>", json) },
  { format: tool("command action", "<|START_ACTION|>", "<|END_ACTION|>", json) },
  ...["Action:\n```json", "Action: ```json"].map((start) => ({
    format: tool("command r+", start, "```", json),
    shown: ["Action:\\n```json"],
  })),
  {
    format: tool("apertus", "<|tools_prefix|>", "<|tools_suffix|>", {
      parse: keyedCalls,
      parts: keyedParts,
    }),
  },
  {
    format: tool(
      "kimi",
      "<|tool_calls_section_begin|>",
      "<|tool_calls_section_end|>",
      inSections("<|tool_call_begin|>", "<|tool_call_end|>", kimiCall),
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
      inSections("<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", {
        parse: deepseekCall,
        parts: deepseekParts,
      }),
    ),
  },
  {
    format: tool("lfm2", "<|tool_call_start|>", "<|tool_call_end|>", {
      parse: (body, types) => readCalls(body) ?? jsonCalls(body, types),
      parts: pythonParts(),
    }),
    shown: ["<|tool_call_start|>", "<|tool_list_start|>", "List of tools: ["],
  },
  {
    format: tool(
      "solar",
      "<|tool_calls|>",
      "<|calls|>",
      inSections("<|tool_call:begin|>", "<|tool_call:end|>", solarCall),
    ),
  },
  {
    format: tool("gemma", "<|tool_call>", "<tool_call|>", { parse: gemmaCall, parts: gemmaParts }),
  },
  {
    format: tool("granite", "<|tool_call|>", "", json, { plausible: beginsWith("[{`") }),
  },
  { format: tool("mistral", "[TOOL_CALLS]", "", { parse: mistralCalls, parts: mistralParts }) },
  { format: tool("gigachat", "<|function_call|>", "", json) },
  {
    format: tool("gigachat 3", "<|message_sep|>\n\nfunction call<|role_sep|>\n", "", json),
    shown: ["'function call'"],
  },
  {
    format: tool(
      "firefunction",
      "functools[",
      "",
      {
        parse: (body, types) => jsonCalls(body.slice("functools".length), types),
        *parts(input, sink, types) {
          yield* input.expect("functools");
          yield* json.parts(input, sink, types);
        },
      },
      { inclusive: true },
    ),
  },
  {
    format: tool("python tag", "<|python_tag|>", "", {
      parse: pythonTag,
      parts: pythonParts(builtIn),
    }),
  },
  {
    format: tool(
      "bare JSON",
      "{",
      "",
      {
        parse: (body, types) =>
          splitValues(body) === undefined ? undefined : jsonCalls(body, types),
        parts: json.parts,
      },
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
      inSections(`<tool_call${HY3}>`, `</tool_call${HY3}>`, {
        parse: keyValueCall(HY3),
        parts: keyValueParts(HY3),
      }),
    ),
  ),
];

/** `<tool_call>` of templates that write JSON or function tags in it can be told from prose early. */
export function narrowed(format: AnswerFormat, templateSource: string): AnswerFormat {
  if (format.kind === "headers" || format.syntax !== toolCall) return format;
  if (/<arg_key>|arg_key_/.test(templateSource)) return format;
  return { ...format, plausible: beginsWith("{[<`") };
}
