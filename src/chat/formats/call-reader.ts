/** Reads one block of calls while it comes. */
import { Incoming, type Reading, Unreadable } from "./incoming.ts";
import type { CallSink, ParameterType, ReadParts } from "./types.ts";

export class CallReader {
  readonly #input = new Incoming();
  #reading: Reading | undefined;

  constructor(parts: ReadParts, sink: CallSink, types: ParameterType) {
    this.#reading = parts(this.#input, sink, types);
  }

  push(text: string): void {
    if (!this.#reading) return;
    this.#input.push(text);
    try {
      if (this.#reading.next().done) this.#reading = undefined;
    } catch (error) {
      this.#reading = undefined;
      if (!(error instanceof Unreadable)) throw error;
    }
  }
}
