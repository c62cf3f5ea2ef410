/** From whatever names a model to its bytes and its header. */
import { platform } from "#platform";
import { WebggufError } from "../base/errors.ts";
import { checkOptions, refuse } from "../base/options.ts";
import type { ByteSource } from "../base/source.ts";
import { blobSource } from "../bytes/blob.ts";
import { bufferSource } from "../bytes/buffer.ts";
import { settle } from "../bytes/retry.ts";
import type { StoredSource } from "../bytes/store/types.ts";
import { modelStore } from "../bytes/store.ts";
import type { ModelFile } from "../file/types.ts";
import { readGguf } from "../gguf/read.ts";
import { modelPart, modelSource, sourceRules } from "./source-rules.ts";
import type { ModelPart, ModelSource, SourceOptions } from "./types.ts";

/**
 * Opens a path, a repository (`hf:USER/REPO`), an http(s) or file URL, a File or Blob, or bytes; a ByteSource is taken
 * as it is. The caller closes it. In a browser a text is a URL, relative to the page's.
 *
 * What comes from a repository or URL is kept in the store: its download begins at once, goes on in the background and
 * stops with `close()`, to be resumed the next time. With `cache: false` only what is read is fetched, and nothing kept.
 * A signal may stand in place of the options.
 */
export async function openSource(
  source: ModelPart,
  options: AbortSignal | SourceOptions = {},
): Promise<ByteSource> {
  const all = options instanceof AbortSignal ? { signal: options } : options;
  checkOptions(all, sourceRules);
  modelPart(source, "the model");
  return open(source, all);
}

/** `mark` stands behind the name of what has none of its own. */
async function open(source: ModelPart, options: SourceOptions, mark = ""): Promise<ByteSource> {
  options.signal?.throwIfAborted();
  if (typeof source === "string" || source instanceof URL) return openNamed(source, options);
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
  options: SourceOptions = {},
): Promise<ModelFile> {
  modelSource(source, "the model");
  const { signal } = options;
  const given = Array.isArray(source) ? (source as readonly ModelPart[]) : [source as ModelPart];
  const sources: ByteSource[] = [];
  let reading: Promise<ModelFile> | undefined;
  try {
    for (const part of given) {
      const mark = given === source ? `[${sources.length}]` : "";
      sources.push(await open(part, options, mark));
    }
    const [only] = given;
    const [first] = sources;
    // Only who chose a Blob can choose another.
    const alone = given.length === 1 && !(only instanceof Blob);
    reading = readGguf(sources, {
      signal,
      ...(alone && {
        open: (name) => (isStored(first) ? first.beside(name) : open(beside(only, name), options)),
      }),
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

/** Whether a source is of the store. */
const isStored = (source: ByteSource): source is StoredSource => "whole" in source;

/** Resolves when all of a file has come and is what it should be. */
export async function arrived(file: ModelFile): Promise<void> {
  await Promise.all(file.sources.map((source) => isStored(source) && source.whole()));
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

async function openNamed(name: string | URL, options: SourceOptions): Promise<ByteSource> {
  const repo = /^hf:/i.test(String(name));
  const url = repo ? undefined : urlOf(name);
  if (repo || url?.protocol === "http:" || url?.protocol === "https:")
    return (await modelStore()).open(url?.href ?? String(name), options);
  if (url === undefined) return openPath(String(name), options.signal);
  if (url.protocol === "file:") return openPath(filePath(url), options.signal);
  throw new WebggufError(
    "input/invalid",
    `Cannot open ${url.protocol} URLs; models come from http, https, hf and files`,
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
