/**
 * Values as models write them, as JSON text while they are written. JSON comes out as it is; Python
 * literals, and Gemma's notation with bare keys and strings between marks, are rewritten.
 */
import { type Incoming, type Reading, Unreadable } from "./incoming.ts";

/** How strings and keys are written. */
export interface Notation {
  /** Marks on both sides of a string; backslashes escape only between one-character marks. */
  readonly quotes: readonly string[];
  /** Keys of mappings stand without quotes. */
  readonly bareKeys: boolean;
}

export const PYTHON: Notation = { quotes: ["'", '"'], bareKeys: false };
export const GEMMA: Notation = { quotes: ['<|"|>', '"'], bareKeys: true };

/** Takes JSON text, bit by bit. */
export type Emit = (json: string) => void;

/** Words that are values. */
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["True", true],
  ["true", true],
  ["False", false],
  ["false", false],
  ["None", null],
  ["null", null],
]);
/** A character of a number or constant. */
const WORD = /[-+\w.]/;
/** Characters by the letter that escapes them; other letters stand for themselves. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["b", "\b"],
  ["f", "\f"],
  ["0", "\0"],
]);

/** Text as the inside of a JSON string. */
export const inside = (text: string): string =>
  text.replace(/["\\\u0000-\u001f]/g, (c) => JSON.stringify(c).slice(1, -1));

/** White space that JSON has too. */
const gap = (space: string): string => space.replace(/[^ \t\r\n]/g, "");

/** Lists and mappings by their opening marks: the closing mark, and both in JSON. */
const CONTAINERS = { "[": ["]", "[", "]"], "(": [")", "[", "]"], "{": ["}", "{", "}"] } as const;
type Container = (typeof CONTAINERS)[keyof typeof CONTAINERS];

/** Reads one value, after white space, which is dropped. A comma behind the last item is dropped too. */
export function* transcode(input: Incoming, emit: Emit, notation: Notation = PYTHON): Reading {
  const open: Container[] = [];
  yield* input.space();
  for (;;) {
    const opened = yield* opening(input);
    if (opened !== undefined) {
      open.push(opened);
      emit(opened[1] + gap(yield* input.space()));
      if (!(yield* input.sees(opened[0]))) {
        if (opened[0] === "}") yield* key(input, emit, notation);
        continue;
      }
    } else if (!(yield* quoted(input, emit, notation))) emit(wordAsJson(yield* input.while(WORD)));
    // A value has ended, and with it what it is the last of.
    for (;;) {
      const inner = open.at(-1);
      if (inner === undefined) return;
      const [close, , closeJson] = inner;
      let space = gap(yield* input.space());
      if (!(yield* input.sees(close))) {
        emit(space);
        yield* input.expect(",");
        space = gap(yield* input.space());
        if (!(yield* input.sees(close))) {
          emit(`,${space}`);
          if (close === "}") yield* key(input, emit, notation);
          break;
        }
      }
      yield* input.expect(close);
      emit(space + closeJson);
      open.pop();
    }
  }
}

function* opening(input: Incoming): Reading<Container | undefined> {
  const mark = yield* input.peek();
  if (mark !== "[" && mark !== "(" && mark !== "{") return undefined;
  yield* input.expect(mark);
  return CONTAINERS[mark];
}

/** A key of a mapping, up to the value behind it. */
function* key(input: Incoming, emit: Emit, notation: Notation): Reading {
  if (!(yield* quoted(input, emit, notation))) {
    const bare = yield* input.while(notation.bareKeys ? /[^:{}[\],]/ : WORD);
    if (bare === "") throw new Unreadable();
    // Python's numbers and constants may be keys too.
    const text = notation.bareKeys ? bare.trim() : String(JSON.parse(wordAsJson(bare)));
    emit(JSON.stringify(text));
  }
  emit(gap(yield* input.space()));
  yield* input.expect(":");
  emit(":");
  emit(gap(yield* input.space()));
}

/** A string, if one comes next. */
function* quoted(input: Incoming, emit: Emit, notation: Notation): Reading<boolean> {
  for (const quote of notation.quotes)
    if (yield* input.has(quote)) {
      emit('"');
      yield* stringRest(input, emit, quote);
      emit('"');
      return true;
    }
  return false;
}

function* stringRest(input: Incoming, emit: Emit, quote: string): Reading {
  // Backslashes escape only between one-character quotes.
  const marks = quote.length > 1 ? [quote] : [quote, "\\"];
  for (;;) {
    const { text, mark } = yield* input.some(marks);
    if (text !== "") emit(inside(text));
    if (mark === quote) return;
    if (mark === "\\") emit(yield* escaped(input));
  }
}

/** An escape behind its backslash, as JSON has it. */
function* escaped(input: Incoming): Reading<string> {
  const c = yield* input.peek();
  yield* input.expect(c);
  const digits = { x: 2, u: 4, U: 8 }[c];
  if (digits === undefined) return '"\\/bfnrt'.includes(c) ? `\\${c}` : inside(ESCAPES.get(c) ?? c);
  let hex = "";
  for (let i = 0; i < digits; i++) {
    const digit = yield* input.peek();
    if (!/[0-9a-fA-F]/.test(digit)) throw new Unreadable();
    yield* input.expect(digit);
    hex += digit;
  }
  if (c === "u") return `\\u${hex}`;
  const code = Number.parseInt(hex, 16);
  if (code > 0x10ffff) throw new Unreadable();
  return inside(String.fromCodePoint(code));
}

function wordAsJson(word: string): string {
  if (WORDS.has(word)) return JSON.stringify(WORDS.get(word));
  if (!/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(word)) throw new Unreadable();
  const json = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(word);
  return json ? word : JSON.stringify(Number(word));
}
