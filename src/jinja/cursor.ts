/** A place in the tokens of a template, with what a parser asks of it. */
import { TemplateError } from "./errors.ts";
import { type Token, type TokenKind, tokenize } from "./lexer.ts";

/** Expressions and blocks inside each other: a parser's calls nest as they do. */
const MAX_NESTING = 128;

export class Cursor {
  readonly source: string;
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;

  constructor(source: string) {
    this.source = source;
    this.#tokens = tokenize(source);
  }

  /** The next token, without taking it. */
  get next(): Token {
    return this.#tokens[this.#index];
  }

  /** The token after the next one. */
  get second(): Token {
    return this.#tokens[Math.min(this.#index + 1, this.#tokens.length - 1)];
  }

  /** Takes the next token, whatever it is. */
  take(): Token {
    const token = this.next;
    if (token.kind !== "end") this.#index++;
    return token;
  }

  /** True if the next token is of this kind, with one of the values if any are given. */
  at(kind: TokenKind, ...values: readonly string[]): boolean {
    const { next } = this;
    return next.kind === kind && (values.length === 0 || values.includes(next.value));
  }

  /** Takes the next token if it is the one asked for. */
  accept(kind: TokenKind, value?: string): boolean {
    const fits = this.next.kind === kind && (value === undefined || this.next.value === value);
    if (fits) this.#index++;
    return fits;
  }

  /** Takes the next token, which must be the one asked for. */
  expect(kind: TokenKind, value?: string): Token {
    const token = this.next;
    if (!this.accept(kind, value)) throw this.unexpected(value ?? kind);
    return token;
  }

  /** Parses what is nested here. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_NESTING) throw this.error(`it nests deeper than ${MAX_NESTING} levels`);
    const parsed = parse();
    this.#depth--;
    return parsed;
  }

  /** The error of a next token that is not `wanted`. */
  unexpected(wanted: string): TemplateError {
    const { kind, value } = this.next;
    const found = kind === "end" ? "the end" : kind === "text" ? "text" : JSON.stringify(value);
    return this.error(`${found} stands where ${wanted} is expected`);
  }

  /** An error at the next token, or at `at`. */
  error(problem: string, at: number = this.next.at): TemplateError {
    return new TemplateError(problem, this.source, at);
  }
}
