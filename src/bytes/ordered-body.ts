/**
 * A file on a server, read in rising order: reads that follow each other take from one answer, whose body stays open
 * between them. A server without ranges gives its one body from the start.
 */
import { WebggufError } from "../base/errors.ts";
import type { HttpResource } from "./http-resource.ts";
import { settle, withRetries } from "./retry.ts";

/** Bytes behind the reading position that are cached, so that a reader that looked ahead can step back. */
const cachedBytes = 8 * 1024 * 1024;
/** Times that a whole body may be asked for again because something further back is wanted. */
const mostRestarts = 4;
/** Bytes between two reads that are read over: they take less time than another request. */
const mostSkipped = 1024 * 1024;
/** What a request asks for at least when it goes on where others ended, and as a multiple of what those brought. */
const least = 1024 * 1024;
const growth = 16;
/** Milliseconds without a reader after which a body is given up. */
const idleTime = 1000;

interface Cached {
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export class OrderedBody {
  readonly #resource: HttpResource;
  /** Whether a body may begin anywhere. */
  readonly #ranges: boolean;
  /** Ends what is asked of the server; another takes its place then. */
  #stop: AbortController = new AbortController();
  /** The answer to the opening request, until it is read. */
  #first: Response | undefined;
  #pieces: AsyncGenerator<Uint8Array<ArrayBuffer>> | undefined;
  /** The pieces last read, without gaps up to the position. */
  #cached: Cached[] = [];
  #position = 0;
  /** Where reading in order began, skipped bytes left out. */
  #start = 0;
  /** Where the body at hand ends, and where the latest reader does. */
  #end = 0;
  #wanted = 0;
  #restarts = 0;
  #readers = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #advancing: Promise<void> | undefined;
  #closed = false;

  /** `first` is the whole body, of a server that knows no ranges. */
  constructor(resource: HttpResource, first?: Response) {
    this.#resource = resource;
    this.#first = first;
    this.#ranges = !first;
  }

  async *stream(
    offset: number,
    length: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const end = offset + length;
    clearTimeout(this.#idle);
    this.#readers++;
    try {
      for (let at = offset; at < end; ) {
        signal?.throwIfAborted();
        if (this.#closed) throw this.#error("source/io", "", "it was closed; open it again");
        const cached = this.#cached.findLast(
          ({ start, bytes }) => at >= start && at < start + bytes.length,
        );
        if (cached) {
          const piece = cached.bytes.subarray(at - cached.start, end - cached.start);
          at += piece.length;
          yield piece;
          continue;
        }
        if (!this.#reaches(at)) {
          if (this.#ranges && this.#readers > 1) {
            // The body is for who reads it now.
            yield* new OrderedBody(this.#resource).stream(at, end - at, signal);
            return;
          }
          await this.#move(at, signal);
        }
        this.#wanted = end;
        // Shared by all readers, and not undone when one of them gives up: no piece may be lost.
        if (!this.#advancing) {
          this.#advancing = this.#advance(this.#stop.signal).finally(() => {
            this.#advancing = undefined;
          });
          this.#advancing.catch(() => {});
        }
        await settle(this.#advancing, signal, undefined);
      }
    } finally {
      if (--this.#readers === 0 && this.#ranges && !this.#closed) {
        if (signal?.aborted) this.#hangUp();
        else this.#idle = setTimeout(() => this.#hangUp(), idleTime);
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    this.#hangUp();
  }

  #error(code: "source/io" | "source/network", where: string, problem: string): WebggufError {
    const { name } = this.#resource;
    return new WebggufError(code, `Cannot read ${name}${where}: ${problem}`, { file: name });
  }

  /** Whether going on leads to a byte. */
  #reaches(at: number): boolean {
    const ahead = at - this.#position;
    if (!this.#ranges || ahead <= 0) return ahead >= 0;
    return ahead <= mostSkipped && (this.#pieces ?? this.#advancing) !== undefined;
  }

  /** Reads the next piece, unless another place is read meanwhile; after a break goes on, or begins anew, to get there. */
  async #advance(signal: AbortSignal): Promise<void> {
    const retry = withRetries(this.#resource.name, this.#resource.options, signal);
    const target = this.#position;
    try {
      do {
        try {
          signal.throwIfAborted();
          this.#pieces ??= this.#body(signal);
          const { done, value } = await this.#pieces.next();
          signal.throwIfAborted();
          if (done) throw new Error(`the connection ended at byte ${this.#position}`);
          this.#keep(value);
        } catch (error) {
          signal.throwIfAborted();
          this.#pieces = undefined;
          if (!this.#ranges) {
            this.#cached = [];
            this.#position = 0;
          }
          await retry.after(error, target);
        }
      } while (this.#position <= target);
    } catch (error) {
      // Its readers look again.
      if (!signal.aborted) throw error;
    }
  }

  /** The pieces from the position on. */
  #body(signal: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (!this.#ranges) return this.#whole(signal);
    const from = this.#position;
    if (from >= this.#end) {
      // A first read is asked for as it is; the more was read in order, the more is asked for at once.
      const run = from - this.#start;
      const more = run && Math.max(least, growth * run);
      this.#end = Math.min(this.#resource.size, Math.max(this.#wanted, from + more));
    }
    return this.#resource.range(from, this.#end, signal);
  }

  async *#whole(signal: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const first = this.#first;
    this.#first = undefined;
    yield* this.#resource.pieces(first ?? (await this.#resource.whole(signal)), signal);
  }

  #keep(bytes: Uint8Array<ArrayBuffer>): void {
    this.#cached.push({ start: this.#position, bytes });
    this.#position += bytes.length;
    while (this.#cached[0].start + this.#cached[0].bytes.length < this.#position - cachedBytes)
      this.#cached.shift();
    if (!this.#ranges || this.#position < this.#end) return;
    // The end of the answer, which follows at once, leaves the connection to the next request.
    this.#pieces?.next().catch(() => {});
    this.#pieces = undefined;
  }

  /** Gives up the body and what is cached of it. */
  #hangUp(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#pieces?.return(undefined).catch(() => {});
    this.#pieces = undefined;
    this.#first?.body?.cancel().catch(() => {});
    this.#first = undefined;
    this.#cached = [];
    if (!this.#ranges) this.#position = 0;
  }

  /** Goes on somewhere else: at the byte, or at the start of another whole body. */
  async #move(at: number, signal: AbortSignal | undefined): Promise<void> {
    if (!this.#ranges) {
      if (this.#advancing) await settle(this.#advancing, signal, undefined);
      if (this.#restarts++ === mostRestarts)
        throw this.#error(
          "source/network",
          " in another order than from its start",
          "the server knows no ranges; download the file first",
        );
    }
    this.#hangUp();
    if (this.#ranges) {
      // What is passed over does not end a run.
      this.#start = at > this.#position ? this.#start + at - this.#position : at;
      this.#position = at;
      this.#end = 0;
    }
    await this.#advancing;
  }
}
