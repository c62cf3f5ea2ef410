/**
 * llama.cpp's grammar notation (`grammars/README.md` there): rules `name ::= alternatives`, texts in
 * quotes, classes of characters, groups, repetitions, comments, and tokens as such. Rules may be
 * recursive but for the left; a text fits if it has any derivation.
 */
import { quoted } from "../base/text.ts";
import { syntaxError } from "./errors.ts";
import { type Grammar, GrammarBuilder, type RuleTerm, type Term } from "./grammar.ts";
import type { Range } from "./regex/bytes.ts";
import type { Regex } from "./regex/regex.ts";

/** UTF-16 units of a grammar, groups within groups, and repetitions asked for, at most. */
const MOST_TEXT = 1 << 20;
const MOST_DEPTH = 200;
const MOST_TIMES = 100_000;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["t", "\t"],
  ["r", "\r"],
  ["n", "\n"],
  ["\\", "\\"],
  ['"', '"'],
  ["[", "["],
  ["]", "]"],
]);
/** Digits of the escapes that give a character's code. */
const CODE_DIGITS: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

export interface GbnfOptions {
  /** The rule that texts are derived from. @default "root" */
  readonly root?: string;
  /** The token that a text is, whole; without it tokens can be named by number only. */
  readonly tokenOf?: (text: string) => number | undefined;
}

/**
 * Reads a grammar in llama.cpp's notation.
 *
 * @throws WebggufError `grammar/invalid` where the text is none, with the place as `offset`
 */
export function parseGbnf(source: string, options: GbnfOptions = {}): Grammar {
  return new Parser(source, options).grammar();
}

/** What stands in a sequence: an expression as long as it is one, so that neighbours can be joined. */
type Item = Regex | Term;

const isTerm = (item: Item): item is Term =>
  item.kind === "lexeme" ||
  item.kind === "rule" ||
  item.kind === "tokens" ||
  ("of" in item && item.kind === "repeat");

class Parser {
  readonly #source: string;
  readonly #options: GbnfOptions;
  readonly #builder = new GrammarBuilder();
  readonly #rules = new Map<string, { rule: RuleTerm; defined: boolean; at: number }>();
  #at = 0;
  #depth = 0;

  constructor(source: string, options: GbnfOptions) {
    this.#source = source;
    this.#options = options;
  }

  grammar(): Grammar {
    const { root = "root" } = this.#options;
    if (this.#source.length > MOST_TEXT)
      throw this.#error(
        `it has ${this.#source.length} characters; at most ${MOST_TEXT} are read`,
        0,
      );
    this.#space(true);
    while (this.#at < this.#source.length) this.#rule();
    for (const [name, { defined, at }] of this.#rules)
      if (!defined) throw this.#error(`the rule ${quoted(name)} is not defined`, at);
    const start = this.#rules.get(root);
    if (!start)
      throw this.#error(`there is no rule ${quoted(root)}, which texts are derived from`, 0);
    const others = Array.from(this.#rules.values(), ({ rule }) => rule);
    return this.#builder.build(start.rule, others);
  }

  #rule(): void {
    const start = this.#at;
    const name = this.#name();
    if (name === "") throw this.#error("the name of a rule is missing (letters, digits and -)");
    this.#space(false);
    if (!this.#take("::=")) throw this.#error('"::=" is missing after the name of a rule');
    this.#space(true);
    const named = this.#named(name, start);
    const alternatives = this.#alternatives(false).map((items) => this.#terms(items));
    this.#builder.redefine(named.rule, ...alternatives);
    named.defined = true;
    if (this.#at < this.#source.length && !this.#take("\r\n") && !this.#take("\n"))
      if (!this.#take("\r"))
        throw this.#error(
          `${quoted(this.#character())} cannot stand here; a rule ends with its line`,
        );
    this.#space(true);
  }

  #named(name: string, at: number): { rule: RuleTerm; defined: boolean; at: number } {
    let named = this.#rules.get(name);
    if (!named) {
      named = { rule: this.#builder.rule(name), defined: false, at };
      this.#rules.set(name, named);
    }
    return named;
  }

  #alternatives(nested: boolean): Item[][] {
    const alternatives = [this.#sequence(nested)];
    while (this.#take("|")) {
      this.#space(true);
      alternatives.push(this.#sequence(nested));
    }
    return alternatives;
  }

  #sequence(nested: boolean): Item[] {
    const { regex } = this.#builder;
    const items: Item[] = [];
    for (;;) {
      const next = this.#source[this.#at];
      if (next === '"') items.push(this.#text());
      else if (next === "[") {
        const characters = this.#class();
        if (characters) items.push(characters);
      } else if (next === ".") {
        this.#at++;
        items.push(regex.anyCharacter);
      } else if (next === "(") items.push(this.#group());
      else if (next === "<" || next === "!") items.push(this.#token());
      else if (next === "*" || next === "+" || next === "?" || next === "{")
        items.push(this.#repeated(items.pop()));
      else {
        const at = this.#at;
        const name = this.#name();
        if (name === "") return items;
        items.push(this.#named(name, at).rule);
      }
      this.#space(nested);
    }
  }

  #text(): Regex {
    const start = this.#at++;
    const points: number[] = [];
    while (this.#source[this.#at] !== '"') {
      if (this.#at >= this.#source.length) throw this.#error("this text has no end", start);
      points.push(this.#codePoint());
    }
    this.#at++;
    const { regex } = this.#builder;
    return regex.concat(...points.map((point) => regex.characters([[point, point]])));
  }

  #class(): Regex | undefined {
    const start = this.#at++;
    const not = this.#take("^");
    const ranges: Range[] = [];
    while (this.#source[this.#at] !== "]") {
      if (this.#at >= this.#source.length)
        throw this.#error("this class of characters has no end", start);
      const from = this.#codePoint();
      let to = from;
      if (this.#source[this.#at] === "-" && this.#source[this.#at + 1] !== "]") {
        this.#at++;
        to = this.#codePoint();
      }
      ranges.push([from, to]);
    }
    this.#at++;
    if (ranges.length === 0) return undefined;
    const { regex } = this.#builder;
    return not ? regex.otherCharacters(ranges) : regex.characters(ranges);
  }

  #codePoint(): number {
    const start = this.#at;
    const point = this.#source.codePointAt(this.#at);
    if (point === undefined) throw this.#error("a character is missing");
    this.#at += point > 0xffff ? 2 : 1;
    if (point !== 0x5c) return point;
    const letter = this.#source[this.#at++] ?? "";
    const digits = CODE_DIGITS.get(letter);
    if (digits === undefined) {
      const plain = ESCAPES.get(letter);
      if (plain === undefined)
        throw this.#error(
          `there is no escape ${quoted(`\\${letter}`)}; there are \\n \\r \\t \\\\ \\" \\[ \\] \\xHH \\uHHHH \\UHHHHHHHH`,
          start,
        );
      return plain.charCodeAt(0);
    }
    const hex = this.#source.slice(this.#at, this.#at + digits);
    if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length !== digits)
      throw this.#error(`\\${letter} wants ${digits} hexadecimal digits`, start);
    this.#at += digits;
    const code = Number.parseInt(hex, 16);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
      throw this.#error(`${quoted(`\\${letter}${hex}`)} is no character`, start);
    return code;
  }

  #group(): Item {
    const start = this.#at++;
    if (++this.#depth > MOST_DEPTH)
      throw this.#error(`there are more than ${MOST_DEPTH} groups within each other`, start);
    this.#space(true);
    const alternatives = this.#alternatives(true);
    this.#depth--;
    if (!this.#take(")")) throw this.#error('")" is missing');
    const { regex } = this.#builder;
    const plain = alternatives.every((items) => !items.some(isTerm));
    if (!plain) return this.#builder.choice(...alternatives.map((items) => this.#terms(items)));
    return regex.or(...(alternatives as Regex[][]).map((items) => regex.concat(...items)));
  }

  #token(): Term {
    const start = this.#at;
    const not = this.#take("!");
    if (!this.#take("<")) throw this.#error('"<" is missing: "!" stands before a token only');
    let id: number | undefined;
    if (this.#take("[")) {
      id = this.#integer();
      if (!this.#take("]>")) throw this.#error('"]>" is missing after the number of a token');
    } else {
      const end = this.#source.indexOf(">", this.#at);
      if (end < 0) throw this.#error('">" is missing after the name of a token', start);
      const text = `<${this.#source.slice(this.#at, end)}>`;
      this.#at = end + 1;
      const { tokenOf } = this.#options;
      if (!tokenOf)
        throw this.#error(`${quoted(text)} cannot be looked up without a vocabulary`, start);
      id = tokenOf(text);
      if (id === undefined)
        throw this.#error(`${quoted(text)} is not one token of the model`, start);
    }
    return this.#builder.tokens([id], not);
  }

  #repeated(item: Item | undefined): Item {
    const start = this.#at;
    const sign = this.#source[this.#at++];
    let [min, max] = [sign === "+" ? 1 : 0, sign === "?" ? 1 : Number.POSITIVE_INFINITY];
    if (sign === "{") {
      this.#space(false);
      min = max = this.#integer();
      this.#space(false);
      if (this.#take(",")) {
        this.#space(false);
        const digit = /[0-9]/.test(this.#source[this.#at] ?? "");
        max = digit ? this.#integer() : Number.POSITIVE_INFINITY;
        this.#space(false);
      }
      if (!this.#take("}")) throw this.#error('"}" or "," is missing in a repetition');
    }
    if (min > MOST_TIMES || (max > MOST_TIMES && max < Number.POSITIVE_INFINITY))
      throw this.#error(`at most ${MOST_TIMES} repetitions can be counted`, start);
    if (!item) throw this.#error("there is nothing before this to repeat", start);
    if (max < min) throw this.#error(`{${min},${max}} asks for fewer than ${min}`, start);
    if (isTerm(item)) return this.#builder.repeat(item, min, max);
    return this.#builder.regex.repeat(item, min, max);
  }

  #integer(): number {
    const [digits] = /^[0-9]*/.exec(this.#source.slice(this.#at, this.#at + 10))!;
    if (digits === "") throw this.#error("a number is missing");
    const value = Number(digits);
    this.#at += digits.length;
    return value;
  }

  /** The items as terms, neighbouring expressions as one. */
  #terms(items: readonly Item[]): Term[] {
    const terms: Term[] = [];
    let joined: Regex[] = [];
    const flush = (): void => {
      if (joined.length > 0)
        terms.push(this.#builder.lexeme(this.#builder.regex.concat(...joined)));
      joined = [];
    };
    for (const item of items) {
      if (!isTerm(item)) joined.push(item);
      else {
        flush();
        terms.push(item);
      }
    }
    flush();
    return terms;
  }

  #name(): string {
    const [name] = /^[a-zA-Z0-9-]*/.exec(this.#source.slice(this.#at, this.#at + 1000))!;
    this.#at += name.length;
    return name;
  }

  #space(lines: boolean): void {
    for (; this.#at < this.#source.length; this.#at++) {
      const next = this.#source[this.#at];
      if (next === "#") {
        const end = this.#source.slice(this.#at).search(/[\r\n]/);
        this.#at = end < 0 ? this.#source.length : this.#at + end;
        if (!lines) return;
        this.#at--;
      } else if (next !== " " && next !== "\t" && !(lines && (next === "\n" || next === "\r")))
        return;
    }
  }

  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #character(): string {
    return String.fromCodePoint(this.#source.codePointAt(this.#at)!);
  }

  #error(problem: string, at = this.#at): Error {
    return syntaxError("the grammar", this.#source, at, problem);
  }
}
