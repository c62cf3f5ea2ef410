/** Bytes that are in memory already. */
import { WebggufError } from "../base/errors.ts";
import { checkRange } from "../base/range.ts";
import type { ByteSource } from "../base/source.ts";
import { pieces } from "./range.ts";

/**
 * A source over memory; reads are views of it, so it must not change while the source is in use.
 * Closing it does nothing. `name` (default `"memory"`) stands in messages.
 */
export function bufferSource(
  bytes: ArrayBuffer | Uint8Array<ArrayBuffer>,
  name: string = "memory",
): ByteSource {
  const all = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  const size = all.length;
  const check = (offset: number, length: number): void => {
    checkRange({ name, size }, offset, length);
    // A buffer that was posted elsewhere has no bytes any more.
    if (all.length !== size)
      throw new WebggufError(
        "source/changed",
        `Cannot read ${name}: its memory was transferred or resized; load it again`,
        { file: name, expected: size, actual: all.length },
      );
  };
  return {
    name,
    size,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      check(offset, length);
      return all.subarray(offset, offset + length);
    },
    async *stream(offset, length, signal) {
      for (const piece of pieces(offset, length)) {
        check(offset, length);
        signal?.throwIfAborted();
        yield all.subarray(piece.offset, piece.offset + piece.length);
      }
    },
    async close() {},
  };
}
