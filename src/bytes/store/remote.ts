/** A page's side of the store: what is whole is read here, all else is asked of the worker that keeps it. */
import { WebggufError } from "../../base/errors.ts";
import { realError } from "../../base/plain-errors.ts";
import { checkRange } from "../../base/range.ts";
import type { ByteSource } from "../../base/source.ts";
import { storedFile } from "../../platform/stored-file.ts";
import { blobSource } from "../blob.ts";
import { pieces } from "../range.ts";
import { settle } from "../retry.ts";
import type { FromStore, OpenedSource, StoreRequest } from "./protocol.ts";
import type { ModelStore, StoredModel, StoredSource, StoreOptions } from "./types.ts";

interface Pending extends Pick<StoreOptions, "onProgress" | "onNotice"> {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Milliseconds that a worker may take to start. */
const PATIENCE = 20_000;

/** Starts the worker; undefined where there can be none. */
export async function remoteStore(): Promise<ModelStore | undefined> {
  if (typeof Worker === "undefined") return undefined;
  let worker: Worker;
  try {
    worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  } catch {
    return undefined;
  }
  const started = new Promise<boolean>((resolve) => {
    worker.addEventListener("message", () => resolve(true), { once: true });
    worker.addEventListener("error", () => resolve(false), { once: true });
    setTimeout(() => resolve(false), PATIENCE);
  });
  if (await started) return new RemoteStore(worker);
  worker.terminate();
  return undefined;
}

class RemoteStore implements ModelStore {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #last = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener("message", ({ data }: MessageEvent<FromStore>) => this.#take(data));
    worker.addEventListener("error", ({ message }) => {
      const error = new WebggufError(
        "source/io",
        `Cannot go on: the store's worker failed (${message}); load the page again`,
      );
      for (const { reject } of this.#pending.values()) reject(error);
      this.#pending.clear();
    });
  }

  open(reference: string, options: StoreOptions): Promise<StoredSource> {
    return this.#opened(options, ({ signal, onProgress, onNotice, ...rest }) => ({
      do: "open",
      reference,
      options: rest,
    }));
  }
  pull(reference: string, options: StoreOptions): Promise<StoredModel> {
    return this.#run("pull", reference, options);
  }
  list(): ReturnType<ModelStore["list"]> {
    return this.#ask({ do: "list" });
  }
  remove(reference: string): Promise<number> {
    return this.#ask({ do: "remove", reference });
  }
  verify(reference: string, options: StoreOptions): ReturnType<ModelStore["verify"]> {
    return this.#run("verify", reference, options);
  }
  candidates(reference: string, options: StoreOptions): ReturnType<ModelStore["candidates"]> {
    return this.#run("candidates", reference, options);
  }
  space(): ReturnType<ModelStore["space"]> {
    return this.#ask({ do: "space" });
  }

  #run<T>(
    what: "pull" | "verify" | "candidates",
    reference: string,
    { signal, onProgress, onNotice, ...options }: StoreOptions,
  ): Promise<T> {
    return this.#ask({ do: what, reference, options }, { signal, onProgress, onNotice });
  }

  #take(message: FromStore): void {
    if ("ready" in message) return;
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if ("progress" in message) return pending.onProgress?.(message.progress);
    if ("notice" in message) return pending.onNotice?.(message.notice);
    if ("error" in message) pending.reject(realError(message.error));
    else pending.resolve(message.value);
  }

  /** Posts a request; its signal ends the wait at once, and the work there. */
  async #ask<T>(
    request: StoreRequest,
    { signal, onProgress, onNotice }: StoreOptions = {},
    id: number = ++this.#last,
  ): Promise<T> {
    signal?.throwIfAborted();
    const reply = new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { onProgress, onNotice, resolve: resolve as () => void, reject });
    });
    this.#worker.postMessage({ ...request, id });
    const stop = (): void => this.#worker.postMessage({ abort: id, reason: "stopped" });
    signal?.addEventListener("abort", stop);
    try {
      return await settle(reply, signal, undefined);
    } finally {
      signal?.removeEventListener("abort", stop);
      // Reports of a download come as long as it goes on.
      if (request.do !== "open" && request.do !== "beside") this.#pending.delete(id);
    }
  }

  async #opened(
    options: StoreOptions,
    request: (options: StoreOptions) => StoreRequest,
  ): Promise<StoredSource> {
    const id = ++this.#last;
    const { signal } = options;
    const { name, size, place } = await this.#ask<OpenedSource>(request(options), options, id);
    const stop = (): void => this.#worker.postMessage({ abort: id, reason: "stopped" });
    signal?.addEventListener("abort", stop);
    const own: ByteSource | undefined =
      place === undefined ? undefined : blobSource(await storedFile(place), name);
    const read: ByteSource["read"] = async (offset, length, reading) => {
      checkRange({ name, size }, offset, length);
      if (own) return own.read(offset, length, reading);
      return this.#ask({ do: "read", source: id, offset, length }, { signal: reading });
    };
    return {
      name,
      size,
      place,
      read,
      async *stream(offset, length, reading) {
        checkRange({ name, size }, offset, length);
        for (const piece of pieces(offset, length))
          yield await read(piece.offset, piece.length, reading);
      },
      whole: () =>
        this.#ask<boolean>({ do: "whole", source: id }, { signal }).finally(() =>
          signal?.removeEventListener("abort", stop),
        ),
      beside: (other) => this.#opened(options, () => ({ do: "beside", source: id, name: other })),
      close: async () => {
        signal?.removeEventListener("abort", stop);
        await this.#ask({ do: "close", source: id });
        this.#pending.delete(id);
      },
    };
  }
}
