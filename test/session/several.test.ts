/** Forks and several answers to one prompt: what each would be alone, with the prompt computed once. */
import { afterAll, describe, expect, it } from "vitest";
import {
  type GenerateOptions,
  type LoadOptions,
  loadModel,
  type Model,
  type Piece,
} from "../../mod.ts";
import { fixture } from "../fixture.ts";

const models: Model[] = [];
afterAll(() => Promise.all(models.map((model) => model.dispose())));

async function load(name: string, options: LoadOptions = {}): Promise<Model> {
  const bytes = await fixture(`reference/archs/${name}.gguf`);
  const model = await loadModel(bytes, { device: "cpu", contextLength: 512, ...options });
  models.push(model);
  return model;
}

const PROMPT = Array.from({ length: 70 }, (_, i) => 3 + ((i * i + 7 * i) % 90));
const DRAWN: GenerateOptions = {
  temperature: 1,
  seed: 11,
  maxTokens: 12,
  logprobs: 1,
  ignoreEos: true,
};

/** The pieces of each answer. */
async function byIndex(pieces: AsyncIterable<Piece>): Promise<Piece[][]> {
  const all: Piece[][] = [];
  for await (const { index = 0, ...piece } of pieces) {
    all[index] ??= [];
    all[index].push(piece);
  }
  return all;
}

/** What each answer is by itself, on a model of its own. */
async function alone(name: string, count: number, options = DRAWN): Promise<Piece[][]> {
  const all: Piece[][] = [];
  for (let i = 0; i < count; i++) {
    const session = (await load(name)).session();
    const [pieces] = await byIndex(session.generate(PROMPT, { ...options, seed: 11 + i }));
    all.push(pieces);
  }
  return all;
}

describe("a prompt that others have computed", () => {
  it("is computed anew where that is asked for, with the same text", async () => {
    const model = await load("llama", { maxSequences: 3 });
    const said = async (options: GenerateOptions) => {
      const session = model.session();
      const { message, usage } = await session.generate(PROMPT, { ...DRAWN, ...options });
      session.dispose();
      return [message.content, usage.cachedTokens];
    };
    const [text] = await said({});
    expect(await said({})).toEqual([text, PROMPT.length - 1]);
    expect(await said({ shareCache: false })).toEqual([text, 0]);
    const session = model.session();
    await session.generate(PROMPT, { maxTokens: 0, shareCache: false });
    expect(session.stats().cachedTokens).toBe(0);
  });
});

describe("several answers to one prompt", () => {
  for (const name of ["llama", "gemma3", "lfm2"])
    it(`of ${name} are what each is alone, whatever room there is`, async () => {
      const expected = await alone(name, 3);
      for (const maxSequences of [1, 2, 4]) {
        const session = (await load(name, { maxSequences })).session();
        const answer = session.generate(PROMPT, { ...DRAWN, n: 3 });
        expect(await byIndex(answer), `${maxSequences} sequences`).toEqual(expected);
        const { message, answers = [], usage } = await answer;
        expect(answers.map(({ finishReason }) => finishReason)).toEqual(Array(3).fill("length"));
        expect(answers[0].message).toEqual(message);
        expect(usage.completionTokens).toBe(36);
        expect(usage.promptTokens).toBe(PROMPT.length);
        // Recurrent state is found again at the end of a page.
        const found = name === "lfm2" ? 64 : PROMPT.length - 1;
        expect(answers.map(({ usage }) => usage.cachedTokens)).toEqual([0, found, found]);
        // The session goes on from the first.
        expect(session.tokens).toEqual([
          ...PROMPT,
          ...expected[0].flatMap(({ token }) => token ?? []),
        ]);
        expect(session.stats()).toMatchObject({ completionTokens: 36, finishReason: "length" });
      }
    });

  it("share what the session had before, and steps", async () => {
    const model = await load("llama", { maxSequences: 4 });
    const session = model.session();
    await session.generate(PROMPT, DRAWN);
    const one = session.fork();
    const next = { ...DRAWN, n: 4, seed: 20 };
    const all = await byIndex(session.generate([5, 6, 7], next));
    for (let i = 0; i < 4; i++) {
      const fork = one.fork();
      expect(all[i]).toEqual(
        (await byIndex(fork.generate([5, 6, 7], { ...DRAWN, seed: 20 + i })))[0],
      );
      // Another has computed all but the last of it.
      expect(fork.stats().cachedTokens).toBe(PROMPT.length + 14);
      await fork.dispose();
    }
  });

  it("end with their reader or their signal, and leave the session and the pool as one answer would", async () => {
    const model = await load("llama", { maxSequences: 3 });
    const session = model.session();
    let seen = 0;
    const left = session.generate(PROMPT, { ...DRAWN, n: 3 });
    for await (const _ of left) {
      expect(() => session.fork()).toThrow(expect.objectContaining({ code: "session/busy" }));
      if (++seen === 8) break;
    }
    const { finishReason, answers } = await left;
    expect([finishReason, answers?.length]).toEqual(["aborted", 3]);
    const stop = new AbortController();
    const stopped = session.generate([4], { ...DRAWN, n: 2, signal: stop.signal });
    await stopped.next();
    stop.abort("enough");
    await expect(stopped.next()).rejects.toBe("enough");
    await expect(session.generate([4], { n: 2, maxTokens: -7 } as never)).rejects.toMatchObject({
      code: "input/invalid",
    });
    const text = await session.generate([4], { ...DRAWN, n: 1 });
    expect(text.answers).toBeUndefined();
    await session.dispose();
    const { free, total } = model.session().stats().pool!;
    expect(free).toBe(total);
  });
});

describe("a pool too small for all", () => {
  it("finishes all, each with what it would say alone", async () => {
    const small = await load("llama", { maxSequences: 8, contextLength: 256 });
    const wide = await load("llama", { contextLength: 256 });
    const ask = async (model: Model, seed: number): Promise<Piece[]> => {
      const [pieces] = await byIndex(
        model.session().generate(PROMPT.slice(0, 40), { ...DRAWN, seed, maxTokens: 64 }),
      );
      return pieces;
    };
    const seeds = Array.from({ length: 8 }, (_, i) => i + 1);
    const together = await Promise.all(seeds.map((seed) => ask(small, seed)));
    for (const seed of seeds) expect(together[seed - 1]).toEqual(await ask(wide, seed));
  });
});

describe("a fork", () => {
  it("goes its own way, computes nothing again, and outlives the session", async () => {
    const model = await load("llama", { maxSequences: 2 });
    const session = model.session();
    await session.generate(PROMPT, DRAWN);
    const fork = session.fork();
    expect(fork.tokens).toEqual(session.tokens);
    const [a] = await byIndex(session.generate([5], DRAWN));
    await session.dispose();
    const [b] = await byIndex(fork.generate([5], DRAWN));
    expect(b).toEqual(a);
    // The session has computed that as well.
    expect(fork.stats().cachedTokens).toBe(PROMPT.length + 12);
    expect(fork.stats().pages).toBe(Math.ceil((PROMPT.length + 24) / 32));
    fork.reset();
    expect((await fork.generate(PROMPT, DRAWN)).usage.promptTokens).toBe(PROMPT.length);
  });
});

describe("statistics", () => {
  it("tell how long an answer waited, what it found and what it holds", async () => {
    const model = await load("llama", { maxSequences: 1 });
    const [first, second] = [model.session(), model.session()];
    const one = first.generate(PROMPT, { ...DRAWN, maxTokens: 40 });
    const other = second.generate(PROMPT, DRAWN);
    await one.next();
    const waiting = other.next();
    const { usage } = await one;
    await waiting;
    const late = (await other).usage;
    expect(usage.queueMs).toBeLessThan(usage.promptMs);
    expect(late.queueMs).toBeGreaterThan(0);
    expect(late.queueMs).toBeLessThanOrEqual(late.promptMs);
    expect([usage.cachedTokens, late.cachedTokens]).toEqual([0, PROMPT.length - 1]);
    expect([usage.pages, late.pages]).toEqual([4, 3]);
    expect(second.stats().pool).toMatchObject({ total: 16 });
  });
});
