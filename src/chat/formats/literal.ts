/** Values and calls as models write them where they do not write JSON: `f(a=1, b='x')`, for example. */
import { Incoming, type Reading, Unreadable } from "./incoming.ts";
import { transcode } from "./transcode.ts";
import type { CallSink } from "./types.ts";

/** JSON, or the Python literal that some models write for it, as JSON text; undefined if it is neither. */
export function asJson(text: string): string | undefined {
  const input = new Incoming(text);
  let json = "";
  try {
    transcode(input, (part) => {
      json += part;
    }).next();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
  return input.rest().trim() === "" ? json : undefined;
}

/**
 * Reads calls as Python has them, with commas or semicolons between.
 *
 * @param list they end with a bracket, whose beginning was read
 */
export function* pythonCalls(
  input: Incoming,
  sink: CallSink,
  list: boolean,
  nameOf: (name: string) => string,
): Reading {
  do {
    yield* input.space();
    if (list && (yield* input.sees("]"))) break;
    yield* pythonCall(input, sink, nameOf);
    yield* input.space();
  } while ((yield* input.has(",")) || (yield* input.has(";")));
  if (list) yield* input.has("]");
}

function* pythonCall(input: Incoming, sink: CallSink, nameOf: (name: string) => string): Reading {
  const name = yield* identifier(input, /[\p{L}\p{N}_.-]/u);
  yield* input.expect("(");
  sink.begin(nameOf(name), null);
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
