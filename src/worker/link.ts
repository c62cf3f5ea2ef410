/** Requests to a worker and the replies to them. */
import { WebggufError } from "../base/errors.ts";
import type { LoadOptions } from "../session/types.ts";
import type { FromWorker, Port, Request, SessionState } from "./protocol.ts";
import { realError } from "./protocol.ts";

export interface AskOptions extends Pick<LoadOptions, "onProgress" | "onNotice" | "signal"> {
  /** Told of the session's state before the reply is. */
  onState?: (state: SessionState) => void;
}

interface Pending extends AskOptions {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

let lastId = 0;

/** One model's line to its worker; several may share the worker. */
export class Link {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  readonly #onMessage = (event: Event): void => this.#take((event as MessageEvent).data);
  readonly #onError = (event: Event): void => {
    const why = (event as ErrorEvent).message || "it stopped";
    this.#fail(new WebggufError("device/lost", `The worker failed: ${why}; start another one`));
  };

  constructor(port: Port) {
    this.#port = port;
    port.addEventListener("message", this.#onMessage);
    port.addEventListener("error", this.#onError);
    port.start?.();
  }

  /** Posts a request; the number names what it made. */
  start<T>(request: Request, options: AskOptions = {}): { id: number; reply: Promise<T> } {
    const id = ++lastId;
    const { signal } = options;
    const abort = (): void => this.abort(id);
    const reply = new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { ...options, resolve: resolve as (value: unknown) => void, reject });
    });
    signal?.addEventListener("abort", abort);
    try {
      this.#port.postMessage({ ...request, id });
    } catch (cause) {
      this.#pending.delete(id);
      signal?.removeEventListener("abort", abort);
      throw new WebggufError(
        "input/invalid",
        `An option cannot be sent to a worker: ${(cause as Error).message}`,
        { cause },
      );
    }
    return {
      id,
      reply: reply
        .catch((error: unknown) => {
          throw signal?.aborted ? signal.reason : error;
        })
        .finally(() => signal?.removeEventListener("abort", abort)),
    };
  }

  ask<T>(request: Request, options: AskOptions = {}): Promise<T> {
    return this.start<T>(request, options).reply;
  }

  /** Asks the worker to stop the request or stream of that number. */
  abort(id: number): void {
    this.#port.postMessage({ abort: id });
  }

  close(): void {
    this.#port.removeEventListener("message", this.#onMessage);
    this.#port.removeEventListener("error", this.#onError);
    this.#fail(new WebggufError("session/disposed", "The model was disposed; load it again"));
  }

  #take(message: FromWorker): void {
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if ("progress" in message) pending.onProgress?.(message.progress);
    else if ("notice" in message) pending.onNotice?.(message.notice);
    else {
      this.#pending.delete(message.id);
      if (message.session) pending.onState?.(message.session);
      if ("error" in message) pending.reject(realError(message.error));
      else pending.resolve(message.value);
    }
  }

  #fail(error: WebggufError): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}
