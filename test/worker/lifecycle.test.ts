/** Nothing that was asked of a worker is waited for without an end, whatever becomes of the worker. */
import { describe, expect, it } from "vitest";
import { loadModelInWorker, serveModel } from "../../src/worker/mod.ts";
import type { Port } from "../../src/worker/protocol.ts";
import { fixture } from "../fixture.ts";
import { countedBackend, withBackends } from "../session/fake-model.ts";
import { countedSignal } from "../signals.ts";

/** A worker in this thread: messages are cloned and come later; it can die in every way. */
class Line {
  readonly #ends: [EventTarget, EventTarget] = [new EventTarget(), new EventTarget()];
  dead = false;
  /** Listeners of the page's side by type. */
  readonly listeners = new Map<string, number>();
  readonly page: Port & { terminate(): void };
  readonly worker: Port;

  constructor() {
    const [page, worker] = this.#ends;
    const count = (type: string, by: number): void =>
      void this.listeners.set(type, (this.listeners.get(type) ?? 0) + by);
    this.page = {
      postMessage: (message) => this.#send(worker, message),
      addEventListener(type, listener) {
        count(type, 1);
        page.addEventListener(type, listener);
      },
      removeEventListener(type, listener) {
        count(type, -1);
        page.removeEventListener(type, listener);
      },
      terminate: () => {
        this.dead = true;
      },
    };
    this.worker = {
      postMessage: (message) => this.#send(page, message),
      addEventListener: (type, listener) => worker.addEventListener(type, listener),
      removeEventListener: (type, listener) => worker.removeEventListener(type, listener),
    };
  }

  /** An event at the page's side, or at the worker's. */
  tell(side: 0 | 1, type: string, data?: unknown): void {
    this.#ends[side].dispatchEvent(Object.assign(new Event(type), { data }));
  }

  #send(to: EventTarget, message: unknown): void {
    const data = structuredClone(message);
    queueMicrotask(() => {
      if (!this.dead) to.dispatchEvent(Object.assign(new Event("message"), { data }));
    });
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const code = (work: PromiseLike<unknown>): Promise<unknown> =>
  Promise.race([
    Promise.resolve(work).then(
      () => undefined,
      (error: { code?: unknown }) => error.code ?? error,
    ),
    wait(3000).then(() => "waits for ever"),
  ]);
const foreign = [null, undefined, 7, "text", {}, [], { id: 1 }, { abort: 1 }, { id: 2, value: 1 }];
const prompt = [1, 2, 3];
const bytes = await fixture("tiny-model/webgguf-tale-q4_k_m.gguf");
const how = { device: "cpu", contextLength: 64 } as const;

/** Ways in which a worker goes, and what is told of it. */
const ends: Record<string, (line: Line) => void> = {
  "an error": (line) => line.tell(0, "error"),
  "a reply that cannot be read": (line) => line.tell(0, "messageerror"),
  "a request that cannot be read": (line) => line.tell(1, "messageerror"),
  "a closed port": (line) => line.tell(0, "close"),
  "terminate()": (line) => line.page.terminate(),
};

describe("a worker", () => {
  const counted = countedBackend({ delay: 3, maxSequences: 2 });
  const on = (work: (line: Line) => Promise<void>): Promise<void> =>
    withBackends([counted.backend], async () => {
      const line = new Line();
      serveModel(line.worker);
      await work(line);
      line.tell(1, "close");
      await wait(20);
      expect([counted.open, counted.executors]).toEqual([0, 0]);
    });

  it.each(Object.keys(ends))("that goes with %s ends all that waits and all that comes", (name) =>
    on(async (line) => {
      const model = await loadModelInWorker(line.page, bytes, how);
      const session = model.session();
      const { controller, count } = countedSignal();
      const { signal } = controller;
      const stream = session.generate(prompt, { signal, ignoreEos: true });
      await stream.next();
      const running = [
        stream.next(),
        model.session().logits(prompt, { signal }),
        model.restore({ signal }),
        loadModelInWorker(line.page, bytes, { ...how, signal }),
      ].map(code);
      ends[name](line);
      expect(new Set(await Promise.all(running))).toEqual(new Set(["device/lost"]));
      expect(await code(stream)).toBe(undefined);
      for (const call of [
        () => model.restore(),
        () => model.embed(["a"]),
        () => model.session().generate(prompt).next(),
        () => session.logits(prompt),
      ])
        expect(await code(call())).toBe("device/lost");
      session.reset();
      expect(await code(session.dispose())).toBe(undefined);
      expect(await code(model.dispose())).toBe(undefined);
      expect(count()).toBe(0);
      expect([...line.listeners.values()].every((n) => n === 0)).toBe(true);
    }),
  );

  it("that goes without a word leaves the caller's signals and dispose()", () =>
    on(async (line) => {
      const model = await loadModelInWorker(line.page, bytes, how);
      const session = model.session();
      const { controller, count } = countedSignal();
      const { signal } = controller;
      const stream = session.generate(prompt, { signal, ignoreEos: true });
      await stream.next();
      line.dead = true;
      const running = [
        stream.next(),
        model.session().logits(prompt, { signal }),
        model.restore({ signal }),
        model.embed(["a"], { signal }),
        loadModelInWorker(line.page, bytes, { ...how, signal }),
      ].map(code);
      const left = model.session().logits(prompt);
      left.catch(() => {});
      await wait(5);
      controller.abort("mine");
      expect(await Promise.all(running)).toEqual(Array(5).fill("mine"));
      expect(count()).toBe(0);
      expect(await code(session.dispose())).toBe(undefined);
      expect(await code(model.dispose())).toBe(undefined);
      expect(await code(left)).toBe("session/disposed");
      expect([...line.listeners.values()].every((n) => n === 0)).toBe(true);
    }));

  it("ends with its model whatever is asked of it, in the middle of an answer too", () =>
    on(async (line) => {
      const model = await loadModelInWorker(line.page, bytes, how);
      const idle = model.session();
      const paused = model.session().generate(prompt, { ignoreEos: true });
      await paused.next();
      const running = model.session().generate(prompt, { ignoreEos: true });
      const next = code(running);
      await wait(5);
      await Promise.all([model.dispose(), model.dispose()]);
      expect(await next).toBe("session/disposed");
      for (const work of [paused.next(), idle.generate(prompt), model.embed(["a"])])
        expect(await code(work)).toBe("session/disposed");
      expect(() => model.session()).toThrow("disposed");
      expect(await code(idle.dispose())).toBe(undefined);
      expect([counted.open, counted.executors]).toEqual([0, 0]);
      // It can be used again.
      const again = await loadModelInWorker(line.page, bytes, how);
      await again.session().generate(prompt, { maxTokens: 2 });
      await again.dispose();
    }));

  it("lets go of a model whose loading was given up, however late", () =>
    on(async (line) => {
      for (const ms of [0, 1, 3, 5, 6, 8, 20]) {
        const stop = new AbortController();
        const loading = code(loadModelInWorker(line.page, bytes, { ...how, signal: stop.signal }));
        await wait(ms);
        stop.abort("enough");
        expect(["enough", undefined]).toContain(await loading);
      }
    }));

  it("and its page pass over what others say on the same port", () =>
    on(async (line) => {
      const noise = (): void => {
        for (const data of foreign)
          for (const side of [0, 1] as const) line.tell(side, "message", data);
      };
      noise();
      const loading = loadModelInWorker(line.page, bytes, how);
      noise();
      const model = await loading;
      const session = model.session();
      let count = 0;
      for await (const _ of session.generate(prompt, { maxTokens: 5, ignoreEos: true })) {
        count++;
        noise();
      }
      expect(count).toBe(5);
      await model.dispose();
      noise();
    }));

  it("takes what is asked of a session in order, an abort at once", () =>
    on(async (line) => {
      const model = await loadModelInWorker(line.page, bytes, how);
      const session = model.session();
      for (let i = 0; i < 20; i++) {
        const stop = new AbortController();
        const logits = code(session.logits(prompt, { signal: stop.signal }));
        await wait(i % 4);
        stop.abort("enough");
        expect(["enough", undefined]).toContain(await logits);
        session.reset();
        const { usage } = await session.generate(prompt, { maxTokens: 2, ignoreEos: true });
        expect(usage).toMatchObject({ promptTokens: 3, completionTokens: 2 });
        expect(session.tokens.length).toBe(5);
        session.reset();
      }
      await model.dispose();
    }));
});
