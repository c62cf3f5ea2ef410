/** A local file as a ByteSource, over whatever way of reading the runtime has. */
import { WebggufError } from "../base/errors.ts";
import { checkRange } from "../base/range.ts";
import type { ByteSource } from "../base/source.ts";

/** What a runtime tells about a file, open or not. */
export interface FileFacts {
  readonly isFile: boolean;
  readonly size: number;
  /** Milliseconds at which it was last written, where that is known. */
  readonly modified: number | undefined;
}

/** Whether two looks at an open file saw the same. */
export const sameFile = (a: FileFacts, b: FileFacts): boolean =>
  a.size === b.size && a.modified === b.modified;

/** What a runtime knows about an open file. */
export interface OpenFile {
  readonly size: number;
  /** Reads up to `into.length` bytes at `offset`; resolves with the count, 0 at the end. */
  readAt(into: Uint8Array<ArrayBuffer>, offset: number): Promise<number>;
  /** Whether it is as it was when it was opened, by its size and the time it was written. */
  unchanged(): Promise<boolean>;
  close(): Promise<void>;
}

/** Bytes of a streamed piece, and of a read between two looks at the signal. */
const pieceBytes = 4 * 1024 * 1024;

/** The ByteSource of an open file. */
export function fileSource(name: string, file: OpenFile): ByteSource {
  let closed = false;

  function check(offset: number, length: number): void {
    if (closed) throw error("source/io", "", "it was closed; open it again");
    checkRange({ name, size: file.size }, offset, length);
  }

  function error(
    code: "source/io" | "source/changed",
    where: string,
    problem: string,
    details?: object,
  ): WebggufError {
    const message = `Cannot read ${name}${where}: ${problem}`;
    return new WebggufError(code, message, { file: name, ...details });
  }

  async function fill(into: Uint8Array<ArrayBuffer>, offset: number): Promise<void> {
    let done = 0;
    while (done < into.length) {
      const at = offset + done;
      let count: number;
      let same: boolean;
      try {
        count = await file.readAt(into.subarray(done), at);
        same = await file.unchanged();
      } catch (cause) {
        const problem = "the system refused; check the disk and try again";
        throw error("source/io", ` at byte ${at}`, problem, { offset: at, cause });
      }
      if (count === 0 || !same) {
        const problem = "the file changed while it was in use; load it again";
        throw error("source/changed", ` at byte ${at}`, problem, { offset: at });
      }
      done += count;
    }
  }

  return {
    name,
    size: file.size,
    async read(offset, length, signal): Promise<Uint8Array<ArrayBuffer>> {
      signal?.throwIfAborted();
      check(offset, length);
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += pieceBytes) {
        await fill(bytes.subarray(at, at + pieceBytes), offset + at);
        signal?.throwIfAborted();
      }
      return bytes;
    },
    async *stream(offset, length, signal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
      signal?.throwIfAborted();
      check(offset, length);
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
