/** Several answers through a worker: the same API, and what comes at one moment in one message. */
import { afterAll, describe, expect, it } from "vitest";
import { type Answer, loadModel, type Model, type Piece, type Session } from "../../mod.ts";
import { loadModelInWorker, serveModel } from "../../src/worker/mod.ts";
import type { Port } from "../../src/worker/protocol.ts";
import { fixture } from "../fixture.ts";

const OPTIONS = { device: "cpu", contextLength: 1024, maxSequences: 8 } as const;
const PROMPT = Array.from({ length: 40 }, (_, i) => 3 + ((i * i + 7 * i) % 90));
const DRAWN = { temperature: 1, seed: 7, maxTokens: 16, logprobs: 1, ignoreEos: true };
const models: Model[] = [];
const ports: MessagePort[] = [];
afterAll(async () => {
  for (const model of models) await model.dispose();
  for (const port of ports) port.close();
});

const bytes = await fixture("reference/archs/llama.gguf");

async function direct(): Promise<Model> {
  const model = await loadModel(bytes, OPTIONS);
  models.push(model);
  return model;
}

/** A model in a worker, and how many messages went each way. */
async function remote(): Promise<{ model: Model; sent: { there: number; back: number } }> {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1);
  const sent = { there: 0, back: 0 };
  const counting = (port: MessagePort, way: keyof typeof sent): Port => ({
    postMessage(message) {
      sent[way]++;
      port.postMessage(message);
    },
    addEventListener: (type, listener) => port.addEventListener(type, listener),
    removeEventListener: (type, listener) => port.removeEventListener(type, listener),
    start: () => port.start(),
  });
  serveModel(counting(port1, "back"));
  const model = await loadModelInWorker(counting(port2, "there"), bytes, OPTIONS);
  models.push(model);
  return { model, sent };
}

/** What cannot differ between one place and another: all but times. */
const told = ({ message, finishReason, usage }: Answer) => {
  const { promptMs: _, completionMs: __, queueMs: ___, ...counts } = usage;
  return { message, finishReason, counts };
};

async function pieces(answer: AsyncIterable<Piece>): Promise<Piece[]> {
  const all: Piece[] = [];
  for await (const piece of answer) all.push(piece);
  return all;
}

/** All that the API of many answers does, one thing after the other. */
async function script(model: Model): Promise<unknown[]> {
  const seen: unknown[] = [];
  const session = model.session();
  const drawn = session.generate(PROMPT, { ...DRAWN, n: 3 });
  const sorted = (await pieces(drawn)).sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
  seen.push(sorted, (await drawn).answers!.map(told), told(await drawn));
  const fork = session.fork();
  seen.push(fork.tokens, await pieces(fork.generate([5, 6], DRAWN)), fork.stats().contextUsed);
  const saved = await session.save();
  // Compared as a text: a difference of bytes would be long in the telling.
  seen.push(String(saved).length, new TextDecoder().decode(saved.subarray(0, 300)));
  const other: Session = model.session();
  await other.restore(saved);
  seen.push(other.tokens, await pieces(other.generate([5, 6], DRAWN)), other.stats().pages);
  const cut = other.restore(saved.subarray(0, 999));
  seen.push(await cut.catch(({ code, message }) => [code, message]), other.tokens);
  const left = session.generate([9], { ...DRAWN, n: 2 });
  for await (const _ of left) break;
  seen.push((await left).finishReason);
  for (const one of [session, fork, other]) await one.dispose();
  return seen;
}

describe("a worker", () => {
  it("does all that sessions and several answers do in one's own thread", async () => {
    const { model } = await remote();
    expect(await script(model)).toEqual(await script(await direct()));
  });

  it("tells the pieces of a step in one message", async () => {
    const { model, sent } = await remote();
    const before = { ...sent };
    const all = await pieces(model.session().generate(PROMPT, { ...DRAWN, maxTokens: 64, n: 8 }));
    expect(all.length).toBe(8 * 64);
    expect(sent.back - before.back).toBeLessThan(64 + 16);
    expect(sent.there - before.there).toBeLessThan(64 + 16);
  });
});
