/** Text that is still coming, for readers that are written as if all of it were there. */
import { findMark } from "./find.ts";

/** A reader: each `yield` waits for more text. */
export type Reading<T = void> = Generator<void, T, void>;

/** Thrown by readers where the text is not what they read: they read no further. Costs no stack trace. */
export class Unreadable {}

/** The text that has come and was not read yet. */
export class Incoming {
  #text: string;
  #at = 0;
  /** What was read of earlier texts since the last `taken`. */
  #taken = "";
  #from = 0;
  #closed: boolean;

  /** @param whole all of the text; without it, text is to be pushed */
  constructor(whole?: string) {
    this.#text = whole ?? "";
    this.#closed = whole !== undefined;
  }

  /** True if all that has come was read. */
  get empty(): boolean {
    return this.#at >= this.#text.length;
  }

  /** True if everything was read, and no more comes. */
  get ended(): boolean {
    return this.#closed && this.empty;
  }

  push(text: string): void {
    this.#taken += this.#text.slice(this.#from, this.#at);
    this.#text = this.#text.slice(this.#at) + text;
    this.#at = this.#from = 0;
  }

  /** No more comes. */
  close(): void {
    this.#closed = true;
  }

  /** What was read since the last time. */
  taken(): string {
    const taken = this.#taken + this.#text.slice(this.#from, this.#at);
    this.#taken = "";
    this.#from = this.#at;
    return taken;
  }

  /** Takes out what was not read. */
  rest(): string {
    const rest = this.#text.slice(this.#at);
    this.#text = this.#text.slice(0, this.#at);
    return rest;
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

  /** True if one of some marks comes next, which is left where it is; an empty mark never does. */
  *sees(...all: readonly string[]): Reading<boolean> {
    const marks = all.filter((mark) => mark !== "");
    for (;;) {
      if (marks.some((mark) => this.#text.startsWith(mark, this.#at))) return true;
      const left = this.#text.slice(this.#at, this.#at + 100);
      if (this.#closed || !marks.some((mark) => left.length < mark.length && mark.startsWith(left)))
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
      if (this.#closed || !this.empty) return read;
      yield;
    }
  }

  space(): Reading<string> {
    return this.while(/\s/);
  }

  /** Reads at least something of the text before the first of some marks, and the mark if it has come. */
  *some(marks: readonly string[]): Reading<{ text: string; mark?: string }> {
    for (;;) {
      const { at, mark } = findMark(this.#text, marks, this.#at, this.#closed);
      const text = this.#text.slice(this.#at, at);
      this.#at = at + (mark?.length ?? 0);
      if (text !== "" || mark !== undefined) return { text, mark };
      yield* this.#more();
    }
  }

  *#more(): Reading {
    if (this.#closed) throw new Unreadable();
    yield;
  }

  /** Reads all text before a mark, and the mark. */
  *until(mark: string): Reading<string> {
    let all = "";
    for (;;) {
      const { text, mark: found } = yield* this.some([mark]);
      all += text;
      if (found !== undefined) return all;
    }
  }
}
