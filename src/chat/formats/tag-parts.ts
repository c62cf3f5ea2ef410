/** Tool calls in tags, read while they are written: a parameter comes once its end is certain. */
import { jsonParts } from "./call-parts.ts";
import { type Incoming, type Reading, Unreadable } from "./incoming.ts";
import { attributeType, isCallName, readParameter, readTagged, type Tags } from "./parse.ts";
import { transcode } from "./transcode.ts";
import type { CallSink, ParameterType, ReadParts } from "./types.ts";

/** Calls as `taggedCalls` reads them. */
export const taggedParts = (tags: Tags): ReadParts =>
  function* (input, sink, types) {
    for (;;) {
      yield* input.space();
      yield* input.expect(tags.call);
      const { name } = yield* openTag(input, tags);
      if (name === "") throw new Unreadable();
      sink.begin(name, null);
      yield* input.space();
      if ((yield* input.peek()) === "{") {
        yield* transcode(input, sink.add);
        sink.end();
        yield* input.until(tags.callEnd);
      } else yield* parameters(input, sink, name, tags, types);
    }
  };

/** What stands in an opening tag behind its mark: a name up to a quotation mark, and attributes. */
function* openTag(input: Incoming, tags: Tags): Reading<{ name: string; attributes: string }> {
  const { text } = yield* input.until(tags.openEnd);
  const quote = text.indexOf('"');
  const name = quote < 0 ? text : text.slice(0, quote);
  return { name: name.trim(), attributes: text.slice(name.length) };
}

function* parameters(
  input: Incoming,
  sink: CallSink,
  tool: string,
  tags: Tags,
  types: ParameterType,
): Reading {
  sink.add("{");
  for (let comma = ""; ; comma = ",") {
    yield* input.space();
    if (yield* input.has(tags.callEnd)) break;
    yield* input.expect(tags.parameter);
    const { name, attributes } = yield* openTag(input, tags);
    const text = yield* parameterText(input, tags, tags.parameterEnd(name));
    const value = readTagged(text, attributeType(attributes) ?? types(tool, name));
    sink.add(`${comma}${JSON.stringify(name)}:${JSON.stringify(value)}`);
  }
  sink.add("}");
  sink.end();
}

/** A value ends at the first end tag that another tag follows. */
function* parameterText(input: Incoming, tags: Tags, close: string): Reading<string> {
  let value = "";
  for (;;) {
    value += (yield* input.until(close)).text;
    const space = yield* input.space();
    if ((yield* input.sees(tags.callEnd)) || (yield* input.sees(tags.parameter))) return value;
    value += close + space;
  }
}

/** `name <arg_key>k</arg_key> <arg_value>v</arg_value> …`, as `keyValueCall` reads it. */
export const keyValueParts = (suffix = ""): ReadParts =>
  function* (input, sink, types) {
    const tag = (name: string, close = ""): string => `<${close}${name}${suffix}>`;
    const { text: head } = yield* input.until(tag("arg_key"));
    const name = head.replace(tag("tool_sep"), "").trim();
    if (!isCallName(name)) throw new Unreadable();
    sink.begin(name, null);
    for (let comma = "{"; ; comma = ",") {
      const key = (yield* input.until(tag("arg_key", "/"))).text.trim();
      yield* input.space();
      yield* input.expect(tag("arg_value"));
      // A value may hold its own end tag: the last one before the next key counts.
      const { text: rest } = yield* input.until(tag("arg_key"));
      const end = rest.lastIndexOf(tag("arg_value", "/"));
      if (end < 0) throw new Unreadable();
      const value = readParameter(rest.slice(0, end), types(name, key));
      sink.add(`${comma}${JSON.stringify(key)}:${JSON.stringify(value)}`);
    }
  };

/** What stands in `<tool_call>`: JSON, function tags, or keys and values. */
export const toolCallParts = (functionTags: ReadParts): ReadParts =>
  function* (input, sink, types) {
    yield* input.space();
    const read = (yield* input.sees("<function="))
      ? functionTags
      : "[{`".includes(yield* input.peek())
        ? jsonParts()
        : keyValueParts();
    yield* read(input, sink, types);
  };
