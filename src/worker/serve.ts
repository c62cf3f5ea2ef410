/** The worker's side: real models and sessions, driven by messages. */

import { commonPrefix } from "../base/common-prefix.ts";
import { WebggufError } from "../base/errors.ts";
import { plainError } from "../base/plain-errors.ts";
import { takeReady } from "../session/answer-stream.ts";
import { loadModel } from "../session/model.ts";
import type { Answer, AnswerStream, Model, Session } from "../session/types.ts";
import { Gather } from "./gather.ts";
import {
  type FromWorker,
  isOurs,
  type ModelFacts,
  type NextPiece,
  type OneFromWorker,
  type OneToWorker,
  OURS,
  type Port,
  plainFile,
  portRule,
  type Request,
  type SessionState,
} from "./protocol.ts";

/** A session with what the other side was told of its tokens. */
interface Served {
  readonly model: number;
  readonly session: Session;
  told: readonly number[];
  /** Resolves when all that was asked of it so far is done: one thing after the other. */
  last: Promise<unknown>;
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
  port.addEventListener("message", (event) => server.take((event as MessageEvent).data));
  port.addEventListener("messageerror", () => server.broken());
  port.addEventListener("close", () => server.close());
  port.start?.();
}

class Server {
  readonly #port: Port;
  readonly #models = new Map<number, Model>();
  readonly #sessions = new Map<number, Served>();
  readonly #streams = new Map<number, Stream>();
  /** What can be aborted, by the number of its request. */
  readonly #running = new Map<number, AbortController>();
  readonly #pieces = new Gather<OneFromWorker>((message) => this.#post(message));

  constructor(port: Port) {
    this.#port = port;
  }

  take(message: unknown): void {
    if (!isOurs(message)) return;
    if ("together" in message)
      for (const asked of message.together as OneToWorker[]) this.#takeOne(asked);
    else this.#takeOne(message as unknown as OneToWorker);
  }

  #takeOne(asked: OneToWorker): void {
    if ("abort" in asked) this.#abort(asked.abort);
    else void this.#answer(asked);
  }

  /** Tells of a request that could not be read. */
  broken(): void {
    this.#send({ broken: "a request could not be read there" });
  }

  /** The other side is gone. */
  close(): void {
    for (const controller of this.#running.values()) controller.abort();
    for (const model of [...this.#models.keys()]) void this.#endModel(model);
  }

  #abort(id: number): void {
    this.#running.get(id)?.abort();
    // Who stopped waiting for a model does not know that it was loaded.
    void this.#endModel(id);
  }

  async #answer(request: Request & { id: number }): Promise<void> {
    const { id } = request;
    const served = "session" in request ? this.#sessions.get(request.session) : undefined;
    try {
      const value = await this.#inTurn(request, id, served);
      const reply = { id, value, ...state(served) };
      if (request.do === "next") this.#pieces.add(reply);
      else this.#send(reply);
    } catch (error) {
      this.#send({ id, error: plainError(error), ...state(served) });
    }
  }

  #send(message: OneFromWorker): void {
    this.#pieces.flush();
    this.#post(message);
  }

  #post(message: FromWorker): void {
    this.#port.postMessage({ [OURS]: 1, ...message });
  }

  /** What is asked of a session comes in order; its end does not wait. */
  #inTurn(request: Request, id: number, served: Served | undefined): Promise<unknown> | unknown {
    if (!served || request.do === "endSession") return this.#do(request, id);
    const work = served.last.then(() => this.#do(request, id));
    served.last = work.catch(() => {});
    return work;
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
          }).then(async (model) => {
            if (signal.aborted) await model.dispose();
            signal.throwIfAborted();
            this.#models.set(id, model);
            return facts(id, model);
          }),
        );
      case "session":
        this.#sessions.set(id, {
          model: request.model,
          session: this.#model(request.model).session(),
          told: [],
          last: Promise.resolve(),
        });
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
      case "fork": {
        const { model, session, told } = this.#session(request.session);
        this.#sessions.set(id, { model, session: session.fork(), told, last: Promise.resolve() });
        return undefined;
      }
      case "save": {
        const { session } = this.#session(request.session);
        return this.#abortable(id, (signal) => session.save({ signal }));
      }
      case "restoreSession": {
        const { session } = this.#session(request.session);
        return this.#abortable(id, (signal) => session.restore(request.saved, { signal }));
      }
      case "reset":
        return this.#session(request.session).session.reset();
      case "endSession":
        return this.#endSession(request.session);
      case "embed":
        return this.#abortable(id, (signal) =>
          this.#model(request.model).embed(request.texts, { signal }),
        );
      case "restore": {
        const model = this.#model(request.model);
        return this.#abortable(id, (signal) => model.restore({ signal })).then(() =>
          facts(request.model, model),
        );
      }
      case "endModel":
        return this.#endModel(request.model);
      default:
        throw new WebggufError(
          "input/invalid",
          `The worker does not know "${(request as { do: unknown }).do}"; both sides must be of one version`,
        );
    }
  }

  async #endModel(id: number): Promise<void> {
    const model = this.#models.get(id);
    this.#models.delete(id);
    for (const [session, served] of this.#sessions)
      if (served.model === id) void this.#endSession(session);
    await model?.dispose();
  }

  async #endSession(id: number): Promise<void> {
    const served = this.#sessions.get(id);
    this.#sessions.delete(id);
    for (const [stream, { served: owner }] of this.#streams)
      if (owner === served) {
        this.#streams.delete(stream);
        this.#running.delete(stream);
      }
    await served?.session.dispose();
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
    const next = await stream.answer.next();
    return next.done ? next : { ...next, more: takeReady(stream.answer) };
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
