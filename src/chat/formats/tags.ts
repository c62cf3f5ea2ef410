/** Readers of tool calls in tags, whose parameters have the types that their schemas say. */
import { WORD } from "./calls.ts";
import { type Incoming, type Reading, Unreadable } from "./incoming.ts";
import { asJson } from "./literal.ts";
import { inside, transcode } from "./transcode.ts";
import type { CallSink, ReadCalls } from "./types.ts";

/** How calls are written in tags. */
export interface Tags {
  /** Before the name of a call; the name ends at a quotation mark or at `openEnd`. */
  readonly call: string;
  readonly callEnd: string;
  readonly parameter: string;
  /** After a parameter's value. */
  parameterEnd(name: string): string;
  /** Ends an opening tag. */
  readonly openEnd: string;
  /** Reads values in a way of its own. */
  readonly value?: typeof parameterValue;
}

/** `invoke` and `parameter` tags under a prefix. */
export const invokeTags = (prefix: string): Tags => ({
  call: `<${prefix}invoke name="`,
  callEnd: `</${prefix}invoke>`,
  parameter: `<${prefix}parameter name="`,
  parameterEnd: () => `</${prefix}parameter>`,
  openEnd: ">",
});

/** One call or several; the parameters may also be one JSON object. */
export const tagged = (tags: Tags): ReadCalls =>
  function* (input, sink, schemaOf, end) {
    yield* input.space();
    yield* input.expect(tags.call);
    do {
      yield* input.space();
      const name = yield* input.while(WORD);
      sink.begin(name, null);
      yield* input.until(tags.openEnd);
      yield* input.space();
      if (yield* input.sees("{")) yield* transcode(input, sink.add);
      else yield* parameters(input, sink, tags, (key) => schemaOf(name, key), end);
      sink.end();
      yield* input.space();
      yield* input.has(tags.callEnd);
      yield* input.space();
    } while (yield* input.has(tags.call));
  };

function* parameters(
  input: Incoming,
  sink: CallSink,
  tags: Tags,
  schemaOf: (key: string) => unknown,
  end: string,
): Reading {
  const next = [tags.parameter, tags.callEnd, end];
  const read = tags.value ?? parameterValue;
  let before = "{";
  for (; !input.ended && !(yield* input.sees(tags.callEnd, end)); before = ",") {
    yield* input.expect(tags.parameter);
    const tag = yield* input.until(tags.openEnd);
    const [name] = tag.split('"');
    const key = name.trim();
    sink.add(`${before}${JSON.stringify(key)}:`);
    const schema = attributeSchema(tag.slice(name.length)) ?? schemaOf(key);
    yield* read(input, sink.add, schema, tags.parameterEnd(key), next);
    yield* input.space();
  }
  if (before === ",") sink.add("}");
}

/** `name <arg_key>k</arg_key> <arg_value>v</arg_value> …`; `suffix` ends the tags' names. */
export const keysAndValues = (suffix = ""): ReadCalls => {
  const tag = (name: string, close = ""): string => `<${close}${name}${suffix}>`;
  return function* (input, sink, schemaOf, end) {
    yield* input.space();
    const name = yield* input.while(WORD);
    sink.begin(name, null);
    yield* input.has(tag("tool_sep"));
    yield* input.space();
    const [open, close, next] = [tag("arg_key"), tag("arg_value", "/"), [tag("arg_key"), end]];
    if (!(yield* input.sees(...next))) throw new Unreadable();
    let before = "{";
    for (; yield* input.has(open); before = ",") {
      const key = (yield* input.until(tag("arg_key", "/"))).trim();
      yield* input.space();
      yield* input.expect(tag("arg_value"));
      sink.add(`${before}${JSON.stringify(key)}:`);
      yield* parameterValue(input, sink.add, schemaOf(name, key), close, next);
      yield* input.space();
    }
    if (before === ",") sink.add("}");
    sink.end();
  };
};

/**
 * The value of a parameter. It ends at the first end tag that another tag follows, and may stand on
 * lines of its own. A text comes while it is written.
 */
export function* parameterValue(
  input: Incoming,
  add: (json: string) => void,
  schema: unknown,
  close: string,
  next: readonly string[],
): Reading {
  const streams = typeOf(schema) === "text";
  let all = "";
  const give = (text: string): void => {
    if (streams) add(inside(text));
    else all += text;
  };
  const quoted = yield* input.has("<![CDATA[");
  const line = !quoted && (yield* input.has("\n"));
  const end = quoted ? `]]>${close}` : close;
  if (streams) add('"');
  for (let held = ""; ; ) {
    const { text, mark } = yield* input.some([end]);
    const known = held + text;
    held = line && known.endsWith("\n") ? "\n" : "";
    give(known.slice(0, known.length - held.length));
    if (mark === undefined) continue;
    const space = yield* input.space();
    if (input.ended || (yield* input.sees(...next))) break;
    give(held + end);
    held = space;
  }
  add(streams ? '"' : valueAsJson(all, schema));
}

/** The text of a parameter as the value that its schema says. */
export function valueAsJson(text: string, schema: unknown): string {
  const type = typeOf(schema);
  const json = type === "text" ? undefined : asJson(text.trim());
  // Without a schema, quotes are the model's own text, not JSON's.
  return json === undefined || (type === undefined && json.startsWith('"'))
    ? JSON.stringify(text)
    : json;
}

/** What a schema says of a value: it is text, or JSON; undefined if it may be both. */
function typeOf(schema: unknown): "text" | "json" | undefined {
  const type = (schema as { type?: unknown } | null | undefined)?.type;
  return typeof type !== "string" ? undefined : type === "string" ? "text" : "json";
}

/** What the attributes of a tag say of its value. */
function attributeSchema(attributes: string): { type: string } | undefined {
  if (/ (string="true"|type="string")/.test(attributes)) return { type: "string" };
  return / (string="false"|type=")/.test(attributes) ? { type: "object" } : undefined;
}

/** What a schema says of a part of its values, in one of its variants. */
function partOf(schema: unknown, key: string): unknown {
  for (const { properties, items } of variants(schema))
    if (properties?.[key] ?? items) return properties?.[key] ?? items;
  return undefined;
}

const mayBeText = (schema: unknown): boolean =>
  variants(schema).some(({ type }) => [type].flat().includes("string"));

interface Schema {
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly items?: unknown;
}

function variants(schema: unknown): Schema[] {
  const { anyOf, oneOf, ...own } = Object(schema);
  return [own, anyOf, oneOf].flat().map(Object);
}

/** What MiniMax-M3 writes before each tag. */
export const MINIMAX = "]<]minimax[>[";

/** MiniMax-M3: tags named after the parameters, and after the parts of values that have parts. */
export const minimaxTags: Tags = {
  call: `${MINIMAX}<invoke name="`,
  callEnd: `${MINIMAX}</invoke>`,
  parameter: `${MINIMAX}<`,
  parameterEnd: (name) => `${MINIMAX}</${name}>`,
  openEnd: ">",
  value: minimaxValue,
};

function* minimaxValue(
  input: Incoming,
  add: (json: string) => void,
  schema: unknown,
  close: string,
): Reading {
  const text = mayBeText(schema) ? "" : yield* input.space();
  if (mayBeText(schema) || (yield* input.sees(close)) || !(yield* input.sees(`${MINIMAX}<`))) {
    const rest = yield* input.until(close);
    return add(valueAsJson(text + rest.replaceAll(MINIMAX, ""), schema));
  }
  const list = yield* input.sees(`${MINIMAX}<item>`);
  for (let before = list ? "[" : "{"; !(yield* input.has(close)); before = ",") {
    yield* input.expect(`${MINIMAX}<`);
    const key = yield* input.until(">");
    add(list ? before : `${before}${JSON.stringify(key)}:`);
    yield* minimaxValue(input, add, partOf(schema, key), minimaxTags.parameterEnd(key));
    yield* input.space();
  }
  add(list ? "]" : "}");
}
