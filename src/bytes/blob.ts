/** Files that a user chose in a browser, and other blobs. */
import { WebggufError } from "../base/errors.ts";
import { checkRange } from "../base/range.ts";
import type { ByteSource } from "../base/source.ts";
import { pieces } from "./range.ts";

/**
 * A source over a `Blob` or `File`. A file that changes or disappears while it is read is a
 * `source/changed` error. `name` defaults to the file's own name, or `"blob"`.
 */
export function blobSource(blob: Blob, name?: string): ByteSource {
  const own = "name" in blob && typeof blob.name === "string" ? blob.name : "";
  return {
    name: name ?? (own || "blob"),
    size: blob.size,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      checkRange(this, offset, length);
      const failed = (cause?: unknown): WebggufError =>
        new WebggufError(
          "source/changed",
          `Cannot read ${length} bytes at ${offset} of ${this.name}: it changed on disk or is gone, choose it again`,
          { file: this.name, offset, cause },
        );
      const buffer = await blob
        .slice(offset, offset + length)
        .arrayBuffer()
        .catch((cause: unknown) => {
          throw failed(cause);
        });
      signal?.throwIfAborted();
      if (buffer.byteLength !== length) throw failed();
      return new Uint8Array(buffer);
    },
    async *stream(offset, length, signal) {
      checkRange(this, offset, length);
      for (const piece of pieces(offset, length))
        yield await this.read(piece.offset, piece.length, signal);
    },
    async close() {},
  };
}
