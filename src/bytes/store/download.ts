/**
 * One file on its way into the store: a few ranges at a time, in order, each byte readable as soon as it is
 * written. The digest is computed meanwhile; only what it is right for comes to its place.
 */
import { WebggufError } from "../../base/errors.ts";
import type { Digest, Files, OpenedFile } from "../../platform/types.ts";
import type { HttpResource } from "../http-resource.ts";
import { settle, withRetries } from "../retry.ts";
import {
  type Identity,
  JOURNAL_BYTES,
  JOURNAL_PAUSE,
  partOf,
  removePart,
  writeJournal,
} from "./journal.ts";
import { type DownloadProgress, Meter } from "./progress.ts";
import type { Spans } from "./spans.ts";

/** Ranges that are fetched at the same time, and bytes of one. */
export interface Pace {
  readonly connections: number;
  readonly least: number;
  readonly most: number;
}

/** A file takes about so many ranges, as far as their bounds allow. */
const RANGES = 12;
/** Bytes of a range that somebody waits for out of turn, and of a piece that is read back for the digest. */
const WANTED = 256 << 10;
const HASHED = 512 << 10;

export interface DownloadOptions {
  readonly files: Files;
  readonly resource: HttpResource;
  /** The answer to the opening request, of a server that knows no ranges. */
  readonly body?: Response;
  /** What it is called, for who asks what is there. */
  readonly name: string;
  /** Where it stands when it is whole. */
  readonly path: string;
  readonly identity: Identity;
  /** Ranges that are there. */
  readonly spans: Spans;
  readonly pace: Pace;
  /** Resolves when it is this file's turn; until then only what somebody reads is fetched. */
  readonly turn: Promise<unknown>;
  /** Called with the digest when the file has come to its place. */
  readonly onPlaced: (sha256: string) => Promise<void>;
  /** Called when the disk takes no more, with the reason; nothing is left of the download. */
  readonly onGivenUp: (cause: unknown) => void;
  /** Called at the end, however it comes. */
  readonly onEnd: () => Promise<void>;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** The disk does not take it. */
class Unwritable extends Error {}

interface Range {
  at: number;
  readonly to: number;
}

export class Download {
  readonly #options: DownloadOptions;
  readonly #file: OpenedFile;
  readonly #digest: Digest;
  readonly #stop = new AbortController();
  readonly #active = new Set<Range>();
  readonly #meter = new Meter();
  #hashed = 0;
  #hashing = false;
  #unwritten = 0;
  #writtenAt = performance.now();
  #journal: Promise<void> = Promise.resolve();
  #waiting: (() => void)[] = [];
  #failure: { readonly error: unknown } | undefined;
  /** Whether the bytes are at their place, or elsewhere, and no longer here. */
  #over = false;
  /** Settles at the end: with false where the download was given up for want of space. */
  readonly done: Promise<boolean>;

  private constructor(file: OpenedFile, options: DownloadOptions) {
    this.#file = file;
    this.#options = options;
    this.#digest = options.files.sha256();
    this.done = this.#run();
    this.done.catch(() => {});
  }

  static async start(options: DownloadOptions): Promise<Download> {
    return new Download(await options.files.open(partOf(options.path)), options);
  }

  /** Reads bytes that are there; 0 where it is over and they are to be read elsewhere. Waits for those that are not. */
  async read(
    into: Uint8Array<ArrayBuffer>,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#over) return 0;
      // What the disk does not take is read elsewhere, as soon as nothing is left of it here.
      if (this.#failure && !(this.#failure.error instanceof Unwritable)) throw this.#failure.error;
      const length = Math.min(into.length, this.#options.spans.reach(offset) - offset);
      if (length > 0) return this.#file.read(into.subarray(0, length), offset);
      this.#want(offset, offset + into.length);
      await settle(this.#changed(), signal, undefined);
    }
  }

  /** Stops it; what has come is kept for the next time. */
  async stop(reason: unknown): Promise<void> {
    this.#fail(reason);
    await this.done.catch(() => {});
  }

  async #run(): Promise<boolean> {
    const { files, path, onEnd, onGivenUp } = this.#options;
    try {
      const fetching = this.#options.body ? this.#fetchWhole(this.#options.body) : this.#fetchAll();
      await fetching.catch((error) => this.#fail(error));
      await this.#quiet();
      if (this.#failure) throw this.#failure.error;
      await this.#place();
      return true;
    } catch (error) {
      this.#fail(error);
      await this.#quiet();
      await this.#file.close().catch(() => {});
      const code = error instanceof WebggufError ? error.code : "";
      if (error instanceof Unwritable) {
        this.#failure = undefined;
        this.#over = true;
        onGivenUp(error.cause);
        await removePart(files, path).catch(() => {});
        this.#wake();
        return false;
      }
      const nothing = this.#options.spans.bytes === 0;
      if (nothing || code === "source/changed" || code === "source/corrupt")
        await removePart(files, path).catch(() => {});
      throw error;
    } finally {
      await onEnd();
      this.#wake();
    }
  }

  /** Resolves when nothing is fetched, hashed or noted any more. */
  async #quiet(): Promise<void> {
    while (this.#active.size > 0 || this.#hashing) await this.#changed();
    await this.#note().catch(() => {});
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop.abort(error);
    this.#wake();
  }

  /** What is neither there nor on its way. */
  #missing(at: number): readonly [from: number, to: number] | undefined {
    const { spans, identity } = this.#options;
    let [from, to] = [at, identity.size];
    for (;;) {
      const gap = spans.gap(from, identity.size);
      if (!gap) return undefined;
      [from, to] = gap;
      const taken = [...this.#active].find((range) => range.at <= from && from < range.to);
      if (!taken) break;
      from = taken.to;
    }
    for (const range of this.#active) if (range.at > from) to = Math.min(to, range.at);
    return [from, to];
  }

  async #fetchAll(): Promise<void> {
    const { spans, pace, identity, turn } = this.#options;
    const length = Math.ceil(identity.size / RANGES / 65536) * 65536;
    const each = Math.min(pace.most, Math.max(pace.least, length));
    this.#hashOn();
    this.#report();
    await settle(turn, this.#stop.signal, undefined);
    for (;;) {
      this.#stop.signal.throwIfAborted();
      const next = this.#missing(0);
      if (!next && this.#active.size === 0) break;
      const ahead = next ? next[0] - spans.reach(0) : 0;
      if (next && this.#active.size < pace.connections && ahead < pace.connections * each)
        this.#fetch(next[0], Math.min(next[1], next[0] + each));
      else await this.#changed();
    }
  }

  /** Fetches what somebody waits for, unless it is on its way. */
  #want(from: number, to: number): void {
    if (this.#options.body || this.#failure) return;
    if ([...this.#active].some((range) => range.at <= from && from < range.to)) return;
    const gap = this.#missing(from);
    if (!gap || gap[0] !== from) return;
    this.#fetch(
      from,
      Math.min(gap[1], Math.max(to, from + WANTED), from + this.#options.pace.least),
    );
  }

  #fetch(from: number, to: number): void {
    const range: Range = { at: from, to };
    this.#active.add(range);
    this.#fetchRange(range)
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#active.delete(range);
        this.#wake();
      });
  }

  async #fetchRange(range: Range): Promise<void> {
    const { resource } = this.#options;
    const { signal } = this.#stop;
    const retry = withRetries(resource.name, resource.options, signal);
    while (range.at < range.to)
      try {
        for await (const piece of resource.range(range.at, range.to, signal)) {
          await this.#keep(piece, range.at);
          range.at += piece.length;
          retry.reset();
        }
        if (range.at < range.to) throw new Error(`the connection ended at byte ${range.at}`);
      } catch (error) {
        if (error instanceof Unwritable) throw error;
        await retry.after(error, range.at);
      }
  }

  /** From a server without ranges: from the start, and once more from there after a break. */
  async #fetchWhole(first: Response): Promise<void> {
    const { resource, identity } = this.#options;
    const { signal } = this.#stop;
    const retry = withRetries(resource.name, resource.options, signal);
    let furthest = 0;
    for (let body: Response | undefined = first; furthest < identity.size || body; body = undefined)
      try {
        let at = 0;
        for await (const piece of resource.pieces(body ?? (await resource.whole(signal)), signal)) {
          if (at + piece.length > identity.size)
            throw new WebggufError(
              "source/changed",
              `Cannot read ${resource.name}: more came than the ${identity.size} bytes that it has; check the address`,
              { file: resource.name, expected: identity.size, actual: at + piece.length },
            );
          await this.#keep(piece, at);
          at += piece.length;
          if (at <= furthest) continue;
          furthest = at;
          retry.reset();
        }
        if (at < identity.size) throw new Error(`the connection ended at byte ${at}`);
      } catch (error) {
        if (error instanceof Unwritable) throw error;
        await retry.after(error, furthest);
      }
  }

  async #keep(piece: Uint8Array<ArrayBuffer>, at: number): Promise<void> {
    try {
      await this.#file.write(piece, at);
    } catch (cause) {
      throw new Unwritable("", { cause });
    }
    this.#options.spans.add(at, at + piece.length);
    if (!this.#hashing && at === this.#hashed) {
      this.#digest.update(piece);
      this.#hashed += piece.length;
    }
    this.#hashOn();
    this.#wake();
    this.#report();
    this.#unwritten += piece.length;
    if (this.#unwritten >= JOURNAL_BYTES || performance.now() - this.#writtenAt >= JOURNAL_PAUSE)
      await this.#note();
  }

  #report(): void {
    const { onProgress, spans, identity, resource } = this.#options;
    const progress = onProgress && this.#meter.measure(spans.bytes, identity.size, resource.name);
    if (progress) onProgress(progress);
  }

  /** Writes down what is there, one time after the other. */
  #note(): Promise<void> {
    const { files, path, name, identity, spans } = this.#options;
    this.#unwritten = 0;
    this.#writtenAt = performance.now();
    this.#journal = this.#journal
      .then(() => writeJournal(files, path, name, identity, spans))
      .catch((cause) => {
        throw new Unwritable("", { cause });
      });
    return this.#journal;
  }

  /** Takes into the digest what stands in the file already, as far as there is no gap. */
  #hashOn(): void {
    const { spans } = this.#options;
    if (this.#hashing || spans.reach(this.#hashed) === this.#hashed) return;
    this.#hashing = true;
    const work = async (): Promise<void> => {
      const piece = new Uint8Array(HASHED);
      for (;;) {
        this.#stop.signal.throwIfAborted();
        const length = Math.min(HASHED, spans.reach(this.#hashed) - this.#hashed);
        if (length === 0) return;
        const came = await this.#file.read(piece.subarray(0, length), this.#hashed);
        if (came === 0) throw new Error("the part of the file that was kept is gone");
        this.#digest.update(piece.subarray(0, came));
        this.#hashed += came;
      }
    };
    work()
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#hashing = false;
        // What came meanwhile.
        if (!this.#failure) this.#hashOn();
        this.#wake();
      });
  }

  async #place(): Promise<void> {
    const { files, path, identity, resource, onPlaced } = this.#options;
    const sha256 = this.#digest.hex();
    if (identity.sha256 !== undefined && sha256 !== identity.sha256)
      throw new WebggufError(
        "source/corrupt",
        `Cannot use ${resource.name}: its SHA-256 is ${sha256}, and should be ${identity.sha256}; nothing of it was kept, try again`,
        { file: resource.name, expected: identity.sha256, actual: sha256 },
      );
    // Readers wait from here on until it is at its place.
    this.#over = true;
    await this.#file.close();
    try {
      await files.move(partOf(path), path);
      await onPlaced(sha256);
      await removePart(files, path);
    } catch (cause) {
      throw new Unwritable("", { cause });
    }
  }
}
