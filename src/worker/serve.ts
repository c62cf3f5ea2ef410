/** The worker's side: real models and sessions, driven by messages. */

import { commonPrefix } from "../base/common-prefix.ts";
import { WebggufError } from "../base/errors.ts";
import { loadModel } from "../session/model.ts";
import type { Answer, AnswerStream, Model, Session } from "../session/types.ts";
import {
  type FromWorker,
  type ModelFacts,
  type NextPiece,
  type Port,
  plainError,
  plainFile,
  portRule,
  type Request,
  type SessionState,
  type ToWorker,
} from "./protocol.ts";

/** A session with what the other side was told of its tokens. */
interface Served {
  readonly session: Session;
  told: readonly number[];
}

interface Stream {
  readonly served: Served;
  readonly answer: AnswerStream;
}

/**
 * Serves models to {@link loadModelInWorker} at the other end. A whole worker is
 * `import { serveModel } from "webgguf/worker"; serveModel();`.
 *
 * @param port where the messages come from; the worker's own global scope unless given
 */
export function serveModel(port: Port = globalThis as unknown as Port): void {
  portRule(port, "the port");
  const server = new Server(port);
  port.addEventListener("message", (event) => server.take((event as MessageEvent<ToWorker>).data));
  port.start?.();
}

class Server {
  readonly #port: Port;
  readonly #models = new Map<number, Model>();
  readonly #sessions = new Map<number, Served>();
  readonly #streams = new Map<number, Stream>();
  /** What can be aborted, by the number of its request. */
  readonly #running = new Map<number, AbortController>();

  constructor(port: Port) {
    this.#port = port;
  }

  take(message: ToWorker): void {
    if ("abort" in message) this.#running.get(message.abort)?.abort();
    else void this.#answer(message);
  }

  async #answer(request: Request & { id: number }): Promise<void> {
    const { id } = request;
    const served = this.#servedBy(request);
    try {
      const value = await this.#do(request, id);
      this.#send({ id, value, ...state(served) });
    } catch (error) {
      this.#send({ id, error: plainError(error), ...state(served) });
    }
  }

  #send(message: FromWorker): void {
    this.#port.postMessage(message);
  }

  #servedBy(request: Request): Served | undefined {
    if ("session" in request) return this.#sessions.get(request.session);
    if ("stream" in request) return this.#streams.get(request.stream)?.served;
    return undefined;
  }

  #do(request: Request, id: number): Promise<unknown> | unknown {
    switch (request.do) {
      case "load":
        return this.#abortable(id, (signal) =>
          loadModel(request.source, {
            ...request.options,
            signal,
            onProgress: (progress) => this.#send({ id, progress }),
            onNotice: (notice) => this.#send({ id, notice }),
          }).then((model) => {
            this.#models.set(id, model);
            return facts(id, model);
          }),
        );
      case "session":
        this.#sessions.set(id, { session: this.#model(request.model).session(), told: [] });
        return undefined;
      case "open": {
        const served = this.#session(request.session);
        const controller = new AbortController();
        this.#running.set(id, controller);
        const options = { ...request.options, signal: controller.signal };
        this.#streams.set(id, { served, answer: served.session.generate(request.prompt, options) });
        return undefined;
      }
      case "next":
        return this.#next(request.stream);
      case "close":
        return this.#close(request.stream);
      case "logits": {
        const { session } = this.#session(request.session);
        return this.#abortable(id, (signal) => session.logits(request.tokens, { signal }));
      }
      case "reset":
        return this.#session(request.session).session.reset();
      case "endSession": {
        const served = this.#sessions.get(request.session);
        this.#sessions.delete(request.session);
        return served?.session.dispose();
      }
      case "embed":
        return this.#abortable(id, (signal) =>
          this.#model(request.model).embed(request.texts, { signal }),
        );
      case "restore": {
        const model = this.#model(request.model);
        return model.restore().then(() => facts(request.model, model));
      }
      case "endModel": {
        const model = this.#models.get(request.model);
        this.#models.delete(request.model);
        return model?.dispose();
      }
    }
  }

  async #abortable<T>(id: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      return await work(controller.signal);
    } finally {
      this.#running.delete(id);
    }
  }

  async #next(id: number): Promise<NextPiece> {
    const stream = this.#streams.get(id);
    if (!stream)
      throw new WebggufError("session/disposed", "Cannot read the answer: its stream was closed");
    return stream.answer.next();
  }

  async #close(id: number): Promise<Answer | undefined> {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    this.#running.delete(id);
    return (await stream?.answer.return())?.value;
  }

  #model(id: number): Model {
    const model = this.#models.get(id);
    if (!model) throw new WebggufError("session/disposed", "The model was disposed; load it again");
    return model;
  }

  #session(id: number): Served {
    const served = this.#sessions.get(id);
    if (!served)
      throw new WebggufError(
        "session/disposed",
        "The session was disposed; make another with model.session()",
      );
    return served;
  }
}

const facts = (id: number, model: Model): ModelFacts => ({
  model: id,
  architecture: model.architecture,
  contextLength: model.contextLength,
  device: model.device,
  memory: model.memory,
  file: plainFile(model.file),
});

function state(served: Served | undefined): { session?: SessionState } {
  if (!served) return {};
  const { tokens } = served.session;
  const common = commonPrefix(served.told, tokens);
  const added = tokens.slice(common);
  served.told = common === served.told.length && added.length === 0 ? served.told : tokens.slice();
  return { session: { common, added, stats: served.session.stats() } };
}
