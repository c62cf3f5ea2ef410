/** Models over HTTP(S), read by ranges; a server that has none is read in order. */

import { checkRange } from "../base/range.ts";
import type { ByteSource } from "../base/source.ts";
import { type HttpOptions, HttpResource } from "./http-resource.ts";
import { OrderedBody } from "./ordered-body.ts";
import { withRetries } from "./retry.ts";

/** Puts a stream of `length` bytes into one array. */
async function collect(
  pieces: AsyncIterable<Uint8Array>,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(length);
  let at = 0;
  for await (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** A stream over ranges: what breaks off is asked for again from the byte that was reached. */
async function* rangeStream(
  resource: HttpResource,
  offset: number,
  length: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const end = offset + length;
  let at = offset;
  let reached = at;
  const retry = withRetries(resource.name, resource.options, signal);
  while (at < end) {
    try {
      for await (const piece of resource.range(at, end, signal)) {
        at += piece.length;
        yield piece;
      }
      if (at < end) throw new Error(`the connection ended at byte ${at}`);
    } catch (error) {
      if (at > reached) retry.reset();
      reached = at;
      await retry.after(error, at);
    }
  }
}

/**
 * Opens a URL with one small request, which tells the size and whether the server knows ranges.
 *
 * Connections that break are tried again with growing pauses, from the byte that was reached;
 * `source/network` comes when all tries are used up, `source/not-found` for 404 and 410. An ETag (or
 * without one a date) or a size that differs from the first answer's is `source/changed`.
 *
 * A server without ranges is read once, in order. Reading a little backwards is served from memory (the
 * last 8 MiB); further back the body is asked for again from its start, at most four times.
 */
export async function httpSource(url: string, options: HttpOptions): Promise<ByteSource> {
  const resource = new HttpResource(url, options);
  const whole = await resource.open(options.signal);
  const ordered = whole && new OrderedBody(resource, whole);
  const source: ByteSource = {
    name: resource.name,
    size: resource.size,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      checkRange(source, offset, length);
      return collect(source.stream(offset, length, signal), length);
    },
    async *stream(offset, length, signal) {
      signal?.throwIfAborted();
      checkRange(source, offset, length);
      if (ordered) yield* ordered.stream(offset, length, signal);
      else yield* rangeStream(resource, offset, length, signal);
    },
    async close() {
      await ordered?.close();
    },
  };
  return source;
}
