/**
 * Values as models write them where they do not write JSON: Python literals and calls such as
 * `f(a=1, b='x')`, and Gemma's notation with bare keys and strings between marks.
 */

/** Deepest nesting of lists and mappings. */
const MAX_DEPTH = 64;

/** Thrown within this file only. */
class NotALiteral extends Error {}

/** How strings and keys are written. */
export interface Notation {
  /** Marks on both sides of a string; backslashes escape only between one-character marks. */
  readonly quotes: readonly string[];
  /** Keys of mappings stand without quotes. */
  readonly bareKeys: boolean;
}

export const PYTHON: Notation = { quotes: ["'", '"'], bareKeys: false };
export const GEMMA: Notation = { quotes: ['<|"|>', '"'], bareKeys: true };

/** A call with named arguments. */
export interface LiteralCall {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

/** The value that all of `text` is, or undefined. */
export function readLiteral(text: string, notation: Notation = PYTHON): unknown {
  return attempt(() => {
    const reader = new Reader(text, notation);
    const value = reader.value(0);
    reader.finish();
    return value;
  });
}

/** `f(a=1)`, or several in brackets or with commas between; undefined if it is anything else. */
export function readCalls(text: string): LiteralCall[] | undefined {
  return attempt(() => {
    const reader = new Reader(text, PYTHON);
    const bracket = reader.takes("[");
    const calls: LiteralCall[] = [];
    do {
      if (bracket && reader.sees("]")) break;
      calls.push(reader.call());
    } while (reader.takes(",") || reader.takes(";"));
    if (bracket) reader.expect("]");
    reader.finish();
    return calls;
  });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotALiteral) return undefined;
    throw error;
  }
}

/** Words that are values. */
export const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["True", true],
  ["true", true],
  ["False", false],
  ["false", false],
  ["None", null],
  ["null", null],
]);
/** Characters by the letter that escapes them; other letters stand for themselves. */
export const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["b", "\b"],
  ["f", "\f"],
  ["0", "\0"],
]);

export const isNumber = (word: string): boolean =>
  /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(word);

class Reader {
  readonly #text: string;
  readonly #notation: Notation;
  #at = 0;

  constructor(text: string, notation: Notation) {
    this.#text = text;
    this.#notation = notation;
  }

  sees(mark: string): boolean {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
    return this.#text.startsWith(mark, this.#at);
  }
  takes(mark: string): boolean {
    if (!this.sees(mark)) return false;
    this.#at += mark.length;
    return true;
  }
  expect(mark: string): void {
    if (!this.takes(mark)) throw new NotALiteral();
  }
  finish(): void {
    this.sees("");
    if (this.#at < this.#text.length) throw new NotALiteral();
  }

  call(): LiteralCall {
    const name = this.#match(/[\p{L}_][\p{L}\p{N}_.-]*/uy);
    const args: [string, unknown][] = [];
    this.expect("(");
    while (!this.takes(")")) {
      const key = this.#match(/[\p{L}_][\p{L}\p{N}_-]*/uy);
      this.expect("=");
      args.push([key, this.value(0)]);
      if (!this.takes(",") && !this.sees(")")) throw new NotALiteral();
    }
    return { name, arguments: Object.fromEntries(args) };
  }

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new NotALiteral();
    for (const quote of this.#notation.quotes) if (this.takes(quote)) return this.#string(quote);
    if (this.takes("[")) return this.#list("]", depth);
    if (this.takes("(")) return this.#list(")", depth);
    if (this.takes("{")) return this.#mapping(depth);
    const word = this.#match(/[-+\w.]+/y);
    if (WORDS.has(word)) return WORDS.get(word);
    if (!isNumber(word)) throw new NotALiteral();
    return Number(word);
  }

  #list(close: string, depth: number): unknown[] {
    const items: unknown[] = [];
    while (!this.takes(close)) {
      items.push(this.value(depth + 1));
      if (!this.takes(",") && !this.sees(close)) throw new NotALiteral();
    }
    return items;
  }

  #mapping(depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    while (!this.takes("}")) {
      const key = this.#key(depth);
      this.expect(":");
      entries.push([key, this.value(depth + 1)]);
      if (!this.takes(",") && !this.sees("}")) throw new NotALiteral();
    }
    return Object.fromEntries(entries);
  }

  #key(depth: number): string {
    const quoted = this.#notation.quotes.some((quote) => this.sees(quote));
    if (quoted || !this.#notation.bareKeys) return String(this.value(depth + 1));
    return this.#match(/[^:{}[\],]+/y).trim();
  }

  #string(quote: string): string {
    if (quote.length > 1) {
      const end = this.#text.indexOf(quote, this.#at);
      if (end < 0) throw new NotALiteral();
      const value = this.#text.slice(this.#at, end);
      this.#at = end + quote.length;
      return value;
    }
    let [out, from] = ["", this.#at];
    for (;;) {
      const c = this.#text[this.#at];
      if (c === undefined) throw new NotALiteral();
      if (c === quote) break;
      if (c === "\\") {
        out += this.#text.slice(from, this.#at) + this.#escape();
        from = this.#at;
      } else this.#at++;
    }
    out += this.#text.slice(from, this.#at++);
    return out;
  }

  #escape(): string {
    const c = this.#text[this.#at + 1] ?? "";
    this.#at += 2;
    const digits = { x: 2, u: 4, U: 8 }[c];
    if (digits === undefined) return ESCAPES.get(c) ?? c;
    const hex = this.#text.slice(this.#at, this.#at + digits);
    const code = /^[0-9a-fA-F]+$/.test(hex) ? Number.parseInt(hex, 16) : -1;
    if (hex.length < digits || code < 0 || code > 0x10ffff) throw new NotALiteral();
    this.#at += digits;
    return String.fromCodePoint(code);
  }

  /** What a sticky pattern matches here, after white space. */
  #match(pattern: RegExp): string {
    this.sees("");
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw new NotALiteral();
    this.#at += found.length;
    return found;
  }
}
