/** Requests to a worker and the replies to them. */
import { WebggufError } from "../base/errors.ts";
import { realError } from "../base/plain-errors.ts";
import type { LoadOptions } from "../session/types.ts";
import { Gather } from "./gather.ts";
import type {
  OneFromWorker,
  OneToWorker,
  Port,
  Request,
  SessionState,
  ToWorker,
} from "./protocol.ts";
import { isOurs, OURS } from "./protocol.ts";

/** Milliseconds that the end of something waits for a worker that may be gone without a word. */
const PATIENCE = 1000;

export interface AskOptions extends Pick<LoadOptions, "onProgress" | "onNotice" | "signal"> {
  /** Told of the session's state before the reply is, also when nobody waits for that any more. */
  onState?: (state: SessionState) => void;
}

interface Pending extends AskOptions {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

let lastId = 0;

/** Links by their worker, for `terminate()`: no event tells of it. */
const links = new WeakMap<Port, Set<Link>>();

/** One model's line to its worker; several may share the worker. */
export class Link {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  readonly #pieces = new Gather<OneToWorker>((message) => this.#send(message));
  /** Why nothing can be asked any more. */
  #ended: WebggufError | undefined;
  readonly #onMessage = (event: Event): void => this.#take((event as MessageEvent).data);
  readonly #onError = (event: Event): void =>
    this.#lost((event as ErrorEvent).message || "it stopped");
  readonly #onMessageError = (): void => this.#lost("a reply could not be read");
  readonly #onClose = (): void => this.#lost("its port was closed");

  constructor(port: Port) {
    this.#port = port;
    this.#listen("addEventListener");
    linksOf(port).add(this);
    port.start?.();
  }

  /** Posts a request; the number names what it made. The signal ends it at once, whatever the worker does. */
  start<T>(request: Request, options: AskOptions = {}): { id: number; reply: Promise<T> } {
    const id = ++lastId;
    if (this.#ended) return { id, reply: Promise.reject(this.#ended) };
    const { signal } = options;
    let abort: () => void = () => {};
    const reply = new Promise<T>((resolve, reject) => {
      abort = () => {
        this.abort(id);
        reject(signal?.reason);
      };
      this.#pending.set(id, { ...options, resolve: resolve as (value: unknown) => void, reject });
    });
    try {
      this.#post({ ...request, id });
    } catch (cause) {
      this.#pending.delete(id);
      throw new WebggufError(
        "input/invalid",
        `An option cannot be sent to a worker: ${(cause as Error).message}`,
        { cause },
      );
    }
    if (!signal) return { id, reply };
    signal.addEventListener("abort", abort);
    return { id, reply: reply.finally(() => signal.removeEventListener("abort", abort)) };
  }

  ask<T>(request: Request, options: AskOptions = {}): Promise<T> {
    return this.start<T>(request, options).reply;
  }

  /** Asks for the end of something: undefined where the worker is gone, or does not answer in time. */
  async end<T>(request: Request, options: AskOptions = {}): Promise<T | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), PATIENCE);
    });
    try {
      const reply = this.ask<T>(request, options).catch((error: unknown) => {
        if (!this.#ended) throw error;
        return undefined;
      });
      return await Promise.race([reply, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks the worker to stop the request or stream of that number. */
  abort(id: number): void {
    if (!this.#ended) this.#post({ abort: id });
  }

  close(): void {
    this.#fail(new WebggufError("session/disposed", "The model was disposed; load it again"));
  }

  /** The worker is gone, or what it says cannot be trusted any more. */
  #lost(why: string): void {
    this.#fail(new WebggufError("device/lost", `The worker failed: ${why}; start another one`));
  }

  /** `terminate()` was called on the worker. */
  terminated(): void {
    this.#lost("it was terminated");
  }

  #post(message: OneToWorker): void {
    if ("do" in message && message.do === "next") return this.#pieces.add(message);
    this.#pieces.flush();
    this.#send(message);
  }

  #send(message: ToWorker): void {
    if (!this.#ended) this.#port.postMessage({ [OURS]: 1, ...message });
  }

  #take(message: unknown): void {
    if (!isOurs(message)) return;
    if ("together" in message)
      for (const reply of message.together as OneFromWorker[]) this.#takeOne(reply);
    else this.#takeOne(message as unknown as OneFromWorker);
  }

  #takeOne(reply: OneFromWorker): void {
    if ("broken" in reply) return this.#lost(reply.broken);
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    if ("progress" in reply || "notice" in reply) {
      try {
        if ("progress" in reply) pending.onProgress?.(reply.progress);
        else pending.onNotice?.(reply.notice);
      } catch (error) {
        // As in loadModel, it ends the work.
        pending.reject(error);
        this.abort(reply.id);
      }
      return;
    }
    this.#pending.delete(reply.id);
    if (reply.session) pending.onState?.(reply.session);
    if ("error" in reply) pending.reject(realError(reply.error));
    else pending.resolve(reply.value);
  }

  #fail(error: WebggufError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#listen("removeEventListener");
    linksOf(this.#port).delete(this);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }

  #listen(how: "addEventListener" | "removeEventListener"): void {
    this.#port[how]("message", this.#onMessage);
    this.#port[how]("error", this.#onError);
    this.#port[how]("messageerror", this.#onMessageError);
    this.#port[how]("close", this.#onClose);
  }
}

/** The links of a worker; from the first on, they hear of its `terminate()`. */
function linksOf(port: Port): Set<Link> {
  const known = links.get(port);
  if (known) return known;
  const made = new Set<Link>();
  links.set(port, made);
  const { terminate } = port;
  if (terminate)
    port.terminate = () => {
      terminate.call(port);
      for (const link of [...made]) link.terminated();
    };
  return made;
}
