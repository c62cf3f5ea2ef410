/** A tab's side of the engine. */
import { type Signal, signal } from "@preact/signals";
import { realError } from "../../../src/base/plain-errors.ts";
import type {
  AnswerEnd,
  AnswerEvent,
  EngineState,
  FromEngine,
  LoadRequest,
  Replies,
  Request,
  ToEngine,
} from "./protocol.ts";
import type { ForwardedRequest } from "./relay.ts";

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  onEvent?(event: AnswerEvent): void;
}

interface Port {
  postMessage(message: ToEngine, transfer?: Transferable[]): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
  start?(): void;
}

const LOST = "The engine stopped. Your conversation is kept; load the model again to go on.";

class EngineClient {
  readonly state: Signal<EngineState> = signal<EngineState>({ status: "starting" });
  readonly #pending = new Map<number, Pending>();
  #port: Port | undefined;
  #last = 0;

  /** Starts the engine, or finds the one that another tab has started. */
  connect(): Port {
    if (this.#port) return this.#port;
    const port = openPort(() => this.#lost());
    this.#port = port;
    port.addEventListener("message", (event) => this.#take((event as MessageEvent).data));
    port.start?.();
    const lock = `webgguf tab ${crypto.randomUUID()}`;
    void navigator.locks?.request(lock, () => {
      port.postMessage({ hello: lock });
      return new Promise(() => {});
    });
    return port;
  }

  load(request: LoadRequest, abort?: AbortSignal): Promise<void> {
    return this.#ask({ do: "load", ...request }, abort) as Promise<undefined>;
  }
  unload(): Promise<void> {
    return this.#ask({ do: "unload" }) as Promise<undefined>;
  }
  answer(
    request: Omit<Extract<Request, { do: "answer" }>, "do">,
    onEvent: (event: AnswerEvent) => void,
    abort: AbortSignal,
  ): Promise<AnswerEnd> {
    return this.#ask({ do: "answer", ...request }, abort, onEvent);
  }
  fit(
    source: string | readonly Blob[],
    options: LoadRequest["options"],
    abort?: AbortSignal,
  ): Promise<Replies["fit"]> {
    return this.#ask({ do: "fit", source, options }, abort);
  }

  /** Hands a request of a page, which came over the service worker, to the engine. */
  forward(request: ForwardedRequest, port: MessagePort): void {
    this.connect().postMessage({ forward: request, port }, [port]);
  }

  #ask<R extends Request>(
    request: R,
    abort?: AbortSignal,
    onEvent?: (event: AnswerEvent) => void,
  ): Promise<Replies[R["do"]]> {
    const port = this.connect();
    const id = ++this.#last;
    const stop = (): void => port.postMessage({ abort: id });
    const reply = new Promise<Replies[R["do"]]>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as Pending["resolve"], reject, onEvent });
      port.postMessage({ ...request, id });
      if (abort?.aborted) stop();
      abort?.addEventListener("abort", stop);
    });
    return reply.finally(() => {
      this.#pending.delete(id);
      abort?.removeEventListener("abort", stop);
    });
  }

  #take(message: FromEngine): void {
    if ("state" in message) {
      this.state.value = message.state;
      return;
    }
    if ("lives" in message) {
      const port = this.#port;
      void navigator.locks?.request(message.lives, () => {
        if (this.#port === port) this.#lost();
      });
      return;
    }
    const pending = this.#pending.get(message.id);
    if ("event" in message) pending?.onEvent?.(message.event);
    else if ("error" in message) pending?.reject(realError(message.error));
    else pending?.resolve(message.value);
  }

  /** The engine's thread is gone: what waits for it fails, and the next request starts another. */
  #lost(): void {
    this.#port = undefined;
    const { name } = this.state.value;
    this.state.value = { status: "failed", name, error: { name: "Error", message: LOST } };
    for (const { reject } of this.#pending.values()) reject(new Error(LOST));
    this.#pending.clear();
  }
}

function openPort(onError: () => void): Port {
  if (typeof SharedWorker !== "undefined") {
    const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("error", onError);
    return worker.port;
  }
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.addEventListener("error", onError);
  return worker;
}

/** The one engine of this tab. */
export const engine: EngineClient = new EngineClient();
