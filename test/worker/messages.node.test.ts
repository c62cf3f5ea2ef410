/** What the two sides of a worker say to each other, and what they forget when it is said. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebggufError } from "../../mod.ts";
import { plainError, realError } from "../../src/base/plain-errors.ts";
import { Link } from "../../src/worker/link.ts";
import { loadModelInWorker, serveModel } from "../../src/worker/mod.ts";
import type { FromWorker, OneToWorker, Port, ToWorker } from "../../src/worker/protocol.ts";
import { OURS } from "../../src/worker/protocol.ts";
import { fixture } from "../fixture.ts";
import { countedSignal as counted } from "../signals.ts";

/** A port whose other end is the test. */
class Wire implements Port {
  readonly sent: unknown[] = [];
  readonly listeners = new Map<string, Set<(event: Event) => void>>();
  onSend: (message: never) => void = () => {};

  postMessage(message: unknown): void {
    const copy = structuredClone(message);
    this.sent.push(copy);
    this.onSend(copy as never);
  }
  addEventListener(type: string, listener: (event: Event) => void): void {
    const known = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, known.add(listener));
  }
  removeEventListener(type: string, listener: (event: Event) => void): void {
    this.listeners.get(type)?.delete(listener);
  }
  deliver(data: FromWorker | ToWorker): void {
    this.deliverAny({ [OURS]: 1, ...data });
  }
  deliverAny(data: unknown): void {
    const event = { data } as MessageEvent;
    for (const listener of this.listeners.get("message") ?? []) listener(event);
  }
  tell(type: string, event: object = {}): void {
    for (const listener of [...(this.listeners.get(type) ?? [])]) listener(event as Event);
  }
}

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
afterEach(() => void vi.restoreAllMocks());

describe("a link", () => {
  it("listens to a signal as long as its request runs", async () => {
    const wire = new Wire();
    const link = new Link(wire);
    const { controller, count } = counted();
    const { signal } = controller;
    wire.onSend = ({ id }: { id: number }) => queueMicrotask(() => wire.deliver({ id, value: id }));
    for (let i = 0; i < 3; i++) await link.ask({ do: "restore", model: 1 }, { signal });
    wire.onSend = ({ id }: { id: number }) =>
      queueMicrotask(() => wire.deliver({ id, error: plainError(new Error("no")) }));
    await expect(link.ask({ do: "restore", model: 1 }, { signal })).rejects.toThrow("no");
    expect(count()).toBe(0);
    const uncloneable = {
      do: "embed",
      model: 1,
      texts: [(() => "") as unknown as string],
    } as const;
    expect(() => link.start(uncloneable, { signal })).toThrow(WebggufError);
    expect(count()).toBe(0);
  });

  it("sends an abort on and gives its reason", async () => {
    const wire = new Wire();
    const link = new Link(wire);
    const controller = new AbortController();
    const { id, reply } = link.start({ do: "restore", model: 1 }, { signal: controller.signal });
    const reason = new Error("enough");
    controller.abort(reason);
    expect(wire.sent.at(-1)).toMatchObject({ abort: id });
    await expect(reply).rejects.toBe(reason);
    wire.deliver({ id, error: plainError(new Error("aborted over there")) });
  });

  it("fails everything that waits when the worker fails or the link is closed", async () => {
    const wire = new Wire();
    const link = new Link(wire);
    const first = link.ask({ do: "restore", model: 1 });
    expect(wire.listeners.get("error")?.size).toBe(1);
    for (const listener of wire.listeners.get("error") ?? [])
      listener({ message: "boom" } as unknown as Event);
    await expect(first).rejects.toMatchObject({ code: "device/lost" });
    // It is not asked again: nobody would answer.
    const before = wire.sent.length;
    await expect(link.ask({ do: "restore", model: 1 })).rejects.toMatchObject({
      code: "device/lost",
    });
    expect(wire.sent.length).toBe(before);
    const other = new Link(wire);
    const second = other.ask({ do: "restore", model: 1 });
    other.close();
    await expect(second).rejects.toMatchObject({ code: "session/disposed" });
    expect([...wire.listeners.values()].every(({ size }) => size === 0)).toBe(true);
  });

  it("brings errors over with their code and fields", () => {
    const error = new WebggufError("gguf/malformed", "Bad", { file: "f", offset: 7, tensor: "t" });
    expect(realError(structuredClone(plainError(error)))).toMatchObject({
      name: "WebggufError",
      message: "Bad",
      code: "gguf/malformed",
      file: "f",
      offset: 7,
      tensor: "t",
    });
    expect(realError(plainError(new RangeError("r")))).toMatchObject({ name: "RangeError" });
  });
});

describe("a session on the page's side", () => {
  const stats = {
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    promptMs: 0,
    completionMs: 0,
    contextUsed: 0,
    contextLength: 8,
  };
  const facts = {
    model: 1,
    architecture: "fake",
    contextLength: 8,
    device: { kind: "cpu", name: "fake", software: false },
    memory: { weights: 0, cache: 0, arena: 0 },
    file: { name: "f", version: 3, alignment: 32, metadata: [], tensors: [], dataOffsets: [] },
  };

  it("sends an abort on while a piece is computed, and tells the tokens and the answer so far", async () => {
    const wire = new Wire();
    const { usage } = { usage: { ...stats, completionTokens: 1 } };
    const answer = { message: { role: "assistant", content: "a" }, finishReason: "aborted", usage };
    const waiting: number[] = [];
    wire.onSend = (message: OneToWorker) => {
      if ("abort" in message) {
        const id = waiting.pop();
        if (id !== undefined)
          wire.deliver({ id, error: plainError(new Error("aborted over there")) });
        return;
      }
      const { id } = message;
      const reply = (value: unknown, added?: number[]): void =>
        queueMicrotask(() =>
          wire.deliver({ id, value, ...(added && { session: { common: 1, added, stats } }) }),
        );
      if (message.do === "load") reply(facts);
      else if (message.do === "next") waiting.push(id);
      else if (message.do === "close") reply(answer, [3]);
      else reply(undefined, message.do === "open" ? [5, 6] : undefined);
    };
    const model = await loadModelInWorker(wire, new Uint8Array(1));
    const session = model.session();
    const { controller, count } = counted();
    const pieces = session.generate("x", { signal: controller.signal });
    const next = pieces.next();
    await tick();
    expect(waiting.length).toBe(1);
    const reason = new Error("enough");
    controller.abort(reason);
    expect(wire.sent).toContainEqual({ [OURS]: 1, abort: expect.any(Number) });
    await expect(next).rejects.toBe(reason);
    expect(count()).toBe(0);
    expect(session.tokens).toEqual([5, 3]);
    expect(await pieces).toEqual(answer);
  });

  it("stops the answer that its reader leaves, and only then asks for its end", async () => {
    const wire = new Wire();
    wire.onSend = (message: OneToWorker) => {
      if ("abort" in message) return;
      const { id } = message;
      const value = { channel: "content", text: "a", token: 3 };
      const piece = { done: false, value, more: [] };
      const reply = message.do === "load" ? facts : message.do === "next" ? piece : undefined;
      queueMicrotask(() => wire.deliver({ id, value: reply }));
    };
    const model = await loadModelInWorker(wire, new Uint8Array(1));
    for await (const _ of model.session().generate("x")) break;
    const sent = wire.sent as { do?: string; id?: number; abort?: number }[];
    const { id } = sent.find((message) => message.do === "open")!;
    const stopped = sent.findIndex(({ abort }) => abort === id);
    expect(stopped).toBeGreaterThan(0);
    expect(stopped).toBeLessThan(sent.findIndex((message) => message.do === "close"));
  });
});

describe("messages of one moment", () => {
  it("travel in one, in their order, and nothing overtakes them", async () => {
    const wire = new Wire();
    const link = new Link(wire);
    const nexts = [1, 2, 3].map((stream) => link.ask({ do: "next", session: 1, stream }));
    expect(wire.sent).toEqual([]);
    await tick();
    expect(wire.sent).toMatchObject([{ together: [{ stream: 1 }, { stream: 2 }, { stream: 3 }] }]);
    const [{ together }] = wire.sent as [{ together: { id: number }[] }];
    wire.deliver({ together: together.map(({ id }) => ({ id, value: id })) });
    expect(await Promise.all(nexts)).toEqual(together.map(({ id }) => id));
    void link.ask({ do: "next", session: 1, stream: 4 });
    link.abort(77);
    expect(wire.sent.slice(1)).toMatchObject([{ do: "next", stream: 4 }, { abort: 77 }]);
  });
});

describe("a server", () => {
  /** What the server answers to a request. */
  async function asked(wire: Wire, request: OneToWorker & { id: number }): Promise<FromWorker> {
    wire.deliver(request);
    for (;;) {
      const reply = (wire.sent as FromWorker[]).find(
        (message) =>
          "id" in message &&
          message.id === request.id &&
          ("value" in message || "error" in message),
      );
      if (reply) return reply;
      await tick();
    }
  }

  it("forgets what can be aborted once it is done", async () => {
    const wire = new Wire();
    serveModel(wire);
    const source = new Uint8Array(64);
    const reply = await asked(wire, { id: 7, do: "load", source, options: {} });
    expect(reply).toMatchObject({ error: { code: "gguf/malformed" } });
    const abort = vi.spyOn(AbortController.prototype, "abort");
    wire.deliver({ abort: 7 });
    expect(abort).not.toHaveBeenCalled();
  });

  it("keeps no model whose loading was given up when it had just been loaded", async () => {
    const wire = new Wire();
    serveModel(wire);
    const source = await fixture("reference/archs/qwen3.gguf");
    const options = { device: "cpu", contextLength: 16 } as const;
    expect(await asked(wire, { id: 7, do: "load", source, options })).toHaveProperty("value");
    wire.deliver({ abort: 7 });
    expect(await asked(wire, { id: 8, do: "session", model: 7 })).toMatchObject({
      error: { code: "session/disposed" },
    });
  });

  it("names models, sessions and streams that are gone", async () => {
    const wire = new Wire();
    serveModel(wire);
    for (const [id, request] of [
      [1, { do: "session", model: 9 }],
      [2, { do: "open", session: 9, prompt: "x", options: {} }],
      [3, { do: "next", session: 9, stream: 9 }],
      [4, { do: "else" } as never],
    ] as const)
      expect(await asked(wire, { id, ...request })).toMatchObject({
        error: { code: id === 4 ? "input/invalid" : "session/disposed" },
      });
  });
});
