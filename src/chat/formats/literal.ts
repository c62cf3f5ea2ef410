/** Values and calls as models write them where they do not write JSON: `f(a=1, b='x')`, for example. */
import { Incoming, type Reading, Unreadable } from "./incoming.ts";
import { type Notation, PYTHON, transcode } from "./transcode.ts";
import type { CallSink, ParsedToolCall } from "./types.ts";

/** The value that all of `text` is, or undefined. */
export function readLiteral(text: string, notation: Notation = PYTHON): unknown {
  let json = "";
  const add = (part: string): void => {
    json += part;
  };
  return readWhole(text, (input) => transcode(input, add, notation)) ? JSON.parse(json) : undefined;
}

/** `f(a=1)`, or several in brackets or with commas between; undefined if it is anything else. */
export function readCalls(text: string): ParsedToolCall[] | undefined {
  const calls: { name: string; json: string }[] = [];
  const sink: CallSink = {
    begin: (name) => void calls.push({ name, json: "" }),
    add: (json) => {
      calls[calls.length - 1].json += json;
    },
    end: () => {},
  };
  const whole = readWhole(text, function* (input) {
    yield* input.space();
    yield* pythonCalls(input, sink, yield* input.has("["));
  });
  if (!whole) return undefined;
  return calls.map(({ name, json }) => ({ name, arguments: JSON.parse(json) }));
}

/** True if `read` reads all of the text, white space at its end aside. */
function readWhole(text: string, read: (input: Incoming) => Reading): boolean {
  const input = new Incoming(text);
  try {
    read(input).next();
    input.space().next();
    return input.empty;
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
}

/**
 * Reads calls as Python has them, with commas or semicolons between.
 *
 * @param list they end with a bracket, whose beginning was read
 */
export function* pythonCalls(input: Incoming, sink: CallSink, list: boolean): Reading {
  do {
    yield* input.space();
    if (list && (yield* input.sees("]"))) break;
    yield* pythonCall(input, sink);
    yield* input.space();
  } while ((yield* input.has(",")) || (yield* input.has(";")));
  if (list) yield* input.expect("]");
}

function* pythonCall(input: Incoming, sink: CallSink): Reading {
  const name = yield* identifier(input, /[\p{L}\p{N}_.-]/u);
  yield* input.expect("(");
  sink.begin(name, null);
  sink.add("{");
  yield* input.space();
  for (let comma = ""; !(yield* input.has(")")); comma = ",") {
    const key = yield* identifier(input, /[\p{L}\p{N}_-]/u);
    yield* input.expect("=");
    sink.add(`${comma}${JSON.stringify(key)}:`);
    yield* transcode(input, sink.add);
    yield* input.space();
    if (!(yield* input.has(",")) && !(yield* input.sees(")"))) throw new Unreadable();
    yield* input.space();
  }
  sink.add("}");
  sink.end();
}

/** A name, which begins with a letter, and white space behind it. */
function* identifier(input: Incoming, characters: RegExp): Reading<string> {
  const name = yield* input.while(characters);
  if (!/^[\p{L}_]/u.test(name)) throw new Unreadable();
  yield* input.space();
  return name;
}
