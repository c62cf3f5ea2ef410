/** The worker that keeps a page's models: the store over the origin's private file system, driven by messages. */
import { plainError } from "../../base/plain-errors.ts";
import { hasOpfs, opfs } from "../../platform/opfs.ts";
import { storedFile } from "../../platform/stored-file.ts";
import { blobSource } from "../blob.ts";
import type { FromStore, OpenedSource, StoreRequest, ToStore } from "./protocol.ts";
import { Store } from "./store.ts";
import type { StoredSource, StoreOptions } from "./types.ts";

const MIB = 1 << 20;

const scope = globalThis as unknown as {
  postMessage(message: FromStore, transfer?: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToStore>) => void): void;
};
const running = new Map<number, AbortController>();
const sources = new Map<number, StoredSource>();
const store = make();

async function make(): Promise<Store> {
  return new Store({
    files: (await hasOpfs()) ? opfs : undefined,
    fetch: (input, init) => fetch(input, { ...init, cache: "no-store" }),
    follows: true,
    // No more than 32 MiB ahead of what is whole: files grow slowly where gaps are left.
    pace: { connections: 4, least: 4 * MIB, most: 8 * MIB },
    openFile: async (path) => blobSource(await storedFile(path), path),
  });
}

function opened(id: number, source: StoredSource): OpenedSource {
  sources.set(id, source);
  const { name, size, place } = source;
  return { source: id, name, size, ...(place !== undefined && { place }) };
}

const sourceOf = (id: number): StoredSource => sources.get(id) as StoredSource;

async function act(request: StoreRequest & { id: number }, signal: AbortSignal): Promise<unknown> {
  const { id } = request;
  const kept = await store;
  const options = (): StoreOptions => ({
    ...("options" in request && request.options),
    signal,
    onProgress: (progress) => scope.postMessage({ id, progress }),
    onNotice: (notice) => scope.postMessage({ id, notice }),
  });
  switch (request.do) {
    case "open":
      return opened(id, await kept.open(request.reference, options()));
    case "beside":
      return opened(id, await sourceOf(request.source).beside(request.name));
    case "read":
      return sourceOf(request.source).read(request.offset, request.length, signal);
    case "whole":
      return sourceOf(request.source).whole();
    case "close":
      await sources.get(request.source)?.close();
      sources.delete(request.source);
      return undefined;
    case "remove":
      return kept.remove(request.reference);
    case "list":
    case "space":
      return kept[request.do]();
    default:
      return kept[request.do](request.reference, options());
  }
}

scope.addEventListener("message", async ({ data }) => {
  if ("abort" in data) {
    running.get(data.abort)?.abort(new DOMException(data.reason, "AbortError"));
    return;
  }
  const { id } = data;
  const stop = new AbortController();
  running.set(id, stop);
  try {
    const value = await act(data, stop.signal);
    const own = value instanceof Uint8Array ? [value.buffer] : [];
    scope.postMessage({ id, value }, own as ArrayBuffer[]);
  } catch (error) {
    scope.postMessage({ id, error: plainError(error) });
  } finally {
    // An opened source goes on, and can be stopped, until it is closed.
    if (data.do !== "open") running.delete(id);
    if (data.do === "close") running.delete(data.source);
  }
});
scope.postMessage({ ready: true });
