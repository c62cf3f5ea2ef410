/** How models write tool calls between marks. */
import {
  deepseekCall,
  either,
  fields,
  jsonCalls,
  mistralCalls,
  pythonOrJson,
  sections,
} from "./calls.ts";
import { type Entry, HY3, hy3, marks } from "./entry.ts";
import { invokeTags, keysAndValues, MINIMAX, minimaxTags, type Tags, tagged } from "./tags.ts";
import { GEMMA } from "./transcode.ts";
import type { MarkFormat, ReadCalls } from "./types.ts";

const tool = (
  name: string,
  start: string,
  end: string,
  read: ReadCalls,
  more: Partial<MarkFormat> = {},
): MarkFormat => marks("tool", name, start, end, { read, endsReasoning: end !== "", ...more });

const json = jsonCalls();

const functionTags = tagged({
  call: "<function=",
  callEnd: "</function>",
  parameter: "<parameter=",
  parameterEnd: () => "</parameter>",
  openEnd: ">",
});

/** What stands in `<tool_call>`: JSON (Hermes, Qwen), function tags (Qwen3-Coder) or keys and values (GLM). */
const toolCall = either(
  ["<function="],
  functionTags,
  either(["[", "{", "`"], json, keysAndValues()),
);

const namedTags: Tags = {
  call: '<function name="',
  callEnd: "</function>",
  parameter: '<param name="',
  parameterEnd: () => "</param>",
  openEnd: ">",
};

const kimiTags: Tags = {
  call: '<|open|>call tool="',
  callEnd: "<|close|>call<|sep|>",
  parameter: '<|open|>argument key="',
  parameterEnd: () => "<|close|>argument<|sep|>",
  openEnd: "<|sep|>",
};

const kimiCalls = sections(
  "<|tool_call_begin|>",
  "<|tool_call_end|>",
  fields("{id}<|tool_call_argument_begin|>{args}"),
);

const deepseekCalls = sections("<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", deepseekCall);

/** Tool calls. */
export const TOOLS: readonly Entry[] = [
  { format: tool("tool_call", "<tool_call>", "</tool_call>", toolCall) },
  { format: tool("function", "<function=", "", functionTags, { inclusive: true }) },
  { format: tool("function name", namedTags.call, "", tagged(namedTags), { inclusive: true }) },
  { format: tool("seed", "<seed:tool_call>", "</seed:tool_call>", functionTags) },
  {
    format: tool("minimax", "<minimax:tool_call>", "</minimax:tool_call>", tagged(invokeTags(""))),
  },
  {
    format: tool(
      "minimax m3",
      `${MINIMAX}<tool_call>`,
      `${MINIMAX}</tool_call>`,
      tagged(minimaxTags),
    ),
    shown: [MINIMAX],
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
  { format: tool("apertus", "<|tools_prefix|>", "<|tools_suffix|>", json) },
  {
    format: tool("kimi", "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", kimiCalls),
  },
  {
    format: tool("kimi", "<|tool_call_begin|>", "<|tool_calls_section_end|>", kimiCalls, {
      inclusive: true,
    }),
  },
  {
    format: tool("kimi k3", "<|open|>tools<|sep|>", "<|close|>tools<|sep|>", tagged(kimiTags)),
    shown: ["<|open|>"],
  },
  {
    format: tool("deepseek", "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", deepseekCalls),
  },
  {
    format: tool("lfm2", "<|tool_call_start|>", "<|tool_call_end|>", pythonOrJson()),
    shown: ["<|tool_call_start|>", "<|tool_list_start|>", "List of tools: ["],
  },
  {
    format: tool(
      "solar",
      "<|tool_calls|>",
      "<|calls|>",
      sections(
        "<|tool_call:begin|>",
        "<|tool_call:end|>",
        fields("{id}<|tool_call:name|>{name}<|tool_call:args|>{args}"),
      ),
    ),
  },
  {
    format: tool("gemma", "<|tool_call>", "<tool_call|>", fields("call:{name}{args}", GEMMA)),
  },
  { format: tool("granite", "<|tool_call|>", "", json) },
  { format: tool("mistral", "[TOOL_CALLS]", "", mistralCalls) },
  { format: tool("gigachat", "<|function_call|>", "", json) },
  {
    format: tool("gigachat 3", "<|message_sep|>\n\nfunction call<|role_sep|>\n", "", json),
    shown: ["'function call'"],
  },
  { format: tool("firefunction", "functools[", "", json) },
  {
    // Llama's built-in tools: JSON, or `NAME.call(key="value")`.
    format: tool(
      "python tag",
      "<|python_tag|>",
      "",
      pythonOrJson((name) => name.replace(/\.call$/, "")),
    ),
  },
  {
    format: tool("bare JSON", "{", "", jsonCalls({ strict: true }), {
      inclusive: true,
      first: true,
    }),
    shown: ['{"name": function name, "parameters"'],
  },
  hy3(
    tool(
      "hy3",
      `<tool_calls${HY3}>`,
      `</tool_calls${HY3}>`,
      sections(`<tool_call${HY3}>`, `</tool_call${HY3}>`, keysAndValues(HY3)),
    ),
  ),
];
