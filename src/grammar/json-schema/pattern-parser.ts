/** ECMAScript's regular expressions, parsed: those that a `pattern` may be. */
import { LAST_CODE_POINT, otherCharacters, type Range, tidyRanges } from "../regex/bytes.ts";

export type PatternNode =
  | { readonly kind: "characters"; readonly ranges: readonly Range[] }
  | { readonly kind: "start" | "end" }
  | { readonly kind: "look"; readonly part: PatternNode; readonly negative: boolean }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly PatternNode[] }
  | {
      readonly kind: "repeat";
      readonly part: PatternNode;
      readonly min: number;
      readonly max: number;
    };

/** Why a pattern is not taken; `valid`: ECMAScript would take it. */
export class PatternProblem extends Error {
  readonly valid: boolean;

  constructor(message: string, valid: boolean) {
    super(message);
    this.valid = valid;
  }
}

const DIGITS: Range[] = [[0x30, 0x39]];
const WORD: Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const SPACE: Range[] = [
  ...([
    [9, 13],
    [0x20, 0x20],
    [0xa0, 0xa0],
    [0x1680, 0x1680],
    [0x2000, 0x200a],
  ] as Range[]),
  ...([
    [0x2028, 0x2029],
    [0x202f, 0x202f],
    [0x205f, 0x205f],
    [0x3000, 0x3000],
  ] as Range[]),
  [0xfeff, 0xfeff],
];
const LINE_ENDS: Range[] = [
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
];
const CLASSES: Readonly<Record<string, readonly Range[]>> = {
  d: DIGITS,
  D: otherCharacters(DIGITS),
  w: WORD,
  W: otherCharacters(WORD),
  s: SPACE,
  S: otherCharacters(SPACE),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };
const MOST_REPEATED = 100_000;
const DEEPEST = 200;

export const parsePattern = (pattern: string): PatternNode => new Parser(pattern).whole();

class Parser {
  readonly #text: string[];
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#text = Array.from(pattern);
  }

  whole(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#text.length) throw new PatternProblem('an unmatched ")"', false);
    return node;
  }

  #takes(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.#text[this.#at + i] !== text[i]) return false;
    this.#at += text.length;
    return true;
  }

  #choice(): PatternNode {
    if (++this.#depth > DEEPEST) throw new PatternProblem("too many groups in each other", true);
    const parts = [this.#sequence()];
    while (this.#takes("|")) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? parts[0] : { kind: "choice", parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined || next === "|" || next === ")") break;
      parts.push(this.#repeated(this.#atom()));
    }
    return parts.length === 1 ? parts[0] : { kind: "sequence", parts };
  }

  #repeated(part: PatternNode): PatternNode {
    let [min, max] = [1, 1];
    if (this.#takes("*")) [min, max] = [0, Number.POSITIVE_INFINITY];
    else if (this.#takes("+")) max = Number.POSITIVE_INFINITY;
    else if (this.#takes("?")) min = 0;
    else {
      const counts = this.#counts();
      if (!counts) return part;
      [min, max] = counts;
    }
    // Laziness changes what is captured, not what matches.
    this.#takes("?");
    if ("*+?".includes(this.#text[this.#at] ?? " "))
      throw new PatternProblem("nothing to repeat", false);
    return { kind: "repeat", part, min, max };
  }

  /** `{2}`, `{2,}` or `{2,5}`; any other brace is a character. */
  #counts(): [number, number] | undefined {
    if (this.#text[this.#at] !== "{") return undefined;
    const end = this.#text.indexOf("}", this.#at);
    if (end < 0) return undefined;
    const match = /^(\d+)(,(\d*))?$/.exec(this.#text.slice(this.#at + 1, end).join(""));
    if (!match) return undefined;
    this.#at = end + 1;
    const min = Number(match[1]);
    const max = match[2] ? (match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY) : min;
    if (max < min) throw new PatternProblem("a count whose end is before its start", false);
    if (min > MOST_REPEATED || (max > MOST_REPEATED && max < Number.POSITIVE_INFINITY))
      throw new PatternProblem(`a count above ${MOST_REPEATED}`, true);
    return [min, max];
  }

  #atom(): PatternNode {
    const next = this.#text[this.#at++];
    switch (next) {
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case ".":
        return { kind: "characters", ranges: otherCharacters(LINE_ENDS) };
      case "(":
        return this.#group();
      case "[":
        return { kind: "characters", ranges: this.#class() };
      case "\\":
        return { kind: "characters", ranges: this.#escape(false) };
      case "*":
      case "+":
      case "?":
        throw new PatternProblem("nothing to repeat", false);
      default: {
        const code = next.codePointAt(0)!;
        return { kind: "characters", ranges: [[code, code]] };
      }
    }
  }

  #group(): PatternNode {
    let look: { negative: boolean } | undefined;
    if (this.#takes("?=")) look = { negative: false };
    else if (this.#takes("?!")) look = { negative: true };
    else if (this.#takes("?<=") || this.#takes("?<!"))
      throw new PatternProblem("a lookbehind", true);
    else if (this.#takes("?P<") || this.#takes("?<")) {
      const end = this.#text.indexOf(">", this.#at);
      if (end < 0) throw new PatternProblem("a group without a name", false);
      this.#at = end + 1;
    } else if (!this.#takes("?:") && this.#text[this.#at] === "?")
      throw new PatternProblem("a group of an unknown kind", false);
    const part = this.#choice();
    if (!this.#takes(")")) throw new PatternProblem('a "(" without its ")"', false);
    return look ? { kind: "look", part, ...look } : part;
  }

  #class(): readonly Range[] {
    const negative = this.#takes("^");
    const ranges: Range[] = [];
    for (;;) {
      if (this.#at >= this.#text.length) throw new PatternProblem('a "[" without its "]"', false);
      if (this.#takes("]")) break;
      const from = this.#member();
      const dash = this.#text[this.#at] === "-" && this.#text[this.#at + 1] !== "]";
      if (!dash || from.length !== 1 || from[0][0] !== from[0][1]) {
        ranges.push(...from);
        continue;
      }
      this.#at++;
      if (this.#at >= this.#text.length) continue;
      const to = this.#member();
      if (to.length !== 1 || to[0][0] !== to[0][1]) ranges.push(...from, [0x2d, 0x2d], ...to);
      else if (to[0][0] < from[0][0])
        throw new PatternProblem("a range whose end is before its start", false);
      else ranges.push([from[0][0], to[0][0]]);
    }
    return negative ? otherCharacters(ranges) : tidyRanges(ranges);
  }

  #member(): readonly Range[] {
    const next = this.#text[this.#at++];
    if (next === "\\") return this.#escape(true);
    const code = next.codePointAt(0)!;
    return [[code, code]];
  }

  #escape(inClass: boolean): readonly Range[] {
    const next = this.#text[this.#at++];
    if (next === undefined) throw new PatternProblem('a "\\" at the end', false);
    const one = (code: number): Range[] => [[code, code]];
    if (CLASSES[next]) return CLASSES[next];
    if (next in CONTROLS) return one(CONTROLS[next]);
    if (next === "p" || next === "P") return this.#property(next === "P");
    if (next === "u" || next === "x") return one(this.#hex(next));
    if (next === "c") {
      const letter = this.#text[this.#at++] ?? "";
      if (!/^[A-Za-z]$/.test(letter)) throw new PatternProblem('a "\\c" without its letter', false);
      return one(letter.charCodeAt(0) % 32);
    }
    if (next === "0" && !/\d/.test(this.#text[this.#at] ?? "")) return one(0);
    if (next === "b" && inClass) return one(8);
    if (next === "b" || next === "B") throw new PatternProblem("a word boundary", true);
    if (/[1-9k]/.test(next)) throw new PatternProblem("a backreference", true);
    if (/[A-Za-z0-9]/.test(next)) throw new PatternProblem(`the unknown escape "\\${next}"`, false);
    return one(next.codePointAt(0)!);
  }

  #hex(kind: string): number {
    const read = (count: number): number => {
      const digits = this.#text.slice(this.#at, this.#at + count).join("");
      if (digits.length !== count || !/^[0-9a-f]+$/i.test(digits))
        throw new PatternProblem(`a "\\${kind}" without its digits`, false);
      this.#at += count;
      return Number.parseInt(digits, 16);
    };
    if (kind === "x") return read(2);
    if (this.#takes("{")) {
      const end = this.#text.indexOf("}", this.#at);
      const code = end < 0 ? Number.NaN : read(end - this.#at);
      if (!(code <= LAST_CODE_POINT)) throw new PatternProblem("no character of Unicode's", false);
      this.#at = end + 1;
      return code;
    }
    const code = read(4);
    if (code < 0xd800 || code > 0xdbff || !this.#takes("\\u")) return code;
    const low = read(4);
    return 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
  }

  #property(negative: boolean): readonly Range[] {
    const end = this.#text.indexOf("}", this.#at);
    if (this.#text[this.#at] !== "{" || end < 0)
      throw new PatternProblem('a "\\p" without its property', false);
    const name = this.#text.slice(this.#at + 1, end).join("");
    this.#at = end + 1;
    const ranges = propertyRanges(name);
    return negative ? otherCharacters(ranges) : ranges;
  }
}

/** Characters that are looked at at once: as many as there are surrogates. */
const BLOCK = 0x800;

const properties = new Map<string, Range[]>();

/** The characters of a property of Unicode's, as this JavaScript knows them. */
function propertyRanges(name: string): readonly Range[] {
  const known = properties.get(name);
  if (known) return known;
  let runs: RegExp;
  try {
    runs = new RegExp(`\\p{${name}}+`, "gu");
  } catch {
    throw new PatternProblem(`the unknown property "${name}"`, false);
  }
  const ranges: [number, number][] = [];
  for (let first = 0; first <= LAST_CODE_POINT; first += BLOCK) {
    if (first === 0xd800) continue;
    const units = first > 0xffff ? 2 : 1;
    const block = String.fromCodePoint(...Array.from({ length: BLOCK }, (_, i) => first + i));
    for (const { index, 0: run } of block.matchAll(runs)) {
      const from = first + index / units;
      const to = from + run.length / units - 1;
      const last = ranges.at(-1);
      if (last && last[1] === from - 1) last[1] = to;
      else ranges.push([from, to]);
    }
  }
  properties.set(name, ranges);
  return ranges;
}
