/**
 * How the model of a chat template writes tool calls, as texts to fill in: the counterpart of the
 * readers in `src/chat/formats`. What a template's own rendering of calls looks like decides.
 */
import { formatsOf } from "../../chat/formats/index.ts";

/** Arguments that are written one by one, between marks of their own. */
export interface PairStyle {
  /** One argument: `{key}`, `{value}`, and `{kind}` where the mark says what the value is. */
  readonly pair: string;
  readonly between?: string;
  /** What `{kind}` is for texts, which stand as they are, and for JSON. */
  readonly kinds?: readonly [text: string, json: string];
  /** Ends a value, so that no value may have it; none where values are JSON in any case. */
  readonly valueEnd?: string;
}

export interface CallStyle {
  /** Before the first call, between two, and after the last one; without `between` there is but one. */
  readonly begin: string;
  readonly between?: string;
  readonly end: string;
  /** A call: `{name}`, `{id}` (letters and digits), `{index}` (digits), and `{args}`. */
  readonly call: string;
  readonly pairs?: PairStyle;
  /** An answer that has this text, has come to calls. Default: the first mark of `begin`. */
  readonly trigger?: string;
  /** Stands before calls that prose precedes. */
  readonly lead?: string;
  /** Before calls, instead of a mark of reasoning: what a thought is between. */
  readonly thought?: readonly [start: string, end: string];
}

const HY3 = ":opensource";
const M3 = "]<]minimax[>[";
const DSML = "｜DSML｜";

const object = (name: string, args: string, more = ""): string =>
  `{"${name}": "{name}", "${args}": {args}${more}}`;

/** A list of JSON calls. */
const list = (begin: string, end: string, call = object("name", "arguments")): CallStyle => ({
  ...{ begin: `${begin}[`, between: ", ", end: `]${end}`, call },
});

/** Calls each between marks of its own. */
const between = (
  begin: string,
  end: string,
  call: Pick<CallStyle, "call" | "pairs">,
): CallStyle => ({
  ...{ begin, between: `${end}\n${begin}`, end, ...call },
});

const functionTags = (gap: string): Pick<CallStyle, "call" | "pairs"> => ({
  call: "<function={name}>\n{args}</function>",
  pairs: {
    pair: `<parameter={key}>${gap}{value}${gap}</parameter>\n`,
    valueEnd: "</parameter>",
  },
});

const invokeTags = (
  prefix: string,
  kinds?: PairStyle["kinds"],
): Pick<CallStyle, "call" | "pairs"> => ({
  call: `<${prefix}invoke name="{name}">\n{args}</${prefix}invoke>`,
  pairs: {
    pair: `<${prefix}parameter name="{key}"{kind}>{value}</${prefix}parameter>\n`,
    valueEnd: `</${prefix}parameter>`,
    ...(kinds && { kinds }),
  },
});

const keysAndValues = (suffix: string, gap: string): Pick<CallStyle, "call" | "pairs"> => ({
  call: `{name}${gap}{args}`,
  pairs: {
    pair: `<arg_key${suffix}>{key}</arg_key${suffix}>\n<arg_value${suffix}>{value}</arg_value${suffix}>\n`,
    valueEnd: `</arg_value${suffix}>`,
  },
});

/** In the order in which they are looked for among a template's formats. */
const STYLES: readonly (readonly [format: string, style: (template: string) => CallStyle])[] = [
  [
    "minimax m3",
    () => ({
      ...{ begin: `${M3}<tool_call>\n`, between: "\n", end: `\n${M3}</tool_call>` },
      call: `${M3}<invoke name="{name}">{args}${M3}</invoke>`,
      pairs: { pair: `${M3}<{key}>{value}${M3}</{key}>`, valueEnd: M3 },
    }),
  ],
  [
    "tool_calls",
    (template) =>
      template.includes("<tool_calls>[")
        ? list("<tool_calls>", "</tool_calls>")
        : {
            ...{ begin: "<tool_calls>\n", between: "\n", end: "\n</tool_calls>" },
            call: object("name", "arguments"),
          },
  ],
  [
    "tool_call",
    (template) =>
      template.includes("<function=")
        ? between("<tool_call>\n", "\n</tool_call>", functionTags("\n"))
        : template.includes("<arg_key>")
          ? between("<tool_call>", "</tool_call>", keysAndValues("", "\n"))
          : between("<tool_call>\n", "\n</tool_call>", { call: object("name", "arguments") }),
  ],
  ["seed", () => between("<seed:tool_call>\n", "\n</seed:tool_call>", functionTags(""))],
  [
    "function",
    () => ({
      ...{ begin: "", between: "", end: "", trigger: "<function=" },
      call: "<function={name}>{args}</function>",
    }),
  ],
  [
    "function name",
    () => ({
      ...{ begin: "", between: "\n", end: "", trigger: '<function name="' },
      call: '<function name="{name}">{args}</function>',
      pairs: { pair: '<param name="{key}">{value}</param>', valueEnd: "</param>" },
    }),
  ],
  [
    "minimax",
    () => ({
      ...{ begin: "<minimax:tool_call>\n", between: "\n", end: "\n</minimax:tool_call>" },
      ...invokeTags(""),
    }),
  ],
  ...["function_calls", "tool_calls"].map(
    (name) =>
      [
        `${DSML}${name}`,
        (): CallStyle => ({
          ...{ begin: `<${DSML}${name}>\n`, between: "\n", end: `\n</${DSML}${name}>` },
          ...invokeTags(DSML, [' string="true"', ' string="false"']),
        }),
      ] as const,
  ),
  ["nemotron", () => list("<TOOLCALL>", "</TOOLCALL>")],
  [
    "command action",
    () => ({
      ...{ begin: "<|START_ACTION|>[\n    ", between: ",\n    ", end: "\n]<|END_ACTION|>" },
      call: '{"tool_call_id": "{index}", "tool_name": "{name}", "parameters": {args}}',
    }),
  ],
  [
    "command r+",
    () => ({
      ...{ begin: "Action:\n```json\n[\n    ", between: ",\n    ", end: "\n]```" },
      trigger: "Action:\n```json",
      call: '{\n        "tool_name": "{name}",\n        "parameters": {args}\n    }',
    }),
  ],
  ["apertus", () => list("<|tools_prefix|>", "<|tools_suffix|>", '{"{name}": {args}}')],
  [
    "kimi k3",
    () => ({
      ...{ begin: "<|open|>tools<|sep|>", between: "", end: "<|close|>tools<|sep|>" },
      trigger: "<|open|>tools<|sep|>",
      call: '<|open|>call tool="{name}" index="{index}"<|sep|>{args}<|close|>call<|sep|>',
      pairs: {
        pair: '<|open|>argument key="{key}" type="{kind}"<|sep|>{value}<|close|>argument<|sep|>',
        valueEnd: "<|close|>argument<|sep|>",
        kinds: ["string", "object"],
      },
    }),
  ],
  [
    "kimi",
    () => ({
      begin: "<|tool_calls_section_begin|><|tool_call_begin|>",
      between: "<|tool_call_end|><|tool_call_begin|>",
      end: "<|tool_call_end|><|tool_calls_section_end|>",
      call: "functions.{name}:{index}<|tool_call_argument_begin|>{args}",
    }),
  ],
  [
    "deepseek",
    (template) => ({
      begin: "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>",
      between: "<｜tool▁call▁end｜><｜tool▁call▁begin｜>",
      end: "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
      call: template.includes("```json")
        ? "function<｜tool▁sep｜>{name}\n```json\n{args}\n```"
        : "{name}<｜tool▁sep｜>{args}",
    }),
  ],
  [
    "lfm2",
    () => ({
      ...{ begin: "<|tool_call_start|>[", between: ", ", end: "]<|tool_call_end|>" },
      call: "{name}({args})",
      pairs: { pair: "{key}={value}", between: ", " },
    }),
  ],
  [
    "solar",
    () => ({
      ...{ begin: "<|tool_calls|>", between: "", end: "<|calls|>" },
      call: "<|tool_call:begin|>{id}<|tool_call:name|>{name}<|tool_call:args|>{args}<|tool_call:end|>",
    }),
  ],
  [
    "gemma",
    () => ({
      ...{ begin: "<|tool_call>", between: "<tool_call|><|tool_call>", end: "<tool_call|>" },
      call: "call:{name}{args}",
    }),
  ],
  ["granite", () => list("<|tool_call|>", "")],
  [
    "mistral",
    (template) =>
      template.includes("[ARGS]")
        ? {
            ...{ begin: "[TOOL_CALLS]", between: "[TOOL_CALLS]", end: "" },
            call: `{name}${template.includes("[CALL_ID]") ? "[CALL_ID]{id}" : ""}[ARGS]{args}`,
          }
        : list("[TOOL_CALLS]", "", object("name", "arguments", ', "id": "{id}"')),
  ],
  ["gigachat", () => ({ begin: "<|function_call|>", end: "", call: object("name", "arguments") })],
  [
    "gigachat 3",
    () => ({
      ...{ begin: "<|message_sep|>\n\nfunction call<|role_sep|>\n", end: "" },
      call: object("name", "arguments"),
    }),
  ],
  ["firefunction", () => list("functools", "")],
  [
    "bare JSON",
    () => ({
      ...{ begin: "", end: "", trigger: '{"name": "', call: object("name", "parameters") },
    }),
  ],
  [
    "hy3",
    () => ({
      begin: `<tool_calls${HY3}>\n<tool_call${HY3}>`,
      between: `</tool_call${HY3}>\n<tool_call${HY3}>`,
      end: `</tool_call${HY3}>\n</tool_calls${HY3}>`,
      ...keysAndValues(HY3, `<tool_sep${HY3}>\n`),
    }),
  ],
  [
    "harmony",
    () => ({
      ...{ begin: "<|channel|>commentary to=functions.", end: "" },
      trigger: "<|channel|>commentary to=functions.",
      call: "{name} <|constrain|>json<|message|>{args}",
      thought: ["<|channel|>analysis<|message|>", "<|end|><|start|>assistant"],
    }),
  ],
  [
    "functionary",
    () => ({
      begin: "",
      between: ">>>",
      end: "",
      call: "{name}\n{args}",
      trigger: ">>>",
      lead: ">>>",
    }),
  ],
  [
    "muse",
    () => ({
      begin: " to=",
      end: "\n</atem:function_calls>",
      call: `{name}<|message|><atem:function_calls>\n${invokeTags("atem:").call}`,
      pairs: invokeTags("atem:").pairs,
      thought: [" to=self<|message|>", "<|eom|><|start|>assistant"],
    }),
  ],
];

/** How the template's model writes calls; undefined where the template shows no format for them. */
export function callStyleOf(templateSource: string): CallStyle | undefined {
  const names = new Set(
    formatsOf(templateSource).flatMap((format) => {
      if (format.kind === "headers") return [format.name];
      if (format.channel !== "tool") return [];
      return [format.start.startsWith(`<${DSML}`) ? `${DSML}${format.name}` : format.name];
    }),
  );
  const shown = STYLES.find(
    ([name]) =>
      names.has(name) &&
      (!name.startsWith(DSML) || templateSource.includes(`${name.slice(DSML.length)}>`)),
  );
  return shown?.[1](templateSource);
}
