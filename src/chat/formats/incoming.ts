/** Text that is still coming, for readers that are written as if all of it were there. */
import { findMark } from "./find.ts";

/** A reader: each `yield` waits for more text. */
export type Reading<T = void> = Generator<void, T, void>;

/** Thrown by readers where the text is not what they read: they read no further. */
export class Unreadable extends Error {}

/** The text that has come and was not read yet. */
export class Incoming {
  #text: string;
  #at = 0;
  readonly #whole: boolean;

  /** @param whole all of the text; without it, text is to be pushed */
  constructor(whole?: string) {
    this.#text = whole ?? "";
    this.#whole = whole !== undefined;
  }

  /** True if all that has come was read. */
  get empty(): boolean {
    return this.#at >= this.#text.length;
  }

  push(text: string): void {
    this.#text = this.#text.slice(this.#at) + text;
    this.#at = 0;
  }

  /** The next character, left where it is. */
  *peek(): Reading<string> {
    while (this.empty) yield* this.#more();
    return this.#text[this.#at];
  }

  /** Reads `mark` if it comes next. */
  *has(mark: string): Reading<boolean> {
    if (!(yield* this.sees(mark))) return false;
    this.#at += mark.length;
    return true;
  }

  /** True if `mark` comes next; it is left where it is. */
  *sees(mark: string): Reading<boolean> {
    for (;;) {
      if (this.#text.startsWith(mark, this.#at)) return true;
      const left = this.#text.length - this.#at;
      if (this.#whole || left >= mark.length || !mark.startsWith(this.#text.slice(this.#at)))
        return false;
      yield;
    }
  }

  *expect(mark: string): Reading {
    if (!(yield* this.has(mark))) throw new Unreadable();
  }

  /** Reads the characters that a pattern matches one by one, up to the first that it does not. */
  *while(pattern: RegExp): Reading<string> {
    let read = "";
    for (;;) {
      const from = this.#at;
      while (this.#at < this.#text.length && pattern.test(this.#text[this.#at])) this.#at++;
      read += this.#text.slice(from, this.#at);
      if (this.#whole || !this.empty) return read;
      yield;
    }
  }

  space(): Reading<string> {
    return this.while(/\s/);
  }

  /** Reads at least something of the text before the first of some marks, and the mark if it has come. */
  *some(marks: readonly string[]): Reading<{ text: string; mark?: string }> {
    for (;;) {
      const { at, mark } = findMark(this.#text, marks, this.#at, this.#whole);
      const text = this.#text.slice(this.#at, at);
      this.#at = at + (mark?.length ?? 0);
      if (text !== "" || mark !== undefined) return { text, mark };
      yield* this.#more();
    }
  }

  *#more(): Reading {
    if (this.#whole) throw new Unreadable();
    yield;
  }

  /** Reads all text before the first of some marks, and the mark. */
  *until(...marks: readonly string[]): Reading<{ text: string; mark: string }> {
    const parts: string[] = [];
    for (;;) {
      const { text, mark } = yield* this.some(marks);
      parts.push(text);
      if (mark !== undefined) return { text: parts.join(""), mark };
    }
  }
}
