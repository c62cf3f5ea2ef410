/** Tool calls read while they are written: their names, then their arguments in parts of JSON text. */
import { Incoming, type Reading, Unreadable } from "./incoming.ts";
import { pythonCalls } from "./literal.ts";
import { ARGUMENT_KEYS, ID_KEYS, NAME_KEYS } from "./parse.ts";
import { GEMMA, transcode } from "./transcode.ts";
import type { CallSink, ReadParts } from "./types.ts";

/** Reads what stands before `end`, as it comes; the mark is taken too. */
export function* within(input: Incoming, end: string, read: (inner: Incoming) => Reading): Reading {
  const inner = new Incoming();
  const reading = read(inner);
  for (;;) {
    const { text, mark } = yield* input.some([end]);
    inner.push(text);
    reading.next();
    if (mark !== undefined) return;
  }
}

/** An object of arguments, as a call's. */
function* whole(input: Incoming, sink: CallSink, name: string, id?: string | null): Reading {
  yield* input.space();
  if (name === "" || (yield* input.peek()) !== "{") throw new Unreadable();
  sink.begin(name, id ?? null);
  yield* transcode(input, sink.add);
  sink.end();
}

/** The body of a message that is addressed to a function. */
export const argumentParts = (name: string): ReadParts =>
  function* (input, sink) {
    yield* whole(input, sink, name);
  };

/** What is known of a call in JSON so far. */
interface Known {
  name?: string;
  id?: string;
  /** Arguments that came before the name. */
  early?: string;
  begun?: boolean;
}

/**
 * JSON calls as `jsonCalls` reads them. Arguments that come as JSON text in a string come with the
 * whole call.
 *
 * @param lateId the model writes the id behind the arguments
 */
export const jsonParts = (lateId = false): ReadParts =>
  function* (input, sink) {
    yield* input.space();
    if (yield* input.has("```")) yield* input.has("json");
    for (;;) {
      yield* input.while(/[\s,;[\]]/);
      yield* input.expect("{");
      const call: Known = {};
      yield* record(input, sink, call, lateId);
      if (call.begun !== true) throw new Unreadable();
      sink.end();
    }
  };

/** The entries of a call's object, behind its brace. */
function* record(input: Incoming, sink: CallSink, call: Known, lateId: boolean): Reading {
  for (;;) {
    yield* input.while(/[\s,]/);
    if (yield* input.has("}")) return;
    const key = yield* text(input);
    yield* input.space();
    yield* input.expect(":");
    yield* input.space();
    const first = yield* input.peek();
    const string = first === '"' || first === "'";
    if (key === "function" && first === "{") {
      yield* input.expect("{");
      yield* record(input, sink, call, lateId);
    } else if (string && NAME_KEYS.includes(key)) call.name ??= yield* text(input);
    else if (string && ID_KEYS.includes(key)) call.id ??= yield* text(input);
    else if (
      first === "{" &&
      ARGUMENT_KEYS.includes(key) &&
      !call.begun &&
      call.early === undefined
    ) {
      begin(sink, call, lateId);
      if (call.begun) yield* transcode(input, sink.add);
      else {
        call.early = "";
        yield* transcode(input, (json) => {
          call.early += json;
        });
      }
      continue;
    } else yield* transcode(input, () => {});
    if (call.early !== undefined && begin(sink, call, lateId)) sink.add(call.early);
  }
}

/** Begins the call if its name is known; true if it begins here. */
function begin(sink: CallSink, call: Known, lateId: boolean): boolean {
  if (call.begun || !call.name) return false;
  sink.begin(call.name, call.id ?? (lateId ? undefined : null));
  call.begun = true;
  return true;
}

/** A string as its value. */
function* text(input: Incoming): Reading<string> {
  const quote = yield* input.peek();
  if (quote !== '"' && quote !== "'") throw new Unreadable();
  let json = "";
  yield* transcode(input, (part) => {
    json += part;
  });
  return JSON.parse(json);
}

/** `[{"name": {…arguments}}]`. */
export const keyedParts: ReadParts = function* (input, sink) {
  for (;;) {
    yield* input.while(/[\s,[]/);
    yield* input.expect("{");
    yield* input.space();
    const name = yield* text(input);
    yield* input.space();
    yield* input.expect(":");
    yield* whole(input, sink, name);
    yield* input.space();
    yield* input.expect("}");
  }
};

/** Calls between marks of their own. */
export const sectionParts = (begin: string, end: string, one: ReadParts): ReadParts =>
  function* (input, sink, types) {
    for (;;) {
      yield* input.space();
      yield* input.expect(begin);
      yield* within(input, end, (inner) => one(inner, sink, types));
    }
  };

/** `name SEPARATOR {…}`, with what `nameOf` makes of the part before the separator. */
export const namedParts = (
  separator: string,
  nameOf: (head: string) => { name: string; id?: string },
): ReadParts =>
  function* (input, sink) {
    const { text: head } = yield* input.until(separator);
    const { name, id } = nameOf(head.trim());
    yield* whole(input, sink, name, id);
  };

/** DeepSeek: `NAME SEPARATOR {…}`, or `function SEPARATOR NAME` with the arguments in a fence. */
export const deepseekParts: ReadParts = function* (input, sink) {
  const { text: head } = yield* input.until("<｜tool▁sep｜>");
  yield* input.space();
  if ((yield* input.peek()) === "{") return yield* whole(input, sink, head.trim());
  const { text: name } = yield* input.until("```json");
  yield* whole(input, sink, name.trim());
};

/** Mistral: a JSON list, or `NAME[ARGS]{…}` with `[TOOL_CALLS]` between calls. */
export const mistralParts: ReadParts = function* (input, sink, types) {
  yield* input.space();
  if ("[{`".includes(yield* input.peek())) return yield* jsonParts(true)(input, sink, types);
  for (;;) {
    const { text: head } = yield* input.until("[ARGS]");
    const [name, id] = head.split("[CALL_ID]");
    yield* whole(input, sink, name.trim(), id);
    yield* input.space();
    yield* input.expect("[TOOL_CALLS]");
  }
};

/** Calls as Python has them, or JSON. `nameOf` makes the function's name. */
export const pythonParts = (nameOf: (name: string) => string = (name) => name): ReadParts =>
  function* (input, sink, types) {
    yield* input.space();
    const list = yield* input.has("[");
    yield* input.space();
    if ("[{`".includes(yield* input.peek())) return yield* jsonParts()(input, sink, types);
    const begin: CallSink["begin"] = (name, id) => sink.begin(nameOf(name), id);
    yield* pythonCalls(input, { begin, add: sink.add, end: () => sink.end() }, list);
  };

export const gemmaParts: ReadParts = function* (input, sink) {
  yield* input.space();
  yield* input.expect("call:");
  const name = yield* input.while(/[\w.-]/);
  if ((yield* input.peek()) !== "{") throw new Unreadable();
  sink.begin(name, null);
  yield* transcode(input, sink.add, GEMMA);
  sink.end();
};

/** Text of which `mark` is no part. */
export const partsWithout = (mark: string, read: ReadParts): ReadParts =>
  function* (input, sink, types) {
    const inner = new Incoming();
    const reading = read(inner, sink, types);
    for (;;) {
      inner.push((yield* input.some([mark])).text);
      reading.next();
    }
  };
