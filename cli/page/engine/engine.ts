/** The engine of the page: one model for all tabs, which ask it over ports. */
import { type LoadOptions, loadModel, type Model } from "../../../mod.ts";
import { plainError } from "../../../src/base/plain-errors.ts";
import { Host } from "../../server/host.ts";
import { answer } from "./answer.ts";
import type {
  EngineState,
  FromEngine,
  LoadedModel,
  LoadRequest,
  Request,
  ToEngine,
} from "./protocol.ts";
import type { ForwardedRequest } from "./relay.ts";

/** A MessagePort, or the global scope of a dedicated worker. */
export interface Port {
  postMessage(message: FromEngine): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToEngine>) => void): void;
  start?(): void;
}

interface Tab {
  readonly port: Port;
  readonly running: Map<number, AbortController>;
}

/** Requests of all tabs that may wait for an answer. */
const QUEUE = 64;

export class Engine {
  readonly #tabs = new Set<Tab>();
  readonly #lock = `webgguf engine ${crypto.randomUUID()}`;
  #state: EngineState = { status: "empty" };
  /** Holds the loaded model: its slots are the page's and the app's. */
  #host: Host | undefined;
  #loading: AbortController | undefined;
  /** Loads and unloads come one after another. */
  #turn: Promise<unknown> = Promise.resolve();
  #told = 0;

  /** Resolves when the lock is held, which is as long as this thread lives: tabs that wait for it learn of its end. */
  readonly #alive = new Promise<void>((resolve) => {
    void navigator.locks?.request(this.#lock, () => {
      resolve();
      return new Promise(() => {});
    });
  });

  connect(port: Port): void {
    const tab: Tab = { port, running: new Map() };
    this.#tabs.add(tab);
    port.addEventListener("message", ({ data }) => this.#take(tab, data));
    port.start?.();
    void this.#alive.then(() => port.postMessage({ lives: this.#lock }));
    port.postMessage({ state: this.#state });
  }

  #take(tab: Tab, message: ToEngine): void {
    if ("hello" in message) this.#watch(tab, message.hello);
    else if ("forward" in message) void this.#serve(message.forward, message.port);
    else if ("abort" in message) tab.running.get(message.abort)?.abort();
    else void this.#reply(tab, message);
  }

  /** A tab holds a lock while it lives. Its answers end with it. */
  #watch(tab: Tab, lock: string): void {
    void navigator.locks?.request(lock, () => {
      this.#tabs.delete(tab);
      for (const controller of tab.running.values()) controller.abort();
    });
  }

  async #reply(tab: Tab, request: Request & { id: number }): Promise<void> {
    const { id } = request;
    const controller = new AbortController();
    tab.running.set(id, controller);
    try {
      tab.port.postMessage({ id, value: await this.#do(tab, request, controller) });
    } catch (error) {
      tab.port.postMessage({ id, error: plainError(error) });
    } finally {
      tab.running.delete(id);
    }
  }

  #do(tab: Tab, request: Request & { id: number }, stop: AbortController): Promise<unknown> {
    const { id } = request;
    switch (request.do) {
      case "load":
        return this.#load(request, stop);
      case "unload":
        this.#loading?.abort();
        return this.#inTurn(() => this.#unload());
      case "answer": {
        const served = this.#host?.loaded()[0];
        if (!served) throw new Error("No model is loaded; choose one.");
        return answer(served, request, stop.signal, (event) => tab.port.postMessage({ id, event }));
      }
      case "fit":
        return fitOf(request, stop.signal);
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(work);
    this.#turn = next.catch(() => {});
    return next;
  }

  async #load(request: LoadRequest, stop: AbortController): Promise<void> {
    this.#loading?.abort();
    this.#loading = stop;
    const { reference, label, source, options } = request;
    const name = { reference, label };
    await this.#inTurn(async () => {
      await this.#unload();
      stop.signal.throwIfAborted();
      this.#tell({ status: "loading", name, progress: 0 });
      let notice: string | undefined;
      try {
        const model = await loadModel(typeof source === "string" ? source : [...source], {
          ...options,
          signal: stop.signal,
          onNotice: (text) => {
            notice = text;
          },
          onProgress: ({ loaded, total }) => {
            const progress = total > 0 ? loaded / total : 0;
            if (performance.now() - this.#told > 100)
              this.#tell({ status: "loading", name, progress });
          },
        });
        this.#host = await hostOf(label, model);
        const loaded = describe(request, model);
        this.#tell({ status: "ready", name, model: loaded, ...(notice && { notice }) });
      } catch (error) {
        this.#tell(
          stop.signal.aborted
            ? { status: "empty" }
            : { status: "failed", name, error: plainError(error) },
        );
        throw error;
      }
    });
  }

  async #unload(): Promise<void> {
    const host = this.#host;
    this.#host = undefined;
    if (host) this.#tell({ status: "empty" });
    await host?.close(0);
  }

  async #serve(request: ForwardedRequest, port: MessagePort): Promise<void> {
    // The app is fetched with the first request: who only talks needs it not.
    const { answerRequest } = await import("./serve.ts");
    await answerRequest(this.#host, request, port);
  }

  #tell(state: EngineState): void {
    this.#state = state;
    this.#told = performance.now();
    for (const { port } of this.#tabs) port.postMessage({ state });
  }
}

/** A host that has one model, which is loaded already. */
async function hostOf(id: string, model: Model): Promise<Host> {
  const entry = { id, aliases: [], source: id, options: {}, parallel: 1, pinned: true };
  const host = new Host([entry], {
    ...{ most: 0, memory: 0, autoload: true, sleepAfter: 0, queue: QUEUE },
    load: async () => model,
    needs: async () => 0,
  });
  await host.load(id, new AbortController().signal);
  return host;
}

function describe({ reference, label }: LoadRequest, model: Model): LoadedModel {
  const license = model.file.metadata.get("general.license");
  return {
    reference,
    label,
    architecture: model.architecture,
    contextLength: model.contextLength,
    device: model.device.name,
    kind: model.device.kind,
    software: model.device.software,
    memory: { ...model.memory },
    ...(typeof license === "string" && { license }),
  };
}

async function fitOf(
  { source, options }: { source: string | readonly Blob[]; options: LoadOptions },
  signal: AbortSignal,
): Promise<unknown> {
  const { fitModels } = await import("../../../src/session/fit.ts");
  if (typeof source !== "string")
    return fitModels([{ reference: [...source] }], { ...options, signal });
  const { models } = await import("../../../mod.ts");
  return models.fit(source, { ...options, signal });
}
