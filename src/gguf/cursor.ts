/** Walks through a file's header, reading it in growing pieces and never past what was asked for. */
import { type ErrorCode, type ErrorDetails, WebggufError } from "../base/errors.ts";
import { checkCame } from "../base/range.ts";
import type { ByteSource } from "../base/source.ts";

const firstPiece = 64 * 1024;
const largestPiece = 4 * 1024 * 1024;
/** Far beyond any vocabulary; whatever sizes a file and its source claim, no more is read. */
export const longestHeader: number = 256 * 1024 * 1024;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A little-endian reader over a {@link ByteSource}. The getters are synchronous and need their bytes
 * buffered: call {@link Cursor.fill} first wherever {@link Cursor.buffered} is too small.
 */
export class Cursor {
  readonly source: ByteSource;
  readonly #signal: AbortSignal | undefined;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  /** Offset in the file of the first buffered byte. */
  #start = 0;
  #at = 0;
  #piece: number = firstPiece;

  constructor(source: ByteSource, signal?: AbortSignal) {
    this.source = source;
    this.#signal = signal;
  }

  /** Offset in the file of the next byte. */
  get offset(): number {
    return this.#start + this.#at;
  }
  /** Bytes from here to the end of the file. */
  get left(): number {
    return this.source.size - this.offset;
  }
  /** Bytes that can be taken without reading. */
  get buffered(): number {
    return this.#bytes.length - this.#at;
  }

  /** An error that names the file and the byte. */
  error(code: ErrorCode, problem: string, offset: number, details?: ErrorDetails): WebggufError {
    const file = this.source.name;
    return new WebggufError(code, `Cannot read ${file}: ${problem} (byte ${offset})`, {
      ...details,
      file,
      offset,
    });
  }

  /** Makes `length` bytes available, or says that the file ends within `what`. */
  async fill(length: number, what: string): Promise<void> {
    this.#signal?.throwIfAborted();
    if (length > this.left)
      throw this.error(
        "gguf/malformed",
        `the file ends inside ${what}, it may be cut off: fetch it again`,
        this.offset,
        { expected: length, actual: this.left },
      );
    if (this.buffered >= length) return;
    if (this.offset + length > longestHeader)
      throw this.error(
        "gguf/unsupported",
        `its header is longer than ${longestHeader} bytes with ${what}`,
        this.offset,
        { expected: longestHeader, actual: this.offset + length },
      );
    const read = [this.#bytes.subarray(this.#at)];
    let end = this.offset + read[0].length;
    // In pieces, so that an announced length takes no memory before its bytes have come.
    while (end < this.offset + length) {
      const wanted = Math.min(this.#piece, this.source.size - end);
      const piece = await this.source.read(end, wanted, this.#signal);
      checkCame(this.source.name, end, wanted, piece.length);
      read.push(piece);
      end += wanted;
      this.#piece = Math.min(2 * this.#piece, largestPiece);
    }
    const joined = new Uint8Array(end - this.offset);
    let at = 0;
    for (const piece of read) {
      joined.set(piece, at);
      at += piece.length;
    }
    this.#start = this.offset;
    this.#at = 0;
    this.#bytes = joined;
    this.#view = new DataView(joined.buffer);
  }

  #advance(length: number): number {
    const at = this.#at;
    this.#at += length;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }
  i8(): number {
    return this.#view.getInt8(this.#advance(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }
  i16(): number {
    return this.#view.getInt16(this.#advance(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }
  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }
  f32(): number {
    return this.#view.getFloat32(this.#advance(4), true);
  }
  f64(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }
  i64(): bigint {
    return this.#view.getBigInt64(this.#advance(8), true);
  }

  /** An unsigned 64-bit size, count or offset; infinite when JavaScript cannot hold it exactly. */
  size(): number {
    const low = this.u32();
    const high = this.u32();
    return high < 0x200000 ? high * 0x100000000 + low : Number.POSITIVE_INFINITY;
  }

  /** A copy of the next `length` bytes. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const at = this.#advance(length);
    return this.#bytes.slice(at, at + length);
  }

  /** The next `length` bytes as text; what is not UTF-8 becomes U+FFFD. */
  text(length: number): string {
    const at = this.#advance(length);
    return utf8.decode(this.#bytes.subarray(at, at + length));
  }

  /** The string that begins here with its length, if all of it is buffered. */
  string(): string | undefined {
    if (this.buffered < 8 || this.#view.getUint32(this.#at + 4, true) !== 0) return undefined;
    const length = this.#view.getUint32(this.#at, true);
    if (this.buffered - 8 < length) return undefined;
    this.#at += 8;
    return this.text(length);
  }

  /** The next bytes, at most `most` and as far as they are buffered, as one letter each; none is taken. */
  letters(most: number): string {
    return String.fromCharCode(...this.#bytes.subarray(this.#at, this.#at + most));
  }
}
