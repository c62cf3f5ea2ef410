/**
 * Template text to tokens. White space is handled as chat templates expect it (Jinja's `trim_blocks`
 * and `lstrip_blocks`, as in llama.cpp and transformers): a block tag takes the spaces before it on
 * its line and the line break behind it along. `-` at a tag's end takes all white space on that side,
 * `+` none.
 */
import { TemplateError } from "./errors.ts";

/** `text` stands outside of tags, the others between an opening and a closing token. */
export type TokenKind =
  | "text"
  | "name"
  | "string"
  | "integer"
  | "float"
  | "operator"
  | "{{"
  | "}}"
  | "{%"
  | "%}"
  | "end";

export interface Token {
  readonly kind: TokenKind;
  /** The text itself; of strings the content, with escapes replaced. */
  readonly value: string;
  /** Where it begins in the source, in UTF-16 units. */
  readonly at: number;
}

/** Longest first, so that `**` is not read as `*` twice. */
const OPERATORS: readonly string[] = [
  ...["**", "//", "==", "!=", "<=", ">="],
  ...["+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}"],
  ...[",", ".", ":", "|"],
];

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["b", "\b"],
  ["f", "\f"],
  ["v", "\v"],
  ["'", "'"],
  ['"', '"'],
  ["\\", "\\"],
]);
/** Digits of the escapes that give a character's code. */
const CODE_DIGITS: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
]);

const TAG = /\{[{%#]/g;
const SPACE = /\s*/y;
const NAME = /[\p{ID_Start}_]\p{ID_Continue}*/uy;
const DIGITS = /\d+/y;
const NUMBER = /\d+(\.\d+)?([eE][+-]?\d+)?/y;
const RAW = /\{%[-+]?\s*raw\s*(-?)%\}/y;
const END_RAW = /\{%([-+]?)\s*endraw\s*[-+]?%\}/g;

/** The tokens of a template whose line breaks are `\n`; the last one is of kind "end". */
export function tokenize(source: string): Token[] {
  return new Lexer(source).tokens();
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  tokens(): Token[] {
    // As in Jinja, a line break at the very end is not part of the template.
    const end = this.#source.length - (this.#source.endsWith("\n") ? 1 : 0);
    while (this.#at < end) {
      TAG.lastIndex = this.#at;
      const tag = TAG.exec(this.#source)?.index ?? end;
      this.#text(this.#at, tag, this.#source[tag + 2] ?? "", this.#source[tag + 1] ?? "{");
      this.#at = tag;
      if (tag < end) this.#tag();
    }
    this.#add("end", "", end);
    return this.#tokens;
  }

  /** Text between two tags; `sign` and `kind` are the characters of the tag that follows. */
  #text(start: number, end: number, sign: string, kind: string): void {
    let text = this.#source.slice(start, end);
    if (sign === "-") text = text.trimEnd();
    else if (sign !== "+" && kind !== "{") text = this.#withoutIndent(text, start);
    const [before, bracket] = [this.#source[start - 3], this.#source[start - 2]];
    if (start > 0 && before === "-") text = text.trimStart();
    else if (start > 0 && before !== "+" && bracket !== "}") text = text.replace(/^\n/, "");
    if (text !== "") this.#add("text", text, start);
  }

  /** Without the spaces that stand in front of a tag on its line. */
  #withoutIndent(text: string, start: number): string {
    const line = text.lastIndexOf("\n") + 1;
    const isIndent = (line > 0 || start === 0) && text.slice(line).trim() === "";
    return isIndent ? text.slice(0, line) : text;
  }

  /** The tag, comment or raw block that begins here. */
  #tag(): void {
    const start = this.#at;
    const opening = this.#source.slice(start, start + 2);
    if (opening === "{#") {
      const end = this.#source.indexOf("#}", start + 2);
      if (end < 0) throw this.#error("the comment has no end", start);
      this.#at = end + 2;
    } else if (!this.#raw()) {
      this.#add(opening as TokenKind, opening, start);
      this.#at += /[-+]/.test(this.#source[start + 2] ?? "") ? 3 : 2;
      this.#inside(opening === "{{" ? "}}" : "%}", start);
    }
  }

  /** `{% raw %}…{% endraw %}`, whose content is text; false if no raw block begins here. */
  #raw(): boolean {
    RAW.lastIndex = this.#at;
    const open = RAW.exec(this.#source);
    if (open === null) return false;
    const start = this.#at + open[0].length;
    END_RAW.lastIndex = start;
    const close = END_RAW.exec(this.#source);
    if (close === null) throw this.#error("the raw block has no end", this.#at);
    let text = this.#source.slice(start, close.index);
    if (close[1] === "-") text = text.trimEnd();
    else if (close[1] !== "+") text = this.#withoutIndent(text, start);
    if (open[1] === "-") text = text.trimStart();
    if (text !== "") this.#add("text", text, start);
    this.#at = END_RAW.lastIndex;
    return true;
  }

  /** The tokens up to the end of a tag. A mapping's braces may look like one. */
  #inside(close: "}}" | "%}", start: number): void {
    let braces = 0;
    for (;;) {
      this.#match(SPACE);
      const at = this.#at;
      if (at >= this.#source.length) throw this.#error("the tag has no end", start);
      const sign = /[-+]/.test(this.#source[at]) ? 1 : 0;
      if (this.#source.startsWith(close, at + sign) && (close === "%}" || braces === 0)) {
        this.#at += sign + close.length;
        this.#add(close, close, at);
        return;
      }
      const { kind, value } = this.#token();
      if (kind === "operator" && value === "{") braces++;
      if (kind === "operator" && value === "}") braces--;
      this.#add(kind, value, at);
    }
  }

  #token(): Pick<Token, "kind" | "value"> {
    const at = this.#at;
    const first = this.#source[at];
    if (first === "'" || first === '"') return { kind: "string", value: this.#string(first) };
    const name = this.#match(NAME);
    if (name !== undefined) return { kind: "name", value: name };
    // Behind a dot stands an index: `a.0.1` is no number with a point.
    const afterDot = this.#tokens.at(-1)?.value === ".";
    const number = this.#match(afterDot ? DIGITS : NUMBER);
    if (number !== undefined)
      return { kind: /^\d+$/.test(number) ? "integer" : "float", value: number };
    const operator = OPERATORS.find((one) => this.#source.startsWith(one, at));
    if (operator === undefined) throw this.#error(`there is a stray ${JSON.stringify(first)}`, at);
    this.#at += operator.length;
    return { kind: "operator", value: operator };
  }

  /** The content of a string that begins here. */
  #string(quote: string): string {
    const source = this.#source;
    const start = this.#at;
    let [out, from] = ["", start + 1];
    for (let at = from; at < source.length; at++) {
      if (source[at] === quote) {
        this.#at = at + 1;
        return out + source.slice(from, at);
      }
      if (source[at] !== "\\") continue;
      const letter = source[at + 1] ?? "";
      const digits = CODE_DIGITS.get(letter) ?? 0;
      const code = source.slice(at + 2, at + 2 + digits);
      const isCode = digits > 0 && code.length === digits && !/[^\da-f]/i.test(code);
      const escaped = isCode ? String.fromCharCode(Number.parseInt(code, 16)) : ESCAPES.get(letter);
      if (escaped === undefined)
        throw this.#error(`there is no escape ${JSON.stringify(`\\${letter}${code}`)}`, at);
      out += source.slice(from, at) + escaped;
      at += 1 + digits;
      from = at + 1;
    }
    throw this.#error("the string has no end", start);
  }

  /** What a sticky pattern matches here, which is then behind us; undefined if it does not. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #add(kind: TokenKind, value: string, at: number): void {
    this.#tokens.push({ kind, value, at });
  }

  #error(problem: string, at: number): TemplateError {
    return new TemplateError(problem, this.#source, at);
  }
}
