/** Models over HTTP(S). */

import { checkRange } from "../base/range.ts";
import type { ByteSource } from "../base/source.ts";
import { type HttpOptions, HttpResource } from "./http-resource.ts";
import { OrderedBody } from "./ordered-body.ts";

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

/**
 * Opens a URL with one small request, which tells the size and whether the server knows ranges.
 *
 * Reads that follow each other share requests: the first asks for its own bytes alone, and one that goes on where it
 * ended (or up to 1 MiB further) for sixteen times as much as was read so far. Its body stays open, and its sender waits,
 * until somebody reads on; after a second without readers it is given up. The last 8 MiB are served from memory.
 *
 * Connections that break are tried again with growing pauses, from the byte that was reached;
 * `source/network` comes when all tries are used up, `source/not-found` for 404 and 410. An ETag (or
 * without one a date) or a size that differs from the first answer's is `source/changed`.
 *
 * A server without ranges is read once, in order; for what lies further back than those 8 MiB the body is asked for
 * again from its start, at most four times.
 */
export async function httpSource(url: string, options: HttpOptions): Promise<ByteSource> {
  const resource = new HttpResource(url, options);
  const whole = await resource.open(options.signal);
  const body = new OrderedBody(resource, whole);
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
      yield* body.stream(offset, length, signal);
    },
    close: () => body.close(),
  };
  return source;
}
