import { type Rule, rule } from "./options.ts";

/** Where bytes come from. The rest of the engine knows files, URLs and blobs only by this contract. */
export interface ByteSource {
  /** File name or URL, for messages. */
  readonly name: string;
  /** Total size in bytes. */
  readonly size: number;
  /**
   * Reads exactly `length` bytes from `offset`; a range past the end is a `source/io` error.
   * The returned array is the caller's own (it may be a view of memory that does not change).
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * The range as a stream of pieces in order, each valid only until the next is asked for;
   * for large sequential reads with flat memory. Pieces are at most a few MiB.
   */
  stream(
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Releases file handles and connections. Safe to call twice. */
  close(): Promise<void>;
}

/** The rule of sources. */
export const byteSource: Rule<ByteSource> = rule("a ByteSource", (value) => {
  const { name, size, read, stream, close } = Object(value);
  const calls = [read, stream, close].every((one) => typeof one === "function");
  return typeof name === "string" && Number.isSafeInteger(size) && size >= 0 && calls;
});
