/** A body that can only be read from its start, as a source of ranges in rising order. */
import { WebggufError } from "../base/errors.ts";
import type { HttpResource } from "./http-resource.ts";
import { settle, withRetries } from "./retry.ts";

/** Bytes behind the reading position that are cached, so that a reader that looked ahead can step back. */
const cachedBytes = 8 * 1024 * 1024;
/** Times that the body may be asked for again because something further back is wanted. */
const mostRestarts = 4;

interface Cached {
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export class OrderedBody {
  readonly #resource: HttpResource;
  readonly #controller: AbortController = new AbortController();
  /** The answer to the opening request, until it is read. */
  #first: Response | undefined;
  #pieces: AsyncGenerator<Uint8Array<ArrayBuffer>> | undefined;
  /** The pieces last read, without gaps up to the position. */
  #cached: Cached[] = [];
  #position = 0;
  #restarts = 0;
  #advancing: Promise<void> | undefined;

  constructor(resource: HttpResource, first: Response) {
    this.#resource = resource;
    this.#first = first;
  }

  async *stream(
    offset: number,
    length: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const end = offset + length;
    for (let at = offset; at < end; ) {
      const cached = this.#cached.find(
        ({ start, bytes }) => at >= start && at < start + bytes.length,
      );
      if (cached) {
        const piece = cached.bytes.subarray(at - cached.start, end - cached.start);
        at += piece.length;
        yield piece;
        continue;
      }
      if (at < this.#position) await this.#restart(signal);
      // Shared by all readers, and not undone when one of them gives up: no piece may be lost.
      if (!this.#advancing) {
        this.#advancing = this.#advance().finally(() => {
          this.#advancing = undefined;
        });
        this.#advancing.catch(() => {});
      }
      await settle(this.#advancing, signal, undefined);
    }
  }

  async close(): Promise<void> {
    this.#controller.abort();
    await this.#first?.body?.cancel();
    this.#first = undefined;
    await this.#drop();
  }

  /** Reads the next piece; after a break the body is read again up to where it was. */
  async #advance(): Promise<void> {
    const { signal } = this.#controller;
    const retry = withRetries(this.#resource.name, this.#resource.options, signal);
    const target = this.#position;
    do {
      try {
        this.#pieces ??= this.#resource.pieces(await this.#body(signal), signal);
        const { done, value } = await this.#pieces.next();
        if (done) throw new Error(`the connection ended at byte ${this.#position}`);
        this.#keep(value);
      } catch (error) {
        await this.#drop();
        await retry.after(error, target);
      }
    } while (this.#position <= target);
  }

  async #body(signal: AbortSignal): Promise<Response> {
    const first = this.#first;
    this.#first = undefined;
    return first ?? this.#resource.whole(signal);
  }

  #keep(bytes: Uint8Array<ArrayBuffer>): void {
    this.#cached.push({ start: this.#position, bytes });
    this.#position += bytes.length;
    while (this.#cached[0].start + this.#cached[0].bytes.length < this.#position - cachedBytes)
      this.#cached.shift();
  }

  /** Gives the connection up; the next piece comes from the start of a new one. */
  async #drop(): Promise<void> {
    const pieces = this.#pieces;
    this.#pieces = undefined;
    this.#cached = [];
    this.#position = 0;
    await pieces?.return(undefined);
  }

  async #restart(signal: AbortSignal | undefined): Promise<void> {
    if (this.#advancing) await settle(this.#advancing, signal, undefined);
    if (this.#restarts++ === mostRestarts)
      throw new WebggufError(
        "source/network",
        `Cannot read ${this.#resource.name} in another order than from its start, the server knows no ranges; download the file first`,
        { file: this.#resource.name },
      );
    await this.#drop();
  }
}
