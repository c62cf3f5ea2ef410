/**
 * Strings as JSON writes them, without their quotes. A string that something is asked of is written
 * in one way only: as it is, and with the shortest escape where JSON wants one. A string of which
 * only the length counts may hold any escape.
 */
import { otherCharacters, type Range } from "../regex/bytes.ts";
import type { Regex, RegexBuilder } from "../regex/regex.ts";

const SHORT: Readonly<Record<number, string>> = {
  8: "\\b",
  9: "\\t",
  10: "\\n",
  12: "\\f",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};
const LESS: Range = [60, 60];
const ESCAPED: readonly Range[] = [
  [0, 31],
  [34, 34],
  [92, 92],
];

const escapeOf = (code: number): string =>
  SHORT[code] ?? `\\u${code.toString(16).padStart(4, "0")}`;

/**
 * How strings are written: as in JSON; so, but with every "<" escaped, for a JSON text between tags;
 * or as they are, without any escapes.
 */
export type Writing = "json" | "between tags" | "as they are";

/** The expressions of strings, all of one builder. */
export class Strings {
  readonly #r: RegexBuilder;
  readonly #writing: Writing;
  /** Any string, with any escapes. */
  readonly any: Regex;
  /** Any string, written in the one way. */
  readonly plain: Regex;
  readonly #freely: Regex;
  readonly #characters = new Map<string, Regex>();

  constructor(r: RegexBuilder, writing: Writing = "json") {
    this.#r = r;
    this.#writing = writing;
    const hex: Range[] = [
      [0x30, 0x39],
      [0x41, 0x46],
      [0x61, 0x66],
    ];
    const digits = (count: number): Regex => r.repeat(r.bytes(hex), count, count);
    const d = r.bytes([
      [0x44, 0x44],
      [0x64, 0x64],
    ]);
    const notD = r.bytes([
      [0x30, 0x39],
      [0x41, 0x43],
      [0x45, 0x46],
      [0x61, 0x63],
      [0x65, 0x66],
    ]);
    const low = r.bytes([[0x30, 0x37]]);
    const high = r.bytes([
      [0x38, 0x39],
      [0x41, 0x42],
      [0x61, 0x62],
    ]);
    const end = r.bytes([
      [0x43, 0x46],
      [0x63, 0x66],
    ]);
    const u = r.text("\\u");
    const anyEscape = r.or(
      r.concat(u, r.or(r.concat(notD, digits(3)), r.concat(d, low, digits(2)))),
      r.concat(u, d, high, digits(2), u, d, end, digits(2)),
      r.text("\\/"),
    );
    const one = this.characters([[0, 0x10ffff]]);
    this.plain = r.repeat(one, 0);
    this.#freely = writing === "as they are" ? one : r.or(one, anyEscape);
    this.any = r.repeat(this.#freely, 0);
  }

  /** One character in any of the ranges, as it stands in a string. */
  characters(ranges: readonly Range[]): Regex {
    const key = ranges.join();
    let known = this.#characters.get(key);
    if (!known) this.#characters.set(key, (known = this.#one(ranges)));
    return known;
  }

  #one(ranges: readonly Range[]): Regex {
    const r = this.#r;
    if (this.#writing === "as they are") return r.characters(ranges);
    const escaped = this.#writing === "json" ? ESCAPED : [...ESCAPED, LESS];
    const escapes: string[] = [];
    for (const [from, to] of ranges)
      for (const [low, high] of escaped)
        for (let code = Math.max(from, low); code <= Math.min(to, high); code++)
          escapes.push(escapeOf(code));
    const raw = otherCharacters([...otherCharacters(ranges), ...escaped]);
    return r.or(r.characters(raw), r.texts(escapes));
  }

  /** A text as it stands in a string. */
  written(text: string): string {
    if (this.#writing === "as they are") return text;
    const json = JSON.stringify(text).slice(1, -1);
    return this.#writing === "json" ? json : json.replaceAll("<", escapeOf(LESS[0]));
  }

  /** Strings of so many characters. */
  length(min: number, max: number): Regex {
    return this.#r.repeat(this.#freely, min, max);
  }
}
