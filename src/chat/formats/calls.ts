/** Readers of tool calls: JSON in its variations, calls as Python has them, texts with fields. */
import { type Incoming, type Reading, Unreadable } from "./incoming.ts";
import { asJson, pythonCalls } from "./literal.ts";
import { type Notation, transcode } from "./transcode.ts";
import type { CallSink, ReadCalls } from "./types.ts";

/** The key names in use. */
const NAME_KEYS: readonly string[] = ["name", "tool_name"];
const ARGUMENT_KEYS: readonly string[] = ["arguments", "parameters", "args"];
const ID_KEYS: readonly string[] = ["id", "tool_call_id", "call_id"];

/** The arguments of a call that has begun, as an object, and its end. */
function* wholeArguments(input: Incoming, sink: CallSink, notation?: Notation): Reading {
  yield* input.space();
  if ((yield* input.peek()) !== "{") throw new Unreadable();
  yield* transcode(input, sink.add, notation);
  sink.end();
}

/** The body of a message that is addressed to a function. */
export const argumentsOf = (name: string): ReadCalls =>
  function* (input, sink) {
    sink.begin(name, null);
    yield* wholeArguments(input, sink);
  };

/** How JSON calls are written. */
interface JsonStyle {
  /** The model writes the id behind the arguments. */
  readonly lateId?: boolean;
  /** Keys that do not belong to a call show that it is none. */
  readonly strict?: boolean;
}

/** What is known of a call in JSON so far. */
interface Known extends JsonStyle {
  id?: string;
  begun?: boolean;
  given?: boolean;
  /** Arguments that came before the name. */
  early?: string;
}

/**
 * JSON calls: one, a list of them, or several in a row, also in a Markdown fence: `{"name": …,
 * "arguments": {…}}` under the key names in use, or `{"NAME": {…}}`.
 */
export const jsonCalls = (style: JsonStyle = {}): ReadCalls =>
  function* (input, sink) {
    yield* input.space();
    if (yield* input.has("```")) yield* input.has("json");
    yield* input.while(/[\s[]/);
    do {
      yield* input.expect("{");
      const call: Known = { ...style };
      yield* record(input, sink, call);
      if (!call.begun) throw new Unreadable();
      sink.end();
      yield* input.while(/[\s,;\]`]/);
    } while (yield* input.sees("{"));
  };

/** The entries of a call's object, behind its brace. */
function* record(input: Incoming, sink: CallSink, call: Known): Reading {
  for (;;) {
    yield* input.while(/[\s,]/);
    if (yield* input.has("}")) return;
    const key = yield* string(input);
    yield* input.space();
    yield* input.expect(":");
    yield* input.space();
    const first = yield* input.peek();
    if (key === "function" && first === "{") {
      yield* input.expect("{");
      yield* record(input, sink, call);
    } else if (NAME_KEYS.includes(key) && !call.begun) begin(sink, call, yield* string(input));
    else if (ID_KEYS.includes(key)) {
      const id = yield* value(input);
      call.id ??= id.startsWith('"') ? JSON.parse(id) : id;
      if (call.begun) sink.identify(call.id as string);
    } else if (ARGUMENT_KEYS.includes(key)) yield* given(input, sink, call, first);
    else if (!call.begun && first === "{" && sink.offers(key)) {
      begin(sink, call, key);
      yield* transcode(input, sink.add);
    } else if (call.strict && key !== "type") throw new Unreadable();
    else yield* value(input);
  }
}

/** The arguments: an object, its JSON text, or null. */
function* given(input: Incoming, sink: CallSink, call: Known, first: string): Reading {
  if (first === "{" && call.begun) return yield* transcode(input, sink.add);
  let json: string | undefined = yield* value(input);
  if (json.startsWith('"')) json = asJson(JSON.parse(json) || "{}");
  if (json === "null") json = "{}";
  if (!json?.startsWith("{")) throw new Unreadable();
  if (call.begun) sink.add(json);
  else call.early = json;
}

function begin(sink: CallSink, call: Known, name: string): void {
  sink.begin(name, call.id ?? (call.lateId ? undefined : null));
  call.begun = true;
  if (call.early !== undefined) sink.add(call.early);
}

/** Any value, as JSON text. */
function* value(input: Incoming): Reading<string> {
  let json = "";
  yield* transcode(input, (part) => {
    json += part;
  });
  return json;
}

function* string(input: Incoming): Reading<string> {
  const json = yield* value(input);
  if (!json.startsWith('"')) throw new Unreadable();
  return JSON.parse(json);
}

/**
 * Calls that are texts with fields: `{name}`, `{id}`, `{args}`, with white space between. Without a
 * name, the id has it: `functions.NAME:INDEX`.
 */
export const fields = (pattern: string, notation?: Notation): ReadCalls =>
  function* (input, sink) {
    let name = "";
    let id: string | null = null;
    for (const part of pattern.split(/(\{\w+\})/).filter(Boolean)) {
      yield* input.space();
      if (part === "{args}") {
        sink.begin(name || (id ?? "").replace(/^functions\.|:\d+$/g, ""), id);
        yield* wholeArguments(input, sink, notation);
      } else if (part === "{name}") name = yield* input.while(WORD);
      else if (part === "{id}") id = yield* input.while(WORD);
      else yield* input.expect(part);
    }
  };

/** Characters of names and ids. */
export const WORD: RegExp = /[\w.:/-]/;

/** Calls between marks of their own, of which the end marks may be missing. */
export const sections = (begin: string, end: string, one: ReadCalls): ReadCalls =>
  function* (input, sink, schemaOf) {
    yield* input.space();
    yield* input.expect(begin);
    do {
      yield* one(input, sink, schemaOf, end);
      yield* input.space();
      yield* input.has(end);
      yield* input.space();
    } while (yield* input.has(begin));
  };

/** Calls as Python has them, or JSON. `nameOf` makes the function's name. */
export const pythonOrJson = (nameOf: (name: string) => string = (name) => name): ReadCalls =>
  function* (input, sink, schemaOf, end) {
    yield* input.space();
    const list = yield* input.has("[");
    yield* input.space();
    const json = "[{`".includes(yield* input.peek());
    if (json) yield* jsonCalls()(input, sink, schemaOf, end);
    else yield* pythonCalls(input, sink, list, nameOf);
  };

/** The first of two readers if one of some texts comes next, else the other. */
export const either = (marks: readonly string[], first: ReadCalls, other: ReadCalls): ReadCalls =>
  function* (input, sink, schemaOf, end) {
    yield* input.space();
    yield* ((yield* input.sees(...marks)) ? first : other)(input, sink, schemaOf, end);
  };

/** Mistral: a JSON list, or `NAME[ARGS]{…}` with `[TOOL_CALLS]` between calls. */
export const mistralCalls: ReadCalls = either(
  ["[", "{", "`"],
  jsonCalls({ lateId: true }),
  function* (input, sink) {
    do {
      yield* input.space();
      const name = yield* input.while(WORD);
      const id = (yield* input.has("[CALL_ID]")) ? yield* input.while(WORD) : null;
      yield* input.expect("[ARGS]");
      sink.begin(name, id);
      yield* wholeArguments(input, sink);
      yield* input.space();
    } while (yield* input.has("[TOOL_CALLS]"));
  },
);

/** DeepSeek: `NAME SEPARATOR {…}`, or `function SEPARATOR NAME` with the arguments in a fence. */
export const deepseekCall: ReadCalls = function* (input, sink) {
  yield* input.space();
  let name = yield* input.while(WORD);
  yield* input.expect("<｜tool▁sep｜>");
  yield* input.space();
  const fenced = (yield* input.peek()) !== "{";
  if (fenced) {
    name = yield* input.while(WORD);
    yield* input.space();
    yield* input.expect("```json");
  }
  sink.begin(name, null);
  yield* wholeArguments(input, sink);
  yield* input.space();
  if (fenced) yield* input.has("```");
};
