/** From whatever names a model to its bytes and its header. */
import { platform } from "#platform";
import { WebggufError } from "../base/errors.ts";
import { refuse, signal as signalRule } from "../base/options.ts";
import type { ByteSource } from "../base/source.ts";
import { blobSource } from "../bytes/blob.ts";
import { bufferSource } from "../bytes/buffer.ts";
import { httpSource } from "../bytes/http.ts";
import { settle } from "../bytes/retry.ts";
import type { ModelFile } from "../file/types.ts";
import { readGguf } from "../gguf/read.ts";
import { modelPart, modelSource } from "./source-rules.ts";
import type { ModelPart, ModelSource } from "./types.ts";

/**
 * Opens a path, an http(s) or file URL, a File or Blob, or bytes; a ByteSource is taken as it is.
 * The caller closes it. In a browser a text is a URL, relative to the page's.
 */
export async function openSource(source: ModelPart, signal?: AbortSignal): Promise<ByteSource> {
  if (signal !== undefined) signalRule(signal, "signal");
  modelPart(source, "the model");
  return open(source, signal);
}

/** `mark` stands behind the name of what has none of its own. */
async function open(
  source: ModelPart,
  signal: AbortSignal | undefined,
  onNotice?: (text: string) => void,
  mark = "",
): Promise<ByteSource> {
  signal?.throwIfAborted();
  if (typeof source === "string" || source instanceof URL)
    return openNamed(source, signal, onNotice);
  if (source instanceof Blob) return blobSource(source, (source as File).name || `blob${mark}`);
  if (source instanceof ArrayBuffer || source instanceof Uint8Array)
    return bufferSource(source as ArrayBuffer | Uint8Array<ArrayBuffer>, `memory${mark}`);
  return source;
}

/**
 * Opens a source and reads its header. Where one part of a split file is given, the others are opened
 * by their names.
 */
export async function openFile(
  source: ModelSource,
  signal: AbortSignal | undefined,
  onNotice?: (text: string) => void,
): Promise<ModelFile> {
  modelSource(source, "the model");
  const given = Array.isArray(source) ? (source as readonly ModelPart[]) : [source as ModelPart];
  const sources: ByteSource[] = [];
  let reading: Promise<ModelFile> | undefined;
  try {
    for (const part of given) {
      const mark = given === source ? `[${sources.length}]` : "";
      sources.push(await open(part, signal, onNotice, mark));
    }
    const [only] = given;
    // Only who chose a Blob can choose another.
    const alone = given.length === 1 && !(only instanceof Blob);
    reading = readGguf(sources, {
      signal,
      ...(alone && { open: (name) => open(beside(only, name), signal) }),
    });
    return await settle(reading, signal, undefined);
  } catch (error) {
    // What is abandoned closes itself when it ends, if it does.
    reading?.then(closeFile, () => {});
    const closing = Promise.all(sources.map((one) => one.close()));
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
function beside(source: ModelPart, name: string): string | URL {
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
