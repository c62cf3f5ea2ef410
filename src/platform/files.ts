/** A local file as a ByteSource, over whatever way of reading the runtime has. */
import { WebggufError } from "../base/errors.ts";
import type { ByteSource } from "../base/source.ts";

/** What a runtime knows about an open file. */
export interface OpenFile {
  readonly size: number;
  /** Reads up to `into.length` bytes at `offset`; resolves with the count, 0 at the end. */
  readAt(into: Uint8Array<ArrayBuffer>, offset: number): Promise<number>;
  close(): Promise<void>;
}

/** Bytes of a streamed piece, and of a read between two looks at the signal. */
const pieceBytes = 4 * 1024 * 1024;

/** The ByteSource of an open file. */
export function fileSource(name: string, file: OpenFile): ByteSource {
  let closed = false;

  function checkRange(offset: number, length: number): void {
    if (closed)
      throw new WebggufError("source/io", `Cannot read ${name}: it was closed; open it again`, {
        file: name,
      });
    const inside = offset >= 0 && length >= 0 && offset + length <= file.size;
    if (inside && Number.isSafeInteger(offset) && Number.isSafeInteger(length)) return;
    throw new WebggufError(
      "source/io",
      `Cannot read ${length} bytes at ${offset} of ${name}: it has ${file.size} bytes`,
      { file: name, offset, expected: length, actual: Math.max(0, file.size - offset) },
    );
  }

  async function fill(into: Uint8Array<ArrayBuffer>, offset: number): Promise<void> {
    let done = 0;
    while (done < into.length) {
      let count: number;
      try {
        count = await file.readAt(into.subarray(done), offset + done);
      } catch (cause) {
        throw new WebggufError(
          "source/io",
          `Cannot read ${name} at byte ${offset + done}: the system refused; check the disk and try again`,
          {
            file: name,
            offset: offset + done,
            cause,
          },
        );
      }
      if (count === 0) {
        throw new WebggufError(
          "source/io",
          `Cannot read ${name} at byte ${offset + done}: it became shorter meanwhile; open it again`,
          {
            file: name,
            offset: offset + done,
          },
        );
      }
      done += count;
    }
  }

  return {
    name,
    size: file.size,
    async read(offset, length, signal): Promise<Uint8Array<ArrayBuffer>> {
      signal?.throwIfAborted();
      checkRange(offset, length);
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += pieceBytes) {
        await fill(bytes.subarray(at, at + pieceBytes), offset + at);
        signal?.throwIfAborted();
      }
      return bytes;
    },
    async *stream(offset, length, signal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
      signal?.throwIfAborted();
      checkRange(offset, length);
      const piece = new Uint8Array(Math.min(pieceBytes, length));
      for (let at = 0; at < length; at += piece.length) {
        const part = piece.subarray(0, Math.min(piece.length, length - at));
        await fill(part, offset + at);
        signal?.throwIfAborted();
        yield part;
      }
    },
    async close(): Promise<void> {
      if (closed) return;
      closed = true;
      await file.close();
    },
  };
}

/** What is wrong and what to do, by the runtime's own word for the reason. */
const reasons: readonly (readonly [words: RegExp, problem: string])[] = [
  [/^(ENOENT|NotFound|ENOTDIR)$/, "there is no such file; check the path"],
  [/^(EACCES|EPERM|PermissionDenied)$/, "it may not be read; check its permissions"],
  [/^NotCapable$/, "Deno does not allow it; run Deno with --allow-read"],
];

/** The typed error for a file that did not open; `word` is the runtime's own for the reason. */
export function openError(path: string, word: string, cause: unknown): WebggufError {
  const at = reasons.findIndex(([words]) => words.test(word));
  const problem = reasons[at]?.[1] ?? `the system refused (${word}); check the path and try again`;
  return new WebggufError(
    at === 0 ? "source/not-found" : "source/io",
    `Cannot open ${path}: ${problem}`,
    { file: path, cause },
  );
}

/** The error for a path that is no regular file, such as a folder or a pipe. */
export function notAFile(path: string): WebggufError {
  return new WebggufError(
    "source/io",
    `Cannot open ${path}: it is not a regular file; give the path of a model file`,
    { file: path },
  );
}
