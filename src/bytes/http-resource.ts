/** One file on an HTTP server: requests, and the check that it is still the same file. */
import { WebggufError } from "../base/errors.ts";
import { Address, type AddressOptions } from "./address.ts";
import { pieceBytes } from "./range.ts";
import {
  defaultSilence,
  longestPause,
  Retryable,
  type RetryOptions,
  settle,
  withRetries,
} from "./retry.ts";

export interface HttpOptions extends RetryOptions, AddressOptions {
  /** Stops the opening; each read takes a signal of its own. */
  readonly signal?: AbortSignal;
  /** Bytes that the file must have, where that is known from elsewhere. */
  readonly size?: number;
}

/** What identifies a version of the file; parts that the server does not tell are null. */
export interface Version {
  readonly etag: string | null;
  readonly modified: string | null;
}

const versionOf = (response: Response): Version => ({
  etag: response.headers.get("etag"),
  modified: response.headers.get("last-modified"),
});

/** A header that is a whole number, or undefined. */
function numberOf(text: string | null | undefined): number | undefined {
  return text && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}

/** Where a ranged answer starts and how long the file is, as far as the server tells. */
function contentRange(response: Response): { start?: number; size?: number } {
  const header = response.headers.get("content-range");
  const match = header?.match(/^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/);
  return { start: numberOf(match?.[1]), size: numberOf(match?.[2]) };
}

/** The server's wish in `Retry-After`, in milliseconds. */
export const wishedPause = (response: Response): number =>
  1000 * (numberOf(response.headers.get("retry-after")) ?? 0);

/** Statuses that pass: another try may do better. */
export const passes = (status: number): boolean =>
  status >= 500 || [408, 425, 429].includes(status);

/** Milliseconds without a first answer after which there is a notice. */
export const QUIET = 1500;

export class HttpResource {
  /** The URL without its query and credentials. */
  readonly name: string;
  readonly options: HttpOptions;
  /** Bytes of the file, known after {@link HttpResource.open}. */
  size = 0;
  #version: Version = { etag: null, modified: null };

  readonly #address: Address;

  constructor(url: string, options: HttpOptions) {
    this.#address = new Address(url, options);
    this.name = this.#address.name;
    this.options = options;
  }

  /** What tells this version of the file from others. */
  get version(): Version {
    return this.#version;
  }

  /** `actual` is the HTTP status, where that says it. */
  #error(
    code: "source/network" | "source/changed" | "source/not-found",
    problem: string,
    actual?: number,
  ): WebggufError {
    const { name } = this;
    return new WebggufError(code, `Cannot read ${name}: ${problem}`, { file: name, actual });
  }

  /**
   * Finds out the size. Resolves to the whole body when the server does not know ranges, so that it
   * need not be asked twice.
   */
  async open(signal: AbortSignal | undefined): Promise<Response | undefined> {
    const { onNotice } = this.options;
    const retry = withRetries(this.name, this.options, signal, true);
    const quiet = setTimeout(() => onNotice?.(`Waiting for ${this.name} to answer`), QUIET);
    try {
      for (;;)
        try {
          return await this.#probe(signal);
        } catch (error) {
          await retry.after(error, 0);
        }
    } finally {
      clearTimeout(quiet);
    }
  }

  async #probe(signal: AbortSignal | undefined): Promise<Response | undefined> {
    const response = await this.#fetch("bytes=0-0", signal);
    this.#version = versionOf(response);
    const empty = response.status === 416 && contentRange(response).size === 0;
    const type = response.headers.get("content-type") ?? "";
    if (response.ok && /^text\/html/i.test(type)) {
      void response.body?.cancel();
      throw this.#error(
        "source/network",
        "the server sent a web page (text/html), not a file; give the address of the file itself",
      );
    }
    if (response.status === 200) {
      this.size = this.#wholeSize(response);
      return response;
    }
    await response.body?.cancel();
    if (empty) {
      this.#expected(0);
      return undefined;
    }
    if (response.status !== 206) throw this.#refusal(response);
    const size =
      contentRange(response).size ?? this.options.size ?? (await this.#sizeByHead(signal));
    if (size === undefined)
      throw this.#error("source/network", "the server does not tell its size");
    this.size = this.#expected(size);
    return undefined;
  }

  /** For pages that may not see Content-Range, because the other origin does not expose it. */
  async #sizeByHead(signal: AbortSignal | undefined): Promise<number | undefined> {
    const response = await this.#address.ask({ method: "HEAD" }, signal);
    return response.ok ? numberOf(response.headers.get("content-length")) : undefined;
  }

  #wholeSize(response: Response): number {
    const encoding = response.headers.get("content-encoding") ?? "identity";
    const size = numberOf(response.headers.get("content-length"));
    if (encoding === "identity" && size !== undefined) return this.#expected(size);
    // A length would be that of the compressed bytes.
    if (this.options.size !== undefined) return this.options.size;
    void response.body?.cancel();
    throw this.#error(
      "source/network",
      "the server knows no ranges and does not tell the size; download the file first",
    );
  }

  /** The size that the server tells, which must be the known one. */
  #expected(size: number): number {
    const expected = this.options.size ?? size;
    if (size === expected) return size;
    throw new WebggufError(
      "source/changed",
      `Cannot read ${this.name}: the server has ${size} bytes of it, not the ${expected} that it should have; try again, or ask who keeps it`,
      { file: this.name, expected, actual: size },
    );
  }

  /** An answer that is no data: an error that stays, or one worth another try. */
  #refusal(response: Response): Error {
    const { status } = response;
    if (status === 404 || status === 410)
      return this.#error("source/not-found", `there is no such file (HTTP ${status})`, status);
    if (status === 401 || status === 403)
      return this.#error("source/network", `the server does not allow it (HTTP ${status})`, status);
    const wished = wishedPause(response);
    if (status === 429 && wished > longestPause)
      return this.#error(
        "source/network",
        `the server takes no more requests for ${Math.ceil(wished / 1000)} seconds (HTTP 429); try again then`,
        status,
      );
    if (passes(status)) return new Retryable(`HTTP ${status}`, wished);
    return this.#error("source/network", `the server answered HTTP ${status}`, status);
  }

  async #fetch(range: string | undefined, signal: AbortSignal | undefined): Promise<Response> {
    const headers: Record<string, string> = { "Accept-Encoding": "identity" };
    if (range) headers["Range"] = range;
    const response = await this.#address.ask({ headers }, signal);
    const { ok, status } = response;
    if (ok || status === 416 || passes(status) || !this.#address.moved) return response;
    // A signed address has expired: the first one gives another.
    void response.body?.cancel();
    this.#address.forget();
    return this.#address.ask({ headers }, signal);
  }

  /** Throws `source/changed` unless the answer is about the file that was opened. */
  #checkVersion(response: Response, size: number | undefined): void {
    const { etag, modified } = versionOf(response);
    const known = this.#version;
    const sameSize = size === undefined || size === this.size;
    // A date alone may differ between mirrors that agree on the ETag.
    const same =
      etag && known.etag
        ? etag === known.etag
        : !modified || !known.modified || modified === known.modified;
    if (same && sameSize) return;
    void response.body?.cancel();
    throw this.#error(
      "source/changed",
      "it changed on the server while it was read; load it again",
    );
  }

  /** One try at bytes `from` to `end` (exclusive); the pieces may end early if the connection does. */
  async *range(
    from: number,
    end: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const response = await this.#fetch(`bytes=${from}-${end - 1}`, signal);
    const { start, size } = contentRange(response);
    if (response.status === 206 || response.status === 416) this.#checkVersion(response, size);
    if (response.status === 416)
      throw this.#error("source/changed", `the server no longer has byte ${from}; load it again`);
    const right = response.status === 206 && (start ?? from) === from;
    if (!right) {
      void response.body?.cancel();
      if (!response.ok) throw this.#refusal(response);
      throw new Retryable("the server answered with another range");
    }
    const encoding = response.headers.get("content-encoding");
    if (encoding && encoding !== "identity") {
      void response.body?.cancel();
      throw this.#error(
        "source/network",
        `the server compresses its ranges (${encoding}); download the file first`,
      );
    }
    let left = end - from;
    for await (const piece of this.pieces(response, signal)) {
      // More than was asked for; else the body is read to its end, and the connection serves again.
      if (left === 0) return;
      const mine = piece.subarray(0, left);
      left -= mine.length;
      yield mine;
    }
  }

  /** The whole body once more, for servers without ranges. */
  async whole(signal: AbortSignal | undefined): Promise<Response> {
    const response = await this.#fetch(undefined, signal);
    if (response.status !== 200) {
      void response.body?.cancel();
      throw this.#refusal(response);
    }
    this.#checkVersion(response, numberOf(response.headers.get("content-length")));
    return response;
  }

  /** A body in pieces of bounded size; silence and aborts end it. */
  async *pieces(
    response: Response,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { silence = defaultSilence } = this.options;
    const reader = response.body?.getReader();
    if (!reader) return;
    try {
      for (;;) {
        const { done, value } = await settle(reader.read(), signal, silence);
        if (done) return;
        for (let at = 0; at < value.length; at += pieceBytes)
          yield value.subarray(at, at + pieceBytes) as Uint8Array<ArrayBuffer>;
      }
    } finally {
      // Not awaited: a connection that is stuck must not hold its reader.
      reader.cancel().catch(() => {});
    }
  }
}
