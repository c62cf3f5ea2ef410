/** What stands between a format's marks, as tool calls: JSON in its variations, and tags. */
import { readLiteral } from "./literal.ts";
import type { ParameterType, ParseCalls, ParsedToolCall } from "./types.ts";

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** JSON, or the Python literal that some models write for it; undefined if it is neither. */
export function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return readLiteral(text);
  }
}

/** Arguments as an object: given as one, as its JSON text, or left out. */
export function readArguments(value: unknown): Record<string, unknown> | undefined {
  if (value === undefined || value === null) return {};
  if (typeof value === "string") {
    if (value.trim() === "") return {};
    const read = readValue(value);
    return isRecord(read) ? read : undefined;
  }
  return isRecord(value) ? value : undefined;
}

const firstOf = (record: Record<string, unknown>, keys: readonly string[]): unknown => {
  for (const key of keys) if (Object.hasOwn(record, key)) return record[key];
  return undefined;
};

/** The key names in use. */
export const NAME_KEYS: readonly string[] = ["name", "tool_name"];
export const ARGUMENT_KEYS: readonly string[] = ["arguments", "parameters", "args"];
export const ID_KEYS: readonly string[] = ["id", "tool_call_id", "call_id"];

/** One call of the shape `{"name": …, "arguments": {…}}` under the key names in use. */
function callOf(value: unknown): ParsedToolCall | undefined {
  if (!isRecord(value)) return undefined;
  if (isRecord(value["function"]))
    return callOf({ ...value, ...value["function"], function: null });
  const name = firstOf(value, NAME_KEYS);
  const args = readArguments(firstOf(value, ARGUMENT_KEYS));
  if (typeof name !== "string" || name === "" || args === undefined) return undefined;
  const id = firstOf(value, ID_KEYS);
  return { ...(typeof id === "string" && { id }), name, arguments: args };
}

/** Every value as a call, or undefined if one is none. */
function all<T>(
  values: readonly T[],
  read: (value: T) => ParsedToolCall | undefined,
): ParsedToolCall[] | undefined {
  const calls: ParsedToolCall[] = [];
  for (const value of values) {
    const call = read(value);
    if (call === undefined) return undefined;
    calls.push(call);
  }
  return calls.length > 0 ? calls : undefined;
}

/** Cuts JSON values that follow each other, with white space, commas or semicolons between. */
export function splitValues(text: string): string[] | undefined {
  const values: string[] = [];
  let [depth, start, quoted] = [0, -1, false];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
    } else if (c === "{" || c === "[") {
      if (depth++ === 0) start = i;
    } else if (c === "}" || c === "]") {
      if (--depth < 0) return undefined;
      if (depth === 0) values.push(text.slice(start, i + 1));
    } else if (depth === 0 && !/[\s,;]/.test(c)) return undefined;
    else if (c === '"') quoted = true;
  }
  return depth === 0 ? values : undefined;
}

/** Without the Markdown fence around it. */
function unfenced(text: string): string {
  const inside = text.replace(/^```(json)?/, "");
  return (inside.endsWith("```") ? inside.slice(0, -3) : inside).trim();
}

/** JSON calls: one, a list of them, or several in a row; also inside a Markdown fence. */
export const jsonCalls: ParseCalls = (body) => {
  const text = unfenced(body.trim());
  const whole = readValue(text);
  const values = whole === undefined ? splitValues(text)?.map(readValue) : [whole];
  return values && all(values.flat(), callOf);
};

/** `[{"name": {…arguments}}]`. */
export const keyedCalls: ParseCalls = (body) => {
  const list = readValue(body.trim());
  if (!Array.isArray(list)) return undefined;
  return all(list, (item) => {
    const [entry, ...more] = isRecord(item) ? Object.entries(item) : [];
    const args = entry && readArguments(entry[1]);
    return entry && args && more.length === 0 ? { name: entry[0], arguments: args } : undefined;
  });
};

/** The text of a parameter as its value. */
export function readParameter(text: string, type: "text" | "json" | undefined): unknown {
  if (type === "text") return text;
  const value = readValue(text.trim());
  // Without a schema, quotes are the model's own text, not JSON's.
  if (value === undefined || (type === undefined && typeof value === "string")) return text;
  return value;
}

/** The text of a parameter between tags, which may stand on lines of their own, as its value. */
export function readTagged(text: string, type: "text" | "json" | undefined): unknown {
  return readParameter(unwrapped(text.replace(/^\n/, "").replace(/\n$/, "")), type);
}

/** True for what may be a function's name. */
export const isCallName = (name: string): boolean => /^[\w.:/-]+$/.test(name);

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
}

/** An opening tag at `at`: its name, its other attributes, and where it ends. */
function openTag(
  body: string,
  open: string,
  at: number,
  openEnd: string,
): { name: string; attributes: string; end: number } | undefined {
  const begin = at + open.length;
  const end = body.indexOf(openEnd, begin);
  if (end < 0) return undefined;
  const inside = body.slice(begin, end);
  const quote = inside.indexOf('"');
  const name = quote < 0 ? inside : inside.slice(0, quote);
  return { name: name.trim(), attributes: inside.slice(name.length), end: end + openEnd.length };
}

/** Reads calls in tags. Values end at the first end tag that another tag follows. */
export function taggedCalls(tags: Tags): ParseCalls {
  return (body, types) => {
    const calls: ParsedToolCall[] = [];
    let at = body.indexOf(tags.call);
    if (at < 0 || body.slice(0, at).trim() !== "") return undefined;
    while (at >= 0) {
      const open = openTag(body, tags.call, at, tags.openEnd);
      if (open === undefined || open.name === "") return undefined;
      const read = readParameters(body, open.end, open.name, tags, types);
      if (read === undefined) return undefined;
      calls.push({ name: open.name, arguments: read.values });
      at = body.indexOf(tags.call, read.end);
      const rest = body.slice(read.end, at < 0 ? undefined : at);
      if (rest.trim() !== "") return undefined;
    }
    return calls;
  };
}

/** `invoke` and `parameter` tags under a prefix. */
export const invokeTags = (prefix: string): Tags => ({
  call: `<${prefix}invoke name="`,
  callEnd: `</${prefix}invoke>`,
  parameter: `<${prefix}parameter name="`,
  parameterEnd: () => `</${prefix}parameter>`,
  openEnd: ">",
});

function readParameters(
  body: string,
  from: number,
  tool: string,
  tags: Tags,
  types: ParameterType,
): { values: Record<string, unknown>; end: number } | undefined {
  const entries: [string, unknown][] = [];
  let at = skipSpace(body, from);
  while (!body.startsWith(tags.callEnd, at)) {
    if (at >= body.length) break;
    if (!body.startsWith(tags.parameter, at)) return plainArguments(body, at, tags);
    const open = openTag(body, tags.parameter, at, tags.openEnd);
    if (open === undefined) return undefined;
    const close = tags.parameterEnd(open.name);
    let end = body.indexOf(close, open.end);
    for (; end >= 0; end = body.indexOf(close, end + 1)) {
      at = skipSpace(body, end + close.length);
      const next = [tags.parameter, tags.callEnd].some((tag) => body.startsWith(tag, at));
      if (next || at >= body.length) break;
    }
    if (end < 0) return undefined;
    const type = attributeType(open.attributes) ?? types(tool, open.name);
    entries.push([open.name, readTagged(body.slice(open.end, end), type)]);
  }
  return { values: Object.fromEntries(entries), end: at + tags.callEnd.length };
}

/** `<function=name>{…}</function>`: the arguments as JSON. */
function plainArguments(
  body: string,
  at: number,
  tags: Tags,
): { values: Record<string, unknown>; end: number } | undefined {
  const found = body.indexOf(tags.callEnd, at);
  const end = found < 0 ? body.length : found;
  const values = readArguments(body.slice(at, end));
  return values && { values, end: end + tags.callEnd.length };
}

const skipSpace = (text: string, at: number): number => {
  let i = at;
  while (i < text.length && /\s/.test(text[i])) i++;
  return i;
};

/** What the attributes of a tag say of its value. */
export function attributeType(attributes: string): "text" | "json" | undefined {
  if (/ (string="true"|type="string")/.test(attributes)) return "text";
  return / (string="false"|type=")/.test(attributes) ? "json" : undefined;
}

const unwrapped = (text: string): string =>
  text.startsWith("<![CDATA[") && text.endsWith("]]>") ? text.slice(9, -3) : text;

/** `name <arg_key>k</arg_key> <arg_value>v</arg_value> …`; `suffix` ends the tags' names. */
export function keyValueCall(suffix = ""): ParseCalls {
  const tag = (name: string, close = ""): string => `<${close}${name}${suffix}>`;
  return (body, types) => {
    const keys = body.split(tag("arg_key"));
    const name = keys[0].replace(tag("tool_sep"), "").trim();
    if (!isCallName(name)) return undefined;
    const entries: [string, unknown][] = [];
    for (const part of keys.slice(1)) {
      const [key, rest] = cut(part, tag("arg_key", "/"));
      const [gap, value] = cut(rest ?? "", tag("arg_value"));
      const end = value?.lastIndexOf(tag("arg_value", "/")) ?? -1;
      if (value === undefined || gap.trim() !== "" || end < 0) return undefined;
      entries.push([key.trim(), readParameter(value.slice(0, end), types(name, key.trim()))]);
    }
    return [{ name, arguments: Object.fromEntries(entries) }];
  };
}

/** The text before the first `mark`, and what follows it if there is one. */
export function cut(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}

/** Calls between marks of their own, each read by `one`; nothing but space may stand outside. */
export function sections(begin: string, end: string, one: ParseCalls): ParseCalls {
  return (body, types) => {
    const [before, ...parts] = body.split(begin);
    if (before.trim() !== "" || parts.length === 0) return undefined;
    const calls: ParsedToolCall[] = [];
    for (const part of parts) {
      const [inside, after = ""] = cut(part, end);
      const read = after.trim() === "" ? one(inside, types) : undefined;
      if (read === undefined) return undefined;
      calls.push(...read);
    }
    return calls;
  };
}

/** `name SEPARATOR {…}`, with what `nameOf` makes of the part before the separator. */
export function namedArguments(
  separator: string,
  nameOf: (head: string) => { name: string; id?: string },
): ParseCalls {
  return (body) => {
    const [head, rest] = cut(body, separator);
    if (rest === undefined) return undefined;
    const { name, id } = nameOf(head.trim());
    const args = readArguments(rest.trim());
    if (name === "" || args === undefined) return undefined;
    return [{ ...(id !== undefined && { id }), name, arguments: args }];
  };
}
