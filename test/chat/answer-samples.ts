/** Answers in the formats of real chat templates. */
import type { AnswerOptions } from "../../src/chat/formats/index.ts";
import type { ToolDefinition } from "../../src/chat/messages.ts";

const add = { name: "add", arguments: { a: 1, b: 2 } };
const weather = { name: "get_weather", arguments: { city: "São Paulo", unit: "celsius" } };
export const tools: ToolDefinition[] = [
  {
    type: "function",
    function: {
      name: "get_weather",
      parameters: { properties: { city: { type: "string" }, unit: { type: "string" } } },
    },
  },
  {
    type: "function",
    function: { name: "add", parameters: { properties: { a: { type: "number" } } } },
  },
  ...["f", "g", "write"].map((name) => ({ type: "function" as const, function: { name } })),
];

/** An answer of a format, and what it says. */
export interface Sample {
  readonly template: string;
  readonly answer: string;
  /** [channel, text] or [name and arguments] of a call, in order. */
  readonly wanted: readonly (readonly [string, unknown])[];
  readonly options?: AnswerOptions;
}

const calls = [
  ["tool", add],
  ["tool", weather],
] as const;
const said = ["content", "Let me check."] as const;
const thought = ["reasoning", "Hm, tools."] as const;
export const inside: AnswerOptions = { startsInReasoning: true };
const json = (name: string, key = "arguments"): string =>
  JSON.stringify({ name, [key]: name === "add" ? add.arguments : weather.arguments });

const glm = (gap: string): string =>
  [
    `<tool_call>add${gap}<arg_key>a</arg_key>${gap}<arg_value>1</arg_value>${gap}<arg_key>b</arg_key>${gap}<arg_value>2</arg_value>${gap}</tool_call>`,
    `<tool_call>get_weather${gap}<arg_key>city</arg_key>${gap}<arg_value>São Paulo</arg_value>${gap}<arg_key>unit</arg_key>${gap}<arg_value>celsius</arg_value>${gap}</tool_call>`,
  ].join(gap);
const functionTags = (gap: string): readonly string[] => [
  `<function=add>\n<parameter=a>${gap}1${gap}</parameter>\n<parameter=b>${gap}2${gap}</parameter>\n</function>`,
  `<function=get_weather>\n<parameter=city>${gap}São Paulo${gap}</parameter>\n<parameter=unit>${gap}celsius${gap}</parameter>\n</function>`,
];
const invokes = (p: string, attributes: readonly [string, string] = ["", ""]): string =>
  `\n<${p}invoke name="add">\n<${p}parameter name="a"${attributes[0]}>1</${p}parameter>\n<${p}parameter name="b"${attributes[0]}>2</${p}parameter>\n</${p}invoke>\n<${p}invoke name="get_weather">\n<${p}parameter name="city"${attributes[1]}>São Paulo</${p}parameter>\n<${p}parameter name="unit"${attributes[1]}>celsius</${p}parameter>\n</${p}invoke>\n`;
const kimi = (id: string, name: "add" | "get_weather"): string =>
  `<|tool_call_begin|>${id}<|tool_call_argument_begin|>${JSON.stringify((name === "add" ? add : weather).arguments)}<|tool_call_end|>`;
const m3 = "]<]minimax[>[";

export const SAMPLES: readonly Sample[] = [
  {
    template: "Qwen-Qwen3-0.6B",
    answer: `<think>\nHm, tools.\n</think>\n\nLet me check.\n<tool_call>\n${json("add")}\n</tool_call>\n<tool_call>\n${json("get_weather")}\n</tool_call>`,
    wanted: [thought, said, ...calls],
  },
  {
    template: "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use",
    answer: `<tool_call>\n{'name': 'add', 'arguments': {'a': 1, 'b': 2}}\n</tool_call>`,
    wanted: [["tool", add]],
  },
  {
    template: "Qwen3-Coder",
    answer: `Let me check.\n\n${functionTags("\n")
      .map((one) => `<tool_call>\n${one}\n</tool_call>`)
      .join("\n")}`,
    wanted: [said, ...calls],
  },
  {
    template: "Qwen3.5-4B",
    answer: `Hm, tools.\n</think>\n\n${functionTags("\n").join("\n")}`,
    wanted: [thought, ...calls],
    options: inside,
  },
  {
    template: "ByteDance-Seed-OSS",
    answer: `<seed:think>Hm, tools.</seed:think>Let me check.\n${functionTags("")
      .map((one) => `<seed:tool_call>\n${one}\n</seed:tool_call>`)
      .join("\n")}`,
    wanted: [thought, said, ...calls],
  },
  {
    template: "GLM-4.6",
    answer: `\n<think>Hm, tools.</think>\nLet me check.\n${glm("\n")}`,
    wanted: [thought, said, ...calls],
  },
  {
    template: "GLM-4.7-Flash",
    answer: `Hm, tools.</think>Let me check.${glm("")}`,
    wanted: [thought, said, ...calls],
    options: inside,
  },
  {
    template: "poolside-Laguna-S-2.1",
    answer: `Hm, tools.</think>${glm("\n")}`,
    wanted: [thought, ...calls],
    options: inside,
  },
  {
    template: "meta-llama-Llama-3.1-8B-Instruct",
    answer: json("add", "parameters"),
    wanted: [["tool", add]],
  },
  {
    template: "meta-llama-Llama-3.2-3B-Instruct",
    answer: `{"type": "function", "name": "add", "parameters": {"a": 1, "b": 2}}; ${json("get_weather", "parameters")}`,
    wanted: calls,
  },
  {
    template: "meta-llama-Llama-3.1-8B-Instruct",
    answer: `<|python_tag|>get_weather.call(city="São Paulo", unit="celsius")`,
    wanted: [["tool", weather]],
  },
  {
    template: "mistralai-Mistral-Nemo-Instruct-2407",
    answer: `[TOOL_CALLS][{"name": "add", "arguments": {"a": 1, "b": 2}, "id": "abcdefgh1"}, ${json("get_weather")}]`,
    wanted: [
      ["tool", { ...add, id: "abcdefgh1" }],
      ["tool", weather],
    ],
  },
  {
    template: "unsloth-mistral-Devstral-Small-2507",
    answer: `Let me check.[TOOL_CALLS]add[ARGS]{"a": 1, "b": 2}[TOOL_CALLS]get_weather[ARGS]${JSON.stringify(weather.arguments)}`,
    wanted: [said, ...calls],
  },
  {
    template: "Mistral-Small-3.2-24B-Instruct-2506",
    answer: `[TOOL_CALLS]add[CALL_ID]abcdefgh1[ARGS]{"a": 1, "b": 2}`,
    wanted: [["tool", { ...add, id: "abcdefgh1" }]],
  },
  {
    template: "mistralai-Ministral-3-14B-Reasoning-2512",
    answer: `[THINK]Hm, tools.[/THINK]Let me check.[TOOL_CALLS]add[ARGS]{"a": 1, "b": 2}`,
    wanted: [thought, said, ["tool", add]],
  },
  {
    template: "openai-gpt-oss-120b",
    answer: `<|channel|>analysis<|message|>Hm, tools.<|end|><|start|>assistant<|channel|>commentary<|message|>Let me check.<|end|><|start|>assistant to=functions.add<|channel|>commentary json<|message|>{"a": 1, "b": 2}<|call|>`,
    wanted: [thought, said, ["tool", add]],
  },
  {
    template: "openai-gpt-oss-120b",
    answer: `<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>${JSON.stringify(weather.arguments)}`,
    wanted: [["tool", weather]],
  },
  {
    template: "openai-gpt-oss-120b",
    answer: ` to=functions.add<|channel|>commentary json<|message|>{"a": 1, "b": 2}`,
    wanted: [["tool", add]],
  },
  {
    template: "openai-gpt-oss-120b",
    answer:
      "<|channel|>analysis<|message|>Hm, tools.<|end|><|start|>assistant<|channel|>final<|message|>Yes < no.<|return|>",
    wanted: [thought, ["content", "Yes < no."]],
  },
  {
    template: "LFM2.5-8B-A1B",
    answer: `Let me check.<|tool_call_start|>[add(a=1, b=2), get_weather(city='São Paulo', unit='celsius')]<|tool_call_end|>`,
    wanted: [said, ...calls],
  },
  {
    template: "LFM2-8B-A1B",
    answer: `<|tool_call_start|>[f(list=[1, 'it\\'s', {"k": None}], yes=True, x=-1.5e3)]<|tool_call_end|>Done.`,
    wanted: [
      ["tool", { name: "f", arguments: { list: [1, "it's", { k: null }], yes: true, x: -1500 } }],
      ["content", "Done."],
    ],
  },
  {
    template: "deepseek-ai-DeepSeek-V3.1",
    answer: `Hm, tools.</think>Let me check.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>{"a": 1, "b": 2}<｜tool▁call▁end｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>${JSON.stringify(weather.arguments)}<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
    wanted: [thought, said, ...calls],
    options: inside,
  },
  {
    template: "llama-cpp-deepseek-r1",
    answer: `<think>Hm, tools.</think><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>add\n\`\`\`json\n{"a": 1, "b": 2}\n\`\`\`<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
    wanted: [thought, ["tool", add]],
    options: inside,
  },
  ...[
    ["deepseek-ai-DeepSeek-V3.2", "function_calls"],
    ["deepseek-ai-DeepSeek-V4", "tool_calls"],
  ].map(([template, name]) => ({
    template,
    answer: `Let me check.\n\n<｜DSML｜${name}>${invokes("｜DSML｜", [' string="false"', ' string="true"'])}</｜DSML｜${name}>`,
    wanted: [said, ...calls],
  })),
  {
    template: "MiniMax-M2",
    answer: `Hm, tools.\n</think>\n\nLet me check.\n<minimax:tool_call>${invokes("")}</minimax:tool_call>`,
    wanted: [thought, said, ...calls],
    options: inside,
  },
  {
    template: "MiniMax-M3",
    answer: `<mm:think>Hm, tools.</mm:think>Let me check.${m3}<tool_call>\n${m3}<invoke name="add">${m3}<a>1${m3}</a>${m3}<b>2${m3}</b>${m3}</invoke>\n${m3}<invoke name="get_weather">${m3}<city>São Paulo${m3}</city>${m3}<unit>celsius${m3}</unit>${m3}</invoke>\n${m3}</tool_call>`,
    wanted: [thought, said, ...calls],
  },
  {
    template: "MiniMax-M1",
    answer: `<tool_calls>\n${json("add")}\n${json("get_weather")}\n</tool_calls>`,
    wanted: calls,
  },
  {
    template: "unsloth-Apriel-1.5",
    answer: `Here are my reasoning steps:\nHm, tools.\n[BEGIN FINAL RESPONSE]\nLet me check.\n[END FINAL RESPONSE]\n<tool_calls>[${json("add")}, ${json("get_weather")}]</tool_calls>`,
    wanted: [thought, said, ...calls],
  },
  {
    template: "NVIDIA-Nemotron-Nano-v2",
    answer: `Hm, tools.\n</think>\n\n<TOOLCALL>[${json("add")}, ${json("get_weather")}]</TOOLCALL>`,
    wanted: [thought, ...calls],
    options: inside,
  },
  {
    template: "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
    answer: `Hm, tools.</think>Let me check.\n<tool_call>\n${functionTags("\n")[0]}\n</tool_call>\n`,
    wanted: [thought, said, ["tool", add]],
    options: inside,
  },
  {
    template: "Kimi-K2-Thinking",
    answer: `<think>Hm, tools.</think>Let me check.<|tool_calls_section_begin|>${kimi("functions.add:0", "add")}${kimi("functions.get_weather:1", "get_weather")}<|tool_calls_section_end|>`,
    wanted: [
      thought,
      said,
      ["tool", { ...add, id: "functions.add:0" }],
      ["tool", { ...weather, id: "functions.get_weather:1" }],
    ],
  },
  {
    template: "Kimi-K3",
    answer: `Hm, tools.<|close|>think<|sep|><|open|>response<|sep|>Let me check.<|close|>response<|sep|><|open|>tools<|sep|><|open|>call tool="add" index="1"<|sep|><|open|>argument key="a" type="number"<|sep|>1<|close|>argument<|sep|><|open|>argument key="b" type="number"<|sep|>2<|close|>argument<|sep|><|close|>call<|sep|><|open|>call tool="get_weather" index="2"<|sep|><|open|>argument key="city" type="string"<|sep|>São Paulo<|close|>argument<|sep|><|open|>argument key="unit" type="string"<|sep|>celsius<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools<|sep|><|close|>message<|sep|>`,
    wanted: [thought, said, ...calls],
    options: inside,
  },
  {
    template: "CohereForAI-c4ai-command-r7b-12-2024-tool_use",
    answer: `<|START_THINKING|>Hm, tools.<|END_THINKING|><|START_ACTION|>[\n    {"tool_call_id": "0", "tool_name": "add", "parameters": {"a": 1, "b": 2}}\n]<|END_ACTION|>`,
    wanted: [thought, ["tool", { ...add, id: "0" }]],
  },
  {
    template: "CohereForAI-c4ai-command-r7b-12-2024-tool_use",
    answer: "<|START_RESPONSE|>Let me check.<|END_RESPONSE|>",
    wanted: [said],
  },
  {
    template: "Cohere2MoE",
    answer: "Hm, tools.<|END_THINKING|><|START_TEXT|>Let me check.<|END_TEXT|>",
    wanted: [thought, said],
    options: inside,
  },
  {
    template: "CohereForAI-c4ai-command-r-plus-tool_use",
    answer: `Let me check.\nAction:\n\`\`\`json\n[\n    {\n        "tool_name": "add",\n        "parameters": {"a": 1, "b": 2}\n    }\n]\`\`\`\n`,
    wanted: [said, ["tool", add]],
  },
  {
    template: "Apertus-8B-Instruct",
    answer: `<|inner_prefix|>Hm, tools.<|inner_suffix|>Let me check.<|tools_prefix|>[{"add": {"a": 1, "b": 2}}, {"get_weather": ${JSON.stringify(weather.arguments)}}]<|tools_suffix|>`,
    wanted: [thought, said, ...calls],
  },
  {
    template: "ibm-granite-granite-4.0",
    answer: `Let me check.\n<tool_call>\n${json("add")}\n</tool_call>`,
    wanted: [said, ["tool", add]],
  },
  {
    template: "ibm-granite-granite-3.3-2B-Instruct",
    answer: `<think>Hm, tools.</think><response>Let me check.</response>`,
    wanted: [thought, said],
  },
  {
    template: "ibm-granite-granite-3.3-2B-Instruct",
    answer: `<|tool_call|>[${json("add")}, ${json("get_weather")}]`,
    wanted: calls,
  },
  {
    template: "google-gemma-4-31B-it",
    answer: `<|channel>thought\nHm, tools.\n<channel|>Let me check.<|tool_call>call:add{a:1,b:2}<tool_call|><|tool_call>call:get_weather{city:<|"|>São Paulo<|"|>,unit:<|"|>celsius<|"|>}<tool_call|>`,
    wanted: [thought, said, ...calls],
  },
  {
    template: "GigaChat3.1-10B-A1.8B",
    answer: `Let me check.<|function_call|>${json("add")}`,
    wanted: [said, ["tool", add]],
  },
  {
    template: "fireworks-ai-llama-3-firefunction-v2",
    answer: `Let me check. functools[${json("add")}, ${json("get_weather")}]`,
    wanted: [said, ...calls],
  },
  {
    template: "meetkai-functionary-medium-v3.1",
    answer: `Let me check.<function=add>{"a": 1, "b": 2}</function><function=get_weather>${JSON.stringify(weather.arguments)}</function>`,
    wanted: [said, ...calls],
  },
  {
    template: "meetkai-functionary-medium-v3.2",
    answer: `all\nLet me check.>>>add\n{"a": 1, "b": 2}>>>get_weather\n${JSON.stringify(weather.arguments)}`,
    wanted: [said, ...calls],
  },
  {
    template: "openbmb-MiniCPM5-1B",
    answer: `Let me check.\n<function name="add"><param name="a">1</param><param name="b">2</param></function>\n<function name="get_weather"><param name="city"><![CDATA[São Paulo]]></param><param name="unit">celsius</param></function>`,
    wanted: [said, ...calls],
  },
  {
    template: "tencent-Hy3",
    answer: `Let me check.<tool_calls:opensource>\n<tool_call:opensource>add<tool_sep:opensource>\n<arg_key:opensource>a</arg_key:opensource>\n<arg_value:opensource>1</arg_value:opensource>\n<arg_key:opensource>b</arg_key:opensource>\n<arg_value:opensource>2</arg_value:opensource>\n</tool_call:opensource>\n</tool_calls:opensource>`,
    wanted: [said, ["tool", add]],
  },
  {
    template: "upstage-Solar-Open-100B",
    answer: `<|think|>Hm, tools.<|end|><|begin|>assistant<|content|>Let me check.<|end|><|begin|>assistant<|tool_calls|><|tool_call:begin|>abc<|tool_call:name|>add<|tool_call:args|>{"a": 1, "b": 2}<|tool_call:end|><|calls|>`,
    wanted: [thought, said, ["tool", { ...add, id: "abc" }]],
  },
  {
    template: "muse-glimmer",
    answer: ` to=self<|message|>Hm, tools.<|eom|><|start|>assistant to=add<|message|><atem:function_calls>\n<atem:invoke name="add">\n<atem:parameter name="a">1</atem:parameter>\n<atem:parameter name="b">2</atem:parameter>\n</atem:invoke>\n</atem:function_calls><|eom|><|start|>assistant<|message|>Let me check.`,
    wanted: [thought, ["tool", add], said],
  },
];
