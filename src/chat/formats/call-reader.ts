/** Reads one block of calls while it comes. */
import { Incoming, type Reading, Unreadable } from "./incoming.ts";
import type { ReadCalls, SchemaOf } from "./types.ts";
import type { PieceWriter } from "./writer.ts";

/**
 * `open`: more of the block is to come. `done`: it has ended. `none`: it is no call, or what follows
 * its last call is none. `broken`: a call that was told cannot be read any further.
 */
export type BlockState = "open" | "done" | "none" | "broken";

export class CallReader {
  readonly #input = new Incoming();
  readonly #out: PieceWriter;
  readonly #reading: Reading;

  constructor(read: ReadCalls, out: PieceWriter, schemaOf: SchemaOf, end = "") {
    const input = this.#input;
    this.#out = out;
    out.block(() => input.taken());
    this.#reading = (function* () {
      yield* read(input, out, schemaOf, end);
      // A bracket too many does no harm before the end mark.
      yield* input.while(end === "" ? /\s/ : /[\s})]/);
      yield* input.has(end);
    })();
  }

  push(text: string): BlockState {
    this.#input.push(text);
    return this.#run();
  }

  /** No more comes: true if the block is calls as far as it goes. */
  end(): boolean {
    this.#input.close();
    return this.#run(true) !== "none";
  }

  /** What was read, but not as part of a call. */
  taken(): string {
    return this.#input.taken();
  }

  /** What follows the block. */
  rest(): string {
    return this.#input.rest();
  }

  #run(last = false): BlockState {
    try {
      return this.#reading.next().done ? "done" : "open";
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return this.#out.breakOff(last) ? "broken" : "none";
    }
  }
}
