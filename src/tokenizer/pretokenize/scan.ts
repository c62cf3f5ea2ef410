/**
 * The pieces that pre-tokenizers are made of: hand-written scanners over code points.
 *
 * A scanner looks at one place and says where its match ends. The comment of each gives the regular
 * expression that it stands for. Matching is leftmost, the first alternative that fits wins, and
 * repetition is greedy, so results are those of a backtracking engine, in linear time.
 */
import { category, LETTER, lowerCase, MARK, NUMBER, SPACE } from "../unicode.ts";

/** Returned by a scanner that does not match. */
export const NONE = -1;

/** Where a match that starts at `at` ends (exclusive), or {@link NONE}. */
export type Scanner = (scan: Scan, at: number) => number;

export const CR = 13;
export const LF = 10;
export const BLANK = 32;
const APOSTROPHE = 39;
const SLASH = 47;

/** Code points, and the stretch of them that is being cut; nothing outside it is seen. */
export class Scan {
  readonly points: Int32Array;
  end: number;
  #spaceFrom = 0;
  #spaceTo = 0;
  #newlineTo = 0;
  #digitFrom = 0;
  #digitTo = 0;

  constructor(points: Int32Array) {
    this.points = points;
    this.end = points.length;
  }

  /** Category bits, 0 outside. */
  bits(at: number): number {
    return at < this.end ? category(this.points[at]) : 0;
  }

  /** The code point, -1 outside. */
  point(at: number): number {
    return at < this.end ? this.points[at] : -1;
  }

  /** End of the run with any of `bits`; `at` itself where there is none. */
  run(at: number, bits: number): number {
    while (at < this.end && category(this.points[at]) & bits) at++;
    return at;
  }

  /** End of the run with none of `bits`. */
  runWithout(at: number, bits: number): number {
    while (at < this.end && (category(this.points[at]) & bits) === 0) at++;
    return at;
  }

  /** End of the run of white space; remembered, so that asking inside the run again is free. */
  spaceEnd(at: number): number {
    this.#lookAtSpace(at);
    return this.#spaceTo;
  }

  /** End of the last \r or \n in the run of white space, or {@link NONE}. */
  newlineEnd(at: number): number {
    this.#lookAtSpace(at);
    return this.#newlineTo > at ? this.#newlineTo : NONE;
  }

  #lookAtSpace(at: number): void {
    if (at >= this.#spaceFrom && at < this.#spaceTo && this.#spaceTo <= this.end) return;
    let to = at;
    let newline = NONE;
    for (; to < this.end && category(this.points[to]) & SPACE; to++)
      if (this.points[to] === LF || this.points[to] === CR) newline = to + 1;
    this.#spaceFrom = at;
    this.#spaceTo = to;
    this.#newlineTo = newline;
  }

  /** End of the run of numbers; remembered like {@link spaceEnd}. */
  digitEnd(at: number): number {
    if (at < this.#digitFrom || at >= this.#digitTo || this.#digitTo > this.end) {
      this.#digitFrom = at;
      this.#digitTo = this.run(at, NUMBER);
    }
    return this.#digitTo;
  }
}

/** The first of several scanners that matches. */
export function anyOf(...scanners: Scanner[]): Scanner {
  return (scan, at) => {
    for (const scanner of scanners) {
      const end = scanner(scan, at);
      if (end > at) return end;
    }
    return NONE;
  };
}

/** `[…]+` of code points for which `has` holds. */
export function runOf(has: (point: number) => boolean): Scanner {
  return (scan, at) => {
    let end = at;
    while (end < scan.end && has(scan.points[end])) end++;
    return end > at ? end : NONE;
  };
}

/** `\s?[…]+`: a run as {@link runOf}, with a white space before it. */
export function spacedRunOf(has: (point: number) => boolean): Scanner {
  const run = runOf(has);
  return (scan, at) => {
    const end = scan.bits(at) & SPACE ? run(scan, at + 1) : NONE;
    return end === NONE ? run(scan, at) : end;
  };
}

/** `'s|'t|'re|'ve|'m|'ll|'d` */
function contractionEnd(scan: Scan, at: number, anyCase: boolean): number {
  if (scan.point(at) !== APOSTROPHE) return NONE;
  const letter = (place: number): string => {
    const point = scan.point(place);
    return point < 0 ? "" : String.fromCodePoint(anyCase ? lowerCase(point) : point);
  };
  const first = letter(at + 1);
  if (first === "s" || first === "t" || first === "m" || first === "d") return at + 2;
  const pair = first + letter(at + 2);
  return pair === "re" || pair === "ve" || pair === "ll" ? at + 3 : NONE;
}

/** `'s|'t|'re|'ve|'m|'ll|'d` in lower case only. */
export const contraction: Scanner = (scan, at) => contractionEnd(scan, at, false);

/** `(?i:'s|'t|'re|'ve|'m|'ll|'d)` */
export const anyContraction: Scanner = (scan, at) => contractionEnd(scan, at, true);

/** ` ?[…]+tail*` of code points for which `has` holds; a blank must not be among them. */
export function blankRunOf(has: (point: number) => boolean, tail: readonly number[] = []): Scanner {
  return (scan, at) => {
    const start = scan.point(at) === BLANK ? at + 1 : at;
    let end = start;
    while (end < scan.end && has(scan.points[end])) end++;
    if (end === start) return NONE;
    while (end < scan.end && tail.includes(scan.points[end])) end++;
    return end;
  };
}

/** ` ?[…]+` of characters with any of `bits`. */
export function blankRun(bits: number): Scanner {
  return (scan, at) => {
    const start = scan.point(at) === BLANK ? at + 1 : at;
    const end = scan.run(start, bits);
    return end > start ? end : NONE;
  };
}

/** ` ?[^\s…]+tail*` of characters with none of `bits`; `tail` is a set of code points. */
export function blankRunWithout(bits: number, tail: readonly number[] = []): Scanner {
  return (scan, at) => {
    const start = scan.point(at) === BLANK ? at + 1 : at;
    let end = scan.runWithout(start, bits | SPACE);
    if (end === start) return NONE;
    while (end < scan.end && tail.includes(scan.points[end])) end++;
    return end;
  };
}

/** What may follow punctuation: line breaks, or line breaks and slashes. */
export const lineBreaks: readonly number[] = [CR, LF];
export const lineBreaksAndSlash: readonly number[] = [CR, LF, SLASH];

const letterOrNumber = (point: number): boolean => (category(point) & (LETTER | NUMBER)) !== 0;

/** `[^\r\n…]?` as a place for what follows: one on if a character is there that may lead. */
function afterLead(scan: Scan, at: number, excluded = letterOrNumber): number {
  if (at >= scan.end) return at;
  const point = scan.points[at];
  return point === CR || point === LF || excluded(point) ? at : at + 1;
}

/** `[^\r\n…]?[…]+`: a run with any of `bits`, and one character before it that is not `excluded`. */
export function ledRun(
  bits: number,
  excluded: (point: number) => boolean = letterOrNumber,
): Scanner {
  return (scan, at) => {
    const lead = afterLead(scan, at, excluded);
    const end = scan.run(lead, bits);
    if (end > lead) return end;
    return lead > at && scan.bits(at) & bits ? lead : NONE;
  };
}

const isLower = (point: number): boolean => point >= 0x61 && point <= 0x7a;
const isUpper = (point: number): boolean => point >= 0x41 && point <= 0x5a;

/** End of `U*`: characters with `bits` but no a–z. */
function capitalsEnd(scan: Scan, at: number, bits: number): number {
  let end = at;
  while (end < scan.end && !isLower(scan.points[end]) && scan.bits(end) & bits) end++;
  return end;
}

/** `U*W+`, where W are characters with `bits` but no A–Z; letters of other scripts are both. */
function capitalizedEnd(scan: Scan, at: number, bits: number): number {
  let end = capitalsEnd(scan, at, bits);
  if (end < scan.end && isLower(scan.points[end])) {
    while (end < scan.end && !isUpper(scan.points[end]) && scan.bits(end) & bits) end++;
    return end;
  }
  // No W follows, so U* gives back characters until one of them is a W.
  while (end > at && isUpper(scan.points[end - 1])) end--;
  return end > at ? end : NONE;
}

/**
 * `LU*W+|LU+W*` with `[^\r\n\p{L}\p{N}]?` for L: a word in which capitals come first, and after it
 * `(?i:'s|'t|'re|'ve|'m|'ll|'d)?` if `contractions`.
 */
export function casedWord(bits: number, contractions: boolean): Scanner {
  const wordEnd = (scan: Scan, at: number): number => {
    const lead = afterLead(scan, at);
    let end = capitalizedEnd(scan, lead, bits);
    if (end === NONE && lead > at) end = capitalizedEnd(scan, at, bits);
    if (end !== NONE) return end;
    // Nothing here can be a W, so these are capitals alone; a mark may lead or belong to them.
    end = capitalsEnd(scan, lead, bits);
    return end > lead ? end : NONE;
  };
  return (scan, at) => {
    const end = wordEnd(scan, at);
    return end === NONE || !contractions ? end : Math.max(end, anyContraction(scan, end));
  };
}

/** A scanner followed by an optional other one. */
export function withOptional(scanner: Scanner, optional: Scanner): Scanner {
  return (scan, at) => {
    const end = scanner(scan, at);
    return end > at ? Math.max(end, optional(scan, end)) : NONE;
  };
}

/** `\p{N}{1,most}` */
export function numbers(most: number = Number.POSITIVE_INFINITY): Scanner {
  return (scan, at) => {
    let end = at;
    while (end < scan.end && end - at < most && category(scan.points[end]) & NUMBER) end++;
    return end > at ? end : NONE;
  };
}

/** Groups of three from the right: `\d{1,3}(?=(\d{3})*\b)` over `\p{N}`. */
export const numbersFromRight: Scanner = (scan, at) => {
  const rest = scan.digitEnd(at) - at;
  return rest > 0 ? at + (rest % 3 || 3) : NONE;
};

/** `\s*[\r\n]+` */
export const newlines: Scanner = (scan, at) => scan.newlineEnd(at);

/** `\s+(?!\S)|\s+`: white space, leaving its last character to a word that follows. */
export const spaces: Scanner = (scan, at) => {
  const end = scan.spaceEnd(at);
  if (end === at) return NONE;
  return end < scan.end && end - at > 1 ? end - 1 : end;
};

/** `\s+$` */
export const trailingSpaces: Scanner = (scan, at) => {
  const end = scan.spaceEnd(at);
  return end > at && end === scan.end ? end : NONE;
};

/** One character out of a set. */
export function oneOf(has: (point: number) => boolean): Scanner {
  return (scan, at) => (at < scan.end && has(scan.points[at]) ? at + 1 : NONE);
}

/** `(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+` after `[^\r\n\p{L}\p{N}]?`: words joined by single blanks. */
export const joinedWords: Scanner = (scan, at) => {
  const start = afterLead(scan, at);
  let end = start;
  while (end < scan.end) {
    const letter = scan.points[end] === BLANK && end > start ? end + 1 : end;
    if ((scan.bits(letter) & LETTER) === 0) break;
    end = scan.run(letter + 1, MARK);
  }
  return end > start ? end : NONE;
};

/** Splits code points with several scanners, one after the other; returns where the pieces end. */
export function cutAll(points: Int32Array, passes: readonly Scanner[]): number[] {
  let ends: number[] = points.length === 0 ? [] : [points.length];
  for (const pass of passes) {
    const scan = new Scan(points);
    const next: number[] = [];
    let start = 0;
    for (const end of ends) {
      scan.end = end;
      // What lies between two matches is a piece of its own.
      let pieceStart = start;
      for (let at = start; at < end; ) {
        const matched = pass(scan, at);
        if (matched <= at) {
          at++;
          continue;
        }
        if (at > pieceStart) next.push(at);
        next.push(matched);
        pieceStart = at = matched;
      }
      if (pieceStart < end) next.push(end);
      start = end;
    }
    ends = next;
  }
  return ends;
}
