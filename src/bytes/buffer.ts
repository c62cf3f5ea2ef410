/** Bytes that are in memory already. */
import type { ByteSource } from "../base/source.ts";
import { checkRange, pieces } from "./range.ts";

/**
 * A source over memory; reads are views of it, so it must not change while the source is in use.
 * Closing it does nothing. `name` (default `"memory"`) stands in messages.
 */
export function bufferSource(
  bytes: ArrayBuffer | Uint8Array<ArrayBuffer>,
  name: string = "memory",
): ByteSource {
  const all = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  return {
    name,
    size: all.length,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      checkRange(this, offset, length);
      return all.subarray(offset, offset + length);
    },
    async *stream(offset, length, signal) {
      checkRange(this, offset, length);
      for (const piece of pieces(offset, length)) {
        signal?.throwIfAborted();
        yield all.subarray(piece.offset, piece.offset + piece.length);
      }
    },
    async close() {},
  };
}
