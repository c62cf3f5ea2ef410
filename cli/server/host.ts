/**
 * The models of a server: one, or many that are loaded when they are asked for. A model that answers is
 * never taken away; the one longest unused goes where another needs its place, by count or by bytes.
 */
import type { LoadOptions, LoadProgress, Model } from "../../mod.ts";
import { ApiError } from "./errors.ts";
import { Metrics } from "./metrics.ts";
import { Revival } from "./revival.ts";
import { Slots } from "./slots.ts";

/** A model that may be served. */
export interface ModelEntry {
  readonly id: string;
  readonly aliases: readonly string[];
  /** Path, URL or reference. */
  readonly source: string;
  readonly options: LoadOptions;
  /** Answers at once. */
  readonly parallel: number;
  /** Never taken away for another. */
  readonly pinned: boolean;
  /** Whether its files are of the store of models, and may be removed. */
  readonly stored?: boolean;
}

export type ModelState = "unloaded" | "loading" | "loaded" | "sleeping" | "downloading";

/** What happens to a model. */
export type ModelChange =
  | { readonly id: string; readonly state: ModelState; readonly progress?: LoadProgress }
  | { readonly id: string; readonly removed: true; readonly error?: string };

/** A loaded model with its slots. */
export interface Served {
  readonly id: string;
  readonly model: Model;
  readonly slots: Slots;
  readonly metrics: Metrics;
  readonly revival: Revival;
  /** Tokens of a prompt between two reports of its progress. */
  readonly chunk: number;
}

/** A model in use; it stays until it is released. */
export interface Lease {
  readonly served: Served;
  release(): void;
}

export interface HostOptions {
  /** Models loaded at once at most; 0 = no limit. */
  readonly most: number;
  /** Bytes of device memory for all of them; 0 = no limit. */
  readonly memory: number;
  /** Load a model when it is asked for. */
  readonly autoload: boolean;
  /** Milliseconds without requests after which a model's memory is freed; 0 = never. */
  readonly sleepAfter: number;
  /** Requests that may wait for one model's slots. */
  readonly queue: number;
  readonly load: (source: string, options: LoadOptions) => Promise<Model>;
  /** Bytes that loading an entry will take, for `memory`. */
  readonly needs: (entry: ModelEntry) => Promise<number>;
  /** Where models can be fetched to and removed from; without it there are the entries alone. */
  readonly store?: ModelStore;
}

/** llama.cpp's rows of a physical batch. */
const CHUNK = 512;

/** Where models are fetched to. */
export interface ModelStore {
  readonly pull: (
    reference: string,
    options: Required<Pick<LoadOptions, "signal" | "onProgress">>,
  ) => Promise<unknown>;
  readonly remove: (reference: string) => Promise<unknown>;
  /** What a reference becomes. */
  readonly entry: (reference: string) => ModelEntry;
}

interface Held {
  readonly entry: ModelEntry;
  readonly metrics: Metrics;
  state: ModelState;
  served: Served | undefined;
  /** Work under way, shared by all that wait for it. */
  loading: Promise<Served> | undefined;
  stop: AbortController | undefined;
  /** Ends when the model is there or was given up. */
  fetching?: Promise<void> | undefined;
  waiting: number;
  users: number;
  usedAt: number;
  bytes: number;
  error: string | undefined;
  progress: LoadProgress | undefined;
}

/** What is told of a model. */
export interface ModelStatus {
  readonly entry: ModelEntry;
  readonly state: ModelState;
  readonly model: Model | undefined;
  readonly error: string | undefined;
  readonly progress: LoadProgress | undefined;
}

export class Host {
  readonly #held = new Map<string, Held>();
  readonly #options: HostOptions;
  readonly #watchers = new Set<(change: ModelChange) => void>();
  readonly #closing = new AbortController();
  /** Loads come one after another, in the order they were asked for. */
  #queue: Promise<unknown> = Promise.resolve();
  /** Called when a model has become idle. */
  #idle: (() => void)[] = [];
  #clock: ReturnType<typeof setInterval> | undefined;

  constructor(entries: readonly ModelEntry[], options: HostOptions) {
    this.#options = options;
    for (const entry of entries) this.#add(entry, "unloaded");
    if (options.sleepAfter > 0)
      this.#clock = setInterval(() => this.#sleep(), Math.min(1000, options.sleepAfter / 2));
  }

  #add(entry: ModelEntry, state: ModelState): Held {
    const held: Held = {
      ...{ entry, state, metrics: new Metrics(), waiting: 0, users: 0, usedAt: 0, bytes: 0 },
      served: undefined,
      loading: undefined,
      stop: undefined,
      error: undefined,
      progress: undefined,
    };
    this.#held.set(entry.id, held);
    return held;
  }

  /** Aborted when the server stops. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Calls `watcher` with every change until the function that it gives is called. */
  watch(watcher: (change: ModelChange) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #tell(change: ModelChange): void {
    for (const watcher of this.#watchers) watcher(change);
  }

  /**
   * Begins to fetch a model, which is served when it is there; who watches hears of it. Errors: 400 where
   * nothing can be fetched, or the model is there.
   */
  download(reference: string): ModelEntry {
    this.#closing.signal.throwIfAborted();
    const { store } = this.#options;
    if (!store)
      throw new ApiError(
        400,
        "Cannot fetch a model: this server was started with a model of its own",
      );
    const entry = store.entry(reference);
    if (this.#held.has(entry.id))
      throw new ApiError(400, `Model ${entry.id} is there already`, { param: "model" });
    const held = this.#add(entry, "downloading");
    const stop = new AbortController();
    held.stop = stop;
    this.#set(held, "downloading");
    const { signal } = stop;
    const onProgress = (progress: LoadProgress): void => this.#progress(held, progress);
    held.fetching = store.pull(entry.source, { signal, onProgress }).then(
      () => {
        held.stop = held.fetching = held.progress = undefined;
        this.#set(held, "unloaded");
      },
      (error: Error) => {
        this.#held.delete(entry.id);
        this.#tell({
          ...{ id: entry.id, removed: true },
          ...(!signal.aborted && { error: error.message }),
        });
      },
    );
    return entry;
  }

  /** Gives up fetching a model, or frees it and removes its files. Errors: 400 while it answers, or where it is no model of the store; 404. */
  async remove(name: string): Promise<void> {
    const held = this.#find(name);
    const { entry } = held;
    if (held.fetching) {
      held.stop?.abort(new ApiError(503, `Fetching ${entry.id} was given up`));
      await held.fetching;
      return;
    }
    if (!this.#options.store || !entry.stored)
      throw new ApiError(400, `Cannot remove ${entry.id}: it was not fetched by this server`, {
        param: "model",
      });
    await this.unload(name);
    this.#held.delete(entry.id);
    await this.#options.store.remove(entry.source);
    this.#tell({ id: entry.id, removed: true });
  }

  list(): ModelStatus[] {
    return [...this.#held.values()].map(({ entry, state, served, error, progress }) => ({
      entry,
      state,
      model: served?.model,
      error,
      progress,
    }));
  }

  /** The models that are loaded. */
  loaded(): Served[] {
    return [...this.#held.values()].flatMap(({ served }) => served ?? []);
  }

  /** The only model there is and will be, or undefined. */
  get single(): ModelEntry | undefined {
    return this.#held.size === 1 && !this.#options.store
      ? [...this.#held.values()][0].entry
      : undefined;
  }

  /**
   * The model of that name, loaded where it is not; with one model only, any name is its. Errors: 400
   * and 404 for names, 503 while it cannot be loaded, the signal's reason.
   */
  async lease(name: string | undefined, signal: AbortSignal, autoload?: boolean): Promise<Lease> {
    this.#closing.signal.throwIfAborted();
    const held = this.#find(name);
    if (held.fetching)
      throw new ApiError(503, `Model ${held.entry.id} is being fetched; try again later`, {
        retryAfter: 5,
      });
    if (!held.served && !(autoload ?? this.#options.autoload) && held.state !== "sleeping")
      throw new ApiError(
        400,
        `Model ${held.entry.id} is not loaded; load it with POST /models/load`,
        { param: "model" },
      );
    held.users++;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      held.users--;
      held.usedAt = performance.now();
      if (held.users === 0) for (const wake of this.#idle.splice(0)) wake();
    };
    try {
      return { served: held.served ?? (await this.#wait(held, signal)), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Loads a model now. */
  async load(name: string, signal: AbortSignal): Promise<void> {
    (await this.lease(name, signal, true)).release();
  }

  /** Frees a model; one that is being loaded is given up. Errors: 400 while it answers. */
  async unload(name: string): Promise<void> {
    const held = this.#find(name);
    if (held.loading) {
      held.stop?.abort(new ApiError(503, `Loading ${held.entry.id} was given up`));
      await held.loading.catch(() => {});
    } else if (held.users > 0)
      throw new ApiError(400, `Cannot unload ${held.entry.id}: it is answering`, {
        param: "model",
      });
    await this.#free(held, "unloaded");
  }

  /** Waits until nothing runs, at most `ms`, and frees everything. */
  async close(ms: number): Promise<void> {
    clearInterval(this.#clock);
    const reason = new ApiError(503, "The server is shutting down");
    this.#closing.abort(reason);
    const end = performance.now() + ms;
    for (const held of this.#held.values()) held.stop?.abort(reason);
    while ([...this.#held.values()].some(({ users }) => users > 0) && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await Promise.all([...this.#held.values()].map((held) => this.#free(held, "unloaded")));
  }

  #find(name: string | undefined): Held {
    const all = [...this.#held.values()];
    if (this.single) return all[0];
    if (name === undefined)
      throw new ApiError(400, "Cannot answer: model is missing; GET /v1/models lists them", {
        param: "model",
      });
    const found = all.find(({ entry }) => entry.id === name || entry.aliases.includes(name));
    if (!found)
      throw new ApiError(404, `There is no model ${JSON.stringify(name).slice(0, 100)}`, {
        param: "model",
      });
    return found;
  }

  /** The loading of a model that others may wait for too; the last one that leaves stops it. */
  async #wait(held: Held, signal: AbortSignal): Promise<Served> {
    signal.throwIfAborted();
    held.waiting++;
    held.loading ??= this.#begin(held);
    const { loading, stop } = held;
    let left: (() => void) | undefined;
    try {
      return await Promise.race([
        loading,
        new Promise<never>((_, reject) => {
          left = () => reject(signal.reason);
          signal.addEventListener("abort", left, { once: true });
        }),
      ]);
    } finally {
      signal.removeEventListener("abort", left!);
      if (--held.waiting === 0 && !held.served)
        stop?.abort(new DOMException("Nobody waits for the model any more", "AbortError"));
    }
  }

  #begin(held: Held): Promise<Served> {
    const stop = new AbortController();
    held.stop = stop;
    const asleep = held.state === "sleeping";
    this.#set(held, "loading");
    const work = this.#queue.then(async () => {
      try {
        const { entry } = held;
        stop.signal.throwIfAborted();
        await this.#makeRoom(held, stop.signal);
        const model = await this.#options.load(entry.source, {
          ...entry.options,
          maxSequences: entry.parallel,
          signal: stop.signal,
          onProgress: (progress) => {
            this.#progress(held, progress);
          },
        });
        const { weights, cache, arena } = model.memory;
        held.bytes = weights + cache + arena;
        const slots = new Slots(model, entry.parallel, this.#options.queue);
        const served: Served = {
          ...{ id: entry.id, model, slots, metrics: held.metrics },
          // A model that cannot be revived is loaded as a new one by the next request.
          revival: new Revival(model, () => {
            if (held.served === served) void this.#free(held, "unloaded");
          }),
          chunk: entry.options.chunk ?? CHUNK,
        };
        held.served = served;
        held.error = undefined;
        held.usedAt = performance.now();
        this.#set(held, "loaded");
        return held.served;
      } catch (error) {
        held.error = stop.signal.aborted ? undefined : (error as Error).message;
        this.#set(held, asleep ? "sleeping" : "unloaded");
        throw error;
      } finally {
        held.progress = undefined;
        held.loading = undefined;
        held.stop = undefined;
      }
    });
    this.#queue = work.catch(() => {});
    return work;
  }

  /** Frees the models longest unused until `held` has its place; waits while all of them answer. */
  async #makeRoom(held: Held, signal: AbortSignal): Promise<void> {
    const { most, memory } = this.#options;
    if (memory > 0) held.bytes = await this.#options.needs(held.entry);
    if (memory > 0 && held.bytes > memory)
      throw new ApiError(
        503,
        `Cannot load ${held.entry.id}: it needs ${mebibytes(held.bytes)}, the models together may take ${mebibytes(memory)}`,
      );
    for (;;) {
      signal.throwIfAborted();
      const others = [...this.#held.values()].filter((one) => one !== held && one.served);
      const bytes = others.reduce((sum, one) => sum + one.bytes, held.bytes);
      if ((most === 0 || others.length < most) && (memory === 0 || bytes <= memory)) return;
      const idle = others
        .filter(({ users, entry }) => users === 0 && !entry.pinned)
        .sort((a, b) => a.usedAt - b.usedAt);
      if (idle.length > 0) await this.#free(idle[0], "unloaded");
      else if (others.every(({ entry }) => entry.pinned))
        throw new ApiError(
          503,
          `Cannot load ${held.entry.id}: the models that are pinned fill the place`,
        );
      else
        await new Promise<void>((resolve, reject) => {
          this.#idle.push(resolve);
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
    }
  }

  async #free(held: Held, state: ModelState): Promise<void> {
    const { served } = held;
    held.served = undefined;
    if (served) {
      served.slots.close(new ApiError(503, `Model ${held.entry.id} was unloaded`));
      await served.model.dispose();
    }
    if (held.state !== state && !held.loading) this.#set(held, state);
  }

  /** Frees what was not used for a while; it wakes with the next request. */
  #sleep(): void {
    const before = performance.now() - this.#options.sleepAfter;
    for (const held of this.#held.values())
      if (held.served && held.users === 0 && held.usedAt < before)
        void this.#free(held, "sleeping");
  }

  #set(held: Held, state: ModelState): void {
    held.state = state;
    this.#tell({ id: held.entry.id, state });
  }

  #progress(held: Held, progress: LoadProgress): void {
    held.progress = progress;
    this.#tell({ id: held.entry.id, state: held.state, progress });
  }
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
