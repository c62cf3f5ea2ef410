/** A session that nobody holds any more is garbage, and what it held is free. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { MessageChannel } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { loadModel, type Session } from "../../mod.ts";
import { loadModelInWorker, serveModel } from "../../src/worker/mod.ts";
import type { Port } from "../../src/worker/protocol.ts";
import { fixture } from "../fixture.ts";
import { FakeExecutor } from "./fake-executor.ts";
import { fakeModel } from "./fake-model.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Whether all of these become garbage, and what they registered is done. */
async function collected(refs: readonly WeakRef<object>[]): Promise<boolean> {
  for (let i = 0; i < 50; i++) {
    // A reference that was looked at keeps what it refers to until the next turn.
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (refs.every((ref) => !ref.deref())) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return true;
    }
  }
  return false;
}

describe("a session that nobody holds", () => {
  const uses: [string, (session: Session) => Promise<unknown>][] = [
    ["was never used", async () => {}],
    ["has answered", async (session) => session.generate([1], { maxTokens: 2 })],
    ["was left in the middle of an answer", (session) => session.generate([1]).next()],
    ["failed", async (session) => session.generate([-1]).then(undefined, () => {})],
  ];
  it.each(uses)("is collected with its sequence when it %s", async (_, use) => {
    const executor = new FakeExecutor({ maxSequences: 2 });
    const { model, open } = fakeModel(executor);
    const held = open();
    await held.generate([1, 2, 3], { maxTokens: 2 });
    const make = async (): Promise<WeakRef<object>> => {
      const session: Session = open();
      await use(session);
      return new WeakRef(session);
    };
    expect(await collected([await make()])).toBe(true);
    // Its sequence is empty, and the one that is held has kept its own.
    expect([executor.length(0), executor.length(1)].sort()).toEqual([0, 4]);
    expect(held.tokens.length).toBe(5);
    await model.dispose();
  });

  it("is not kept by its model", async () => {
    const model = await loadModel(await fixture("reference/archs/llama.gguf"), {
      ...{ device: "cpu", contextLength: 64 },
    });
    const make = async (): Promise<WeakRef<object>> => {
      const session = model.session();
      await session.generate([1], { maxTokens: 2, ignoreEos: true });
      return new WeakRef(session);
    };
    const refs = await Promise.all([make(), make(), make()]);
    expect(await collected(refs)).toBe(true);
    // Its rows may be kept for others; the whole context is free for them all the same.
    await model.session().generate(new Array(60).fill(2), { maxTokens: 2, ignoreEos: true });
    await model.dispose();
  });
});

describe("a session in a worker", () => {
  it("ends when nobody holds its stand-in", async () => {
    const { port1, port2 } = new MessageChannel();
    const asked: string[] = [];
    port1.on("message", ({ do: what }) => asked.push(what));
    serveModel(port1 as unknown as Port);
    const bytes = await fixture("reference/archs/llama.gguf");
    const options = { device: "cpu", contextLength: 64 } as const;
    const model = await loadModelInWorker(port2 as unknown as Port, bytes, options);
    const make = async (): Promise<WeakRef<object>> => {
      const session = model.session();
      await session.generate([1], { maxTokens: 2, ignoreEos: true });
      return new WeakRef(session);
    };
    expect(await collected([await make()])).toBe(true);
    expect(asked).toContain("endSession");
    await model.dispose();
    port1.close();
  });
});

describe("a model that is disposed of", () => {
  it("ends its sessions, whatever they do", async () => {
    const { model, open } = fakeModel(new FakeExecutor({ delay: 5 }));
    const [idle, stopped, busy] = [open(), open(), open()];
    const stream = stopped.generate([1]);
    await stream.next();
    const answer = busy.generate([1]);
    const ended = expect(answer).rejects.toMatchObject({ code: "session/disposed" });
    await model.dispose();
    await ended;
    const disposed = { code: "session/disposed" };
    await expect(stream.next()).rejects.toMatchObject(disposed);
    await expect(idle.generate([1])).rejects.toMatchObject(disposed);
    expect(() => idle.reset()).toThrow(expect.objectContaining(disposed));
    await Promise.all([idle.dispose(), stopped.dispose(), busy.dispose()]);
  });
});
