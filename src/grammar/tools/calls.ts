/** Tool calls as a grammar: in the marks of the model's own format, with arguments that validate. */
import { WebggufError } from "../../base/errors.ts";
import type { ToolDefinition } from "../../chat/messages.ts";
import type { Alternative, GrammarBuilder, Term } from "../grammar.ts";
import type { SchemaObject } from "../json-schema/document.ts";
import { jsonSchemaTerm } from "../json-schema/grammar.ts";
import { pairsTerm } from "./pairs.ts";
import type { CallStyle } from "./styles.ts";

export interface CallsOptions {
  /** More than one call may come, where the format has a way to write them. Default true. */
  readonly parallel?: boolean;
  /** A mark of the format, which may be a token of its own. Default: its text. */
  readonly mark?: (text: string) => Alternative;
}

/** Calls in one answer, at most. */
const MOST_CALLS = 32;
/** Calls that have the name as a string of JSON's. */
const IN_JSON = /"\{name\}": |name": "\{name\}"/;
/** What readers take as the name of a function elsewhere. */
const WORD = /^[\w.:/-]+$/;

/**
 * One call of one of the tools, or several, with all marks.
 *
 * @throws WebggufError `grammar/unsupported` where a schema cannot be enforced, or the format cannot
 * write a name
 */
export function callsTerm(
  builder: GrammarBuilder,
  style: CallStyle,
  tools: readonly ToolDefinition[],
  { parallel = true, mark = (text) => [builder.literal(text)] }: CallsOptions = {},
): Term {
  const marks = (text: string): Alternative => (text === "" ? [] : mark(text));
  const one = builder.choice(...tools.map((tool) => callParts(builder, style, tool, marks)));
  const { begin, between, end } = style;
  const calls: Term[] = [...marks(begin), one];
  if (parallel && between !== undefined)
    calls.push(builder.repeat(builder.sequence(...marks(between), one), 0, MOST_CALLS - 1));
  return builder.sequence(...calls, ...marks(end));
}

function callParts(
  builder: GrammarBuilder,
  style: CallStyle,
  { function: { name, parameters } }: ToolDefinition,
  mark: (text: string) => Alternative,
): Alternative {
  const r = builder.regex;
  const digit = r.bytes([[0x30, 0x39]]);
  const letter = r.bytes([
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x61, 0x7a],
  ]);
  if (!IN_JSON.test(style.call) && !WORD.test(name))
    throw new WebggufError(
      "grammar/unsupported",
      `Cannot offer the tool ${JSON.stringify(name)}: the model's format of calls writes names of letters, digits and _.:/- only`,
      { key: name },
    );
  return style.call
    .split(/(\{(?:name|id|index|args)\})/)
    .filter(Boolean)
    .flatMap((part): Alternative => {
      if (part === "{name}")
        return [builder.literal(WORD.test(name) ? name : JSON.stringify(name).slice(1, -1))];
      if (part === "{id}") return [builder.lexeme(r.repeat(letter, 9, 9))];
      if (part === "{index}")
        return [builder.lexeme(r.or(digit, r.concat(r.bytes([[0x31, 0x39]]), digit)))];
      if (part !== "{args}") return mark(part);
      const schema = argumentsSchema(parameters);
      return [
        style.pairs
          ? pairsTerm(builder, schema, style.pairs, mark)
          : jsonSchemaTerm(builder, schema),
      ];
    });
}

/** Keywords beside which it is not known which properties a schema has. */
const ELSEWHERE = [
  ...["$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas", "dependencies"],
  ...["patternProperties", "unevaluatedProperties", "propertyNames"],
];

/** What a tool's arguments must be: an object, of the properties that are named if any are. */
function argumentsSchema(parameters: Readonly<Record<string, unknown>> = {}): SchemaObject {
  const closed = "properties" in parameters && !ELSEWHERE.some((key) => key in parameters);
  return {
    type: "object",
    ...(closed && { additionalProperties: false }),
    ...parameters,
  };
}
