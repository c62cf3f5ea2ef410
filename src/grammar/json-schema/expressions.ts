/** The expressions that a schema is made of, and what can be asked of them. */

import { utf8 } from "../regex/bytes.ts";
import { derive, isAlive } from "../regex/derive.ts";
import type { Regex, RegexBuilder } from "../regex/regex.ts";
import { Numbers } from "./numbers.ts";
import { ANY_ARRAY, ANY_OBJECT, type Shape } from "./shape.ts";
import { Strings, type Writing } from "./strings.ts";

export class Expressions {
  readonly r: RegexBuilder;
  readonly numbers: Numbers;
  readonly strings: Strings;
  /** Any value. */
  readonly all: Shape;
  /** No value. */
  readonly none: Shape;

  constructor(r: RegexBuilder, writing?: Writing) {
    this.r = r;
    this.numbers = new Numbers(r);
    this.strings = new Strings(r, writing);
    this.all = {
      ...{ null: true, true: true, false: true, numbers: this.numbers.any },
      ...{ strings: this.strings.any, arrays: [ANY_ARRAY], objects: [ANY_OBJECT] },
    };
    this.none = {
      ...{ null: false, true: false, false: false, numbers: r.never },
      ...{ strings: r.never, arrays: [], objects: [] },
    };
  }

  /** All strings, written in the one way, but those. */
  otherStrings(those: Regex): Regex {
    if (those === this.strings.any) return this.r.never;
    return this.r.and(this.strings.plain, this.r.not(those));
  }

  /** All numbers, without an exponent, but those. */
  otherNumbers(those: Regex): Regex {
    if (those === this.numbers.any) return this.r.never;
    return this.r.and(this.numbers.plain, this.r.not(those));
  }

  alive(regex: Regex): boolean {
    this.r.mostNodes = Math.max(this.r.mostNodes, 4 * regex.size);
    return isAlive(this.r, regex);
  }

  matches(regex: Regex, text: string): boolean {
    let at = regex;
    for (const byte of utf8(text)) {
      at = derive(this.r, at, this.r.classOf[byte]);
      if (at === this.r.never) return false;
    }
    return at.nullable;
  }

  /** Whether a key is one of those; undefined are all. */
  keyMatches(keys: Regex | undefined, name: string): boolean {
    return keys === undefined || this.matches(keys, this.strings.written(name));
  }

  /** All texts that match, if they are at most `most`. */
  words(regex: Regex, most: number): string[] | undefined {
    const words: string[] = [];
    const left: [Regex, number[]][] = [[regex, []]];
    for (let steps = 0; left.length > 0; steps++) {
      const [at, bytes] = left.pop()!;
      if (at.nullable) words.push(new TextDecoder().decode(new Uint8Array(bytes)));
      if (words.length > most || steps > 2000 || bytes.length > 200) return undefined;
      for (let byte = 0; byte < 256; byte++) {
        const next = derive(this.r, at, this.r.classOf[byte]);
        if (this.alive(next)) left.push([next, [...bytes, byte]]);
      }
    }
    return words;
  }
}
