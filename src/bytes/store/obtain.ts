/** Brings one file: from its place, through a download into it, or past it where it cannot be kept. */
import { WebggufError } from "../../base/errors.ts";
import { checkRange } from "../../base/range.ts";
import type { ByteSource } from "../../base/source.ts";
import type { FileLock, Files } from "../../platform/types.ts";
import { httpSource } from "../http.ts";
import { type HttpOptions, HttpResource, type Version } from "../http-resource.ts";
import { type RetryOptions, settle } from "../retry.ts";
import { Download, type Pace } from "./download.ts";
import { headerSource } from "./header.ts";
import { lockOf, readJournal, removePart, unfinished } from "./journal.ts";
import { Meter } from "./progress.ts";
import type { StoredSource, StoreOptions } from "./types.ts";

/** What a store works with: the runtime's ways, handed in. */
export interface Means {
  /** Undefined where nothing can be kept. */
  readonly files: Files | undefined;
  readonly fetch: typeof fetch;
  readonly follows: boolean;
  readonly pace: Pace;
  readonly retry?: Pick<RetryOptions, "firstPause" | "retries">;
  readonly openFile: (path: string) => Promise<ByteSource>;
}

/** A file that is wanted. */
export interface Target {
  readonly name: string;
  readonly url: string;
  readonly path: string;
  readonly size?: number;
  readonly sha256?: string;
  readonly authorization?: string;
  /** Called when the file stands at its path: links and facts about it. */
  readonly placed: (facts: Version & { readonly size: number; sha256: string }) => Promise<void>;
  /** Where it is read from in the end. */
  readonly found: () => Promise<string | undefined>;
  readonly beside: StoredSource["beside"];
}

/** Bytes that stay free on a disk. */
const SPARE = 16 << 20;
/** Milliseconds between two looks at somebody else's download. */
const LOOK = 200;
const PIECE = 512 << 10;

const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A source under the name of what was asked for. */
function named(
  inner: ByteSource,
  { name, beside }: Pick<Target, "name" | "beside">,
  kept: boolean,
): StoredSource {
  return {
    name,
    size: inner.size,
    read: (...range) => inner.read(...range),
    stream: (...range) => inner.stream(...range),
    close: () => inner.close(),
    whole: () => Promise.resolve(kept),
    beside,
  };
}

const httpOptions = (means: Means, target: Target, options: StoreOptions): HttpOptions => ({
  ...means.retry,
  fetch: means.fetch,
  follows: means.follows,
  authorization: target.authorization,
  size: target.size,
  onNotice: options.onNotice,
});

/** Reads from the server alone. */
async function past(means: Means, target: Target, options: StoreOptions): Promise<StoredSource> {
  const { signal } = options;
  const http = { ...httpOptions(means, target, options), signal };
  const open = options.headerOnly ? headerSource : httpSource;
  return named(await open(target.url, http), target, false);
}

/** A file that is there. */
export async function atItsPlace(
  means: Means,
  target: Pick<Target, "name" | "beside">,
  path: string,
  { onProgress }: StoreOptions,
): Promise<StoredSource> {
  const source = { ...named(await means.openFile(path), target, true), place: path };
  const { size } = source;
  onProgress?.({ stage: "download", loaded: size, total: size, rate: 0, from: path });
  return source;
}

/** Why something is not kept, in a few words. */
function reasonOf(cause: unknown): string {
  const { code, name, message } = Object(cause) as Error & { code?: string };
  if (code === "ENOSPC" || code === "EDQUOT" || name === "QuotaExceededError")
    return "the disk is full";
  return `the store cannot be written (${code ?? name ?? message})`;
}

/**
 * Opens a wanted file. Where another process or tab fetches it, waits for that one. What keeps the store from being
 * written is told, and the file read without it.
 */
export async function obtain(
  means: Means,
  target: Target,
  options: StoreOptions,
  turn: Promise<unknown>,
): Promise<{ readonly source: StoredSource; readonly download?: Download }> {
  const { files } = means;
  const { signal, onNotice, cache = true, headerOnly } = options;
  if (!files || !cache || headerOnly) return { source: await past(means, target, options) };
  const without = async (reason: string): Promise<{ source: StoredSource }> => {
    onNotice?.(`Not keeping ${target.name}: ${reason}`);
    return { source: await past(means, target, options) };
  };
  let lock: FileLock;
  try {
    const held = await turnToFetch(files, target, options);
    if (typeof held === "string") return { source: await atItsPlace(means, target, held, options) };
    lock = held;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof WebggufError) throw error;
    return without(reasonOf(error));
  }
  let started = false;
  try {
    const http = httpOptions(means, target, options);
    const resource = new HttpResource(target.url, http);
    const body = await resource.open(signal);
    const { size, version } = resource;
    const identity = { ...version, size, sha256: target.sha256 };
    const { path } = target;
    const spans = await readJournal(files, path, body ? { ...identity, size: -1 } : identity);
    if (spans.bytes === 0) await removePart(files, path);
    const space = await files.space(path);
    const needed = size - spans.bytes;
    if (space && space.free < needed + SPARE) {
      await body?.body?.cancel();
      await removePart(files, path);
      return await without(`it needs ${mib(needed)}, and ${mib(space.free)} are free`);
    }
    let fallback: Promise<ByteSource> | undefined;
    const download = await Download.start({
      ...{ files, resource, body, path, identity, spans, turn, name: target.name },
      pace: means.pace,
      onProgress: options.onProgress,
      onPlaced: (sha256) => target.placed({ ...version, size, sha256 }),
      onGivenUp: (cause) => onNotice?.(`Not keeping ${target.name}: ${reasonOf(cause)}`),
      onEnd: () => lock.release(),
    });
    started = true;
    const stop = (): void => void download.stop(signal?.reason);
    signal?.addEventListener("abort", stop);
    download.done.catch(() => {}).finally(() => signal?.removeEventListener("abort", stop));
    if (signal?.aborted) stop();
    const elsewhere = async (): Promise<ByteSource> => {
      const kept = await download.done;
      const place = kept ? await target.found() : undefined;
      return place === undefined ? httpSource(target.url, http) : means.openFile(place);
    };
    const after = (): Promise<ByteSource> => {
      fallback ??= elsewhere();
      fallback.catch(() => {});
      return fallback;
    };
    return { source: arriving(target, size, download, after), download };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof WebggufError) throw error;
    return await without(reasonOf(error));
  } finally {
    if (!started) await lock.release();
  }
}

/** A lock, or the path of the file that somebody else has brought meanwhile. */
async function turnToFetch(
  files: Files,
  target: Target,
  { signal, onNotice, onProgress }: StoreOptions,
): Promise<FileLock | string> {
  const meter = new Meter();
  for (let told = false; ; told = true) {
    signal?.throwIfAborted();
    const found = await target.found();
    if (found !== undefined) return found;
    const lock = await files.lock(lockOf(target.path));
    if (lock) {
      // It may have come between the two looks.
      const meanwhile = await target.found();
      if (meanwhile === undefined) return lock;
      await lock.release();
      return meanwhile;
    }
    if (!told) onNotice?.(`Waiting for another download of ${target.name}`);
    const other = await unfinished(files, target.path);
    const progress = other && meter.measure(other.loaded, other.size, "another download");
    if (progress) onProgress?.(progress);
    await settle(sleep(LOOK), signal, undefined);
  }
}

/** A source whose bytes come one after the other; `after` is where they are when the download is over. */
function arriving(
  { name, beside }: Target,
  size: number,
  download: Download,
  after: () => Promise<ByteSource>,
): StoredSource {
  let closed = false;
  let over = false;
  /** What streams read into, one after the other: a new array for each tensor would pile up. */
  let spare: Uint8Array<ArrayBuffer> | undefined;
  const check = (offset: number, length: number): void => {
    checkRange({ name, size }, offset, length);
    if (!closed) return;
    throw new WebggufError("source/io", `Cannot read ${name}: it was closed; open it again`, {
      file: name,
    });
  };
  /** Fills `into`, and no less. */
  const fill = async (
    into: Uint8Array<ArrayBuffer>,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    for (let at = 0; at < into.length; ) {
      check(offset, into.length);
      const came = over ? 0 : await download.read(into.subarray(at), offset + at, signal);
      at += came;
      if (came > 0) continue;
      over = true;
      const rest = into.length - at;
      into.set(
        await (await settle(after(), signal, undefined)).read(offset + at, rest, signal),
        at,
      );
      return;
    }
  };
  return {
    name,
    size,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      check(offset, length);
      const bytes = new Uint8Array(length);
      await fill(bytes, offset, signal);
      return bytes;
    },
    async *stream(offset, length, signal) {
      signal?.throwIfAborted();
      check(offset, length);
      const piece = spare ?? new Uint8Array(PIECE);
      spare = undefined;
      try {
        for (let at = 0; at < length; at += piece.length) {
          const part = piece.subarray(0, Math.min(piece.length, length - at));
          await fill(part, offset + at, signal);
          yield part;
        }
      } finally {
        spare = piece;
      }
    },
    async whole() {
      const kept = await download.done;
      over = true;
      return kept;
    },
    async close() {
      if (closed) return;
      closed = true;
      const reason = new WebggufError("source/io", `Cannot read ${name}: it was closed`);
      await download.stop(reason);
      if (over) await (await after().catch(() => undefined))?.close();
    },
    beside,
  };
}
