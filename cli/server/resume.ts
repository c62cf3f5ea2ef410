/**
 * Streams that outlive their client, as llama-server keeps them: a request with `X-Conversation-Id` goes on when
 * its client is lost, and whoever names the conversation reads it again from any byte.
 */
import { ApiError } from "./errors.ts";

/** Bytes of a stream that are kept at most; the oldest go. */
const KEPT_BYTES = 4 << 20;
/** Milliseconds for which a stream is kept after its end. */
const KEPT_MS = 300_000;
/** Streams kept at most. */
const MOST = 256;

class Kept {
  readonly #parts: Uint8Array[] = [];
  /** Bytes that were dropped before the first part, and all that have come. */
  #dropped = 0;
  size = 0;
  done = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #wake = new Set<() => void>();

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
    void this.#pump();
  }

  async #pump(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        this.#parts.push(value);
        this.size += value.length;
        while (this.size - this.#dropped > KEPT_BYTES && this.#parts.length > 1)
          this.#dropped += this.#parts.shift()!.length;
        this.#tell();
      }
    } catch {
      // The stream was stopped; what it said stays.
    }
    this.done = true;
    this.#tell();
  }

  #tell(): void {
    for (const wake of this.#wake) wake();
    this.#wake.clear();
  }

  async stop(): Promise<void> {
    this.done = true;
    this.#tell();
    await this.#reader.cancel().catch(() => {});
  }

  /** The bytes from `from` on, those to come included. Errors: 400 for bytes that are not kept. */
  read(from: number): ReadableStream<Uint8Array> {
    if (from < this.#dropped || from > this.size)
      throw new ApiError(
        400,
        `Cannot replay from byte ${from}: kept are ${this.#dropped} to ${this.size}`,
        { param: "from" },
      );
    let at = from;
    return new ReadableStream({
      pull: async (controller) => {
        while (at >= this.size && !this.done)
          await new Promise<void>((resolve) => this.#wake.add(resolve));
        if (at >= this.size || at < this.#dropped) {
          controller.close();
          return;
        }
        let start = this.#dropped;
        for (const part of this.#parts) {
          if (at < start + part.length) {
            controller.enqueue(part.subarray(at - start));
            at = start + part.length;
            return;
          }
          start += part.length;
        }
      },
    });
  }
}

/** The streams of a server that are kept. */
export class KeptStreams {
  readonly #all = new Map<string, Kept>();

  /** Keeps the stream of a conversation, in place of the one before, and answers with it. */
  keep(conversation: string, response: Response): Response {
    void this.#all.get(conversation)?.stop();
    this.#all.delete(conversation);
    for (const [id, { done }] of this.#all)
      if (this.#all.size >= MOST && done) this.#all.delete(id);
    if (this.#all.size >= MOST) return response;
    const kept = new Kept(response.body!);
    this.#all.set(conversation, kept);
    const timer = setInterval(() => {
      if (this.#all.get(conversation) !== kept) clearInterval(timer);
      else if (kept.done) {
        clearInterval(timer);
        const drop = setTimeout(() => {
          if (this.#all.get(conversation) === kept) this.#all.delete(conversation);
        }, KEPT_MS);
        unref(drop);
      }
    }, 1000);
    unref(timer);
    return new Response(kept.read(0), { headers: response.headers });
  }

  /** The bytes of a conversation's stream from `from` on. Errors: 404; 400 for bytes that are not kept. */
  replay(conversation: string, from: number): ReadableStream<Uint8Array> {
    const kept = this.#all.get(conversation);
    if (!kept)
      throw new ApiError(404, "There is no stream of that conversation", { param: "conv_id" });
    return kept.read(from);
  }

  async stop(conversation: string): Promise<void> {
    const kept = this.#all.get(conversation);
    this.#all.delete(conversation);
    await kept?.stop();
  }

  /** What is kept of a conversation. */
  find(conversation: string): { readonly size: number; readonly done: boolean } | undefined {
    const kept = this.#all.get(conversation);
    return kept && { size: kept.size, done: kept.done };
  }
}

/** A timer that keeps no program running, where timers can. */
function unref(timer: unknown): void {
  (timer as { unref?(): void }).unref?.();
}
