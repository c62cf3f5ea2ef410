/** From whatever names a model to its bytes and its header. */
import { platform } from "#platform";
import { WebggufError } from "../base/errors.ts";
import { isObject, refuse, rule, signal as signalRule } from "../base/options.ts";
import { type ByteSource, byteSource } from "../base/source.ts";
import { blobSource } from "../bytes/blob.ts";
import { bufferSource } from "../bytes/buffer.ts";
import { httpSource } from "../bytes/http.ts";
import { settle } from "../bytes/retry.ts";
import type { ModelFile } from "../file/types.ts";
import { readGguf } from "../gguf/read.ts";
import type { ModelSource } from "./types.ts";

/**
 * Opens a path, an http(s) or file URL, a File or Blob, or bytes; a ByteSource is taken as it is.
 * The caller closes it. In a browser a text is a URL, relative to the page's.
 */
export async function openSource(source: ModelSource, signal?: AbortSignal): Promise<ByteSource> {
  if (signal !== undefined) signalRule(signal, "signal");
  return open(source, signal);
}

async function open(
  source: ModelSource,
  signal: AbortSignal | undefined,
  onNotice?: (text: string) => void,
): Promise<ByteSource> {
  signal?.throwIfAborted();
  if ((typeof source === "string" && source.trim()) || source instanceof URL)
    return openNamed(source, signal, onNotice);
  if (source instanceof Blob) return blobSource(source);
  if (source instanceof ArrayBuffer) return bufferSource(source);
  if (source instanceof Uint8Array) return bufferSource(source as Uint8Array<ArrayBuffer>);
  rule("a path, a URL, a File or Blob, bytes, or a ByteSource", isObject)(source, "the model");
  byteSource(source, "the model");
  return source as ByteSource;
}

/** Opens a source and reads its header; the other parts of a split file are opened by their names. */
export async function openFile(
  source: ModelSource,
  signal: AbortSignal | undefined,
  onNotice?: (text: string) => void,
): Promise<ModelFile> {
  const bytes = await open(source, signal, onNotice);
  const reading = readGguf(bytes, {
    signal,
    // Only who chose a Blob can choose another.
    open: source instanceof Blob ? undefined : (name) => open(beside(source, name), signal),
  });
  try {
    return await settle(reading, signal, undefined);
  } catch (error) {
    // What is abandoned closes itself when it ends, if it does.
    reading.then(closeFile, () => {});
    const closing = bytes.close();
    if (signal?.aborted) closing.catch(() => {});
    else await closing;
    throw error;
  }
}

/** Closes all parts of a file. */
export async function closeFile(file: ModelFile): Promise<void> {
  await Promise.allSettled(file.sources.map((source) => source.close()));
}

/** Another part of a model: behind the same credentials, which the names of sources leave out. */
function beside(source: ModelSource, name: string): string | URL {
  const first = /^https?:/i.test(name) && urlOf(String(source));
  if (!first) return name;
  const { username, password, search } = first;
  return Object.assign(new URL(name), { username, password, search });
}

function openNamed(
  name: string | URL,
  signal: AbortSignal | undefined,
  onNotice: ((text: string) => void) | undefined,
): Promise<ByteSource> | ByteSource {
  const url = urlOf(name);
  if (url === undefined) return openPath(String(name), signal);
  if (url.protocol === "http:" || url.protocol === "https:")
    return httpSource(url.href, { fetch: platform.fetch, signal, onNotice });
  if (url.protocol === "file:") return openPath(filePath(url), signal);
  throw new WebggufError(
    "input/invalid",
    `Cannot open ${url.protocol} URLs; models come from http, https and files`,
    { file: url.href },
  );
}

/** Opens a path; a disk that does not answer is not waited for beyond the signal. */
function openPath(path: string, signal: AbortSignal | undefined): Promise<ByteSource> {
  const opening = platform.openFile(path);
  return settle(opening, signal, undefined).catch((error) => {
    opening.then((source) => source.close()).catch(() => {});
    throw error;
  });
}

/** A text with a scheme is a URL (one letter is a Windows drive); so is any text in a browser. */
function urlOf(name: string | URL): URL | undefined {
  if (name instanceof URL) return name;
  const whole = /^[a-z][a-z0-9+.-]+:\/\//i.test(name);
  if (!whole && platform.runtime !== "browser") return undefined;
  return read(name, () => new URL(name, whole ? undefined : globalThis.location?.href));
}

function filePath(url: URL): string {
  const path = read(url.href, () => decodeURIComponent(url.pathname));
  return /^\/[a-z]:\//i.test(path) ? path.slice(1) : path;
}

/** What a way of reading a URL gives; one that cannot be read is `input/invalid`. */
function read<T>(url: string, how: () => T): T {
  try {
    return how();
  } catch {
    return refuse("the model's address", "a valid URL", url.replace(/\/\/.*@|\?.*/g, "…"));
  }
}
