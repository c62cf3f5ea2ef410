/** A session of given rows is the session of the tokens that they stand for, whatever happens to it. */
import { describe, expect, it } from "vitest";
import { GivenVectors, requestsFor } from "../../src/session/history.ts";
import type { GenerateOptions, PromptPart, Session } from "../../src/session/types.ts";
import { FAKE_VOCABULARY, FakeExecutor, type FakeOptions } from "./fake-executor.ts";
import { fakeModel } from "./fake-model.ts";

/** Numbers from 0 to 1, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Sessions on one fake executor, for which a given row [n] is token n. */
function sessionsOn(options: FakeOptions): { executor: FakeExecutor; open(): Session } {
  const executor = new FakeExecutor({ ...options, givenWidth: 1 });
  // The draft model is of the same kind, but takes no given rows.
  return { executor, open: fakeModel(executor, new FakeExecutor(options)).open };
}

/** The tokens in runs, some of them as given rows. */
function partsOf(tokens: readonly number[], next: () => number): PromptPart[] {
  const parts: PromptPart[] = [];
  for (let at = 0; at < tokens.length; ) {
    const run = tokens.slice(at, at + 1 + Math.floor(next() * 6));
    parts.push(next() < 0.5 ? { rows: Float32Array.from(run) } : run);
    at += run.length;
  }
  return parts;
}

const tokensOf = (count: number, next: () => number): number[] =>
  Array.from({ length: count }, () => Math.floor(next() * FAKE_VOCABULARY));

async function answer(
  session: Session,
  prompt: readonly PromptPart[] | readonly number[],
  options: GenerateOptions,
): Promise<number[]> {
  const ids: number[] = [];
  for await (const { token } of session.generate(prompt, options)) ids.push(token!);
  return ids;
}

describe("given rows in a session", () => {
  it("give what their tokens give: interrupted, evicted, drafted, sampled by host or device", async () => {
    const next = random(5);
    for (let run = 0; run < 80; run++) {
      const stepsInFlight = 1 + Math.floor(next() * 4);
      const border = next() < 0.5 ? 1 : 1 + Math.floor(next() * 16);
      const { executor, open } = sessionsOn({ stepsInFlight, border });
      const session = open();
      const plain = sessionsOn({}).open();
      const tokens = tokensOf(1 + Math.floor(next() * 30), next);
      const parts = partsOf(tokens, next);
      const options: GenerateOptions = {
        ...{ temperature: 1, seed: 3, maxTokens: 1 + Math.floor(next() * 20) },
        ...(next() < 0.3 && { logprobs: 1 }),
      };
      const speculation = (["none", "ngram", "draft"] as const)[Math.floor(next() * 3)];
      const drafting = { ...options, speculation };
      const wanted = await answer(plain, tokens, options);
      expect(await answer(session, parts, drafting)).toEqual(wanted);
      expect(session.tokens.length).toBe(plain.tokens.length);
      for (const [i, token] of session.tokens.entries())
        if (token >= 0) expect(token).toBe(plain.tokens[i]);
      // Another session takes the only sequence away.
      if (next() < 0.5) await answer(open(), [1], { maxTokens: 0 });
      const evicted = executor.length(0) < 2;
      const more = tokensOf(3, next);
      const rest = await answer(session, more, drafting);
      expect(rest).toEqual(await answer(plain, more, options));
      expect(executor.text(0).slice(0, plain.tokens.length - 1)).toEqual(
        plain.tokens.slice(0, executor.length(0)).slice(0, plain.tokens.length - 1),
      );
      const { cachedTokens, promptTokens } = session.stats();
      expect(promptTokens).toBe(tokens.length + wanted.length + 3);
      if (!evicted && border === 1) expect(cachedTokens).toBe(tokens.length + wanted.length - 1);
      // The same beginning, then something else.
      const again = [...parts, more, { rows: Float32Array.of(1, 2) }];
      expect(await answer(session, again, drafting)).toEqual(
        await answer(sessionsOn({}).open(), [...tokens, ...more, 1, 2], options),
      );
      if (border === 1) expect(session.stats().cachedTokens).toBeGreaterThanOrEqual(tokens.length);
    }
  });

  it("draft nothing behind a row that is computed again by itself", async () => {
    const session = sessionsOn({}).open();
    const parts = [
      [1, 2, 0],
      { rows: Float32Array.of(3, 2) },
      [1, 2, 0],
      { rows: Float32Array.of(3, 2) },
    ];
    const options = { temperature: 0, seed: 3, maxTokens: 6 };
    await answer(session, parts, { maxTokens: 0 });
    const drafted = await answer(session, parts, { ...options, speculation: "ngram" });
    expect(session.stats().cachedTokens).toBe(9);
    const tokens = [1, 2, 0, 3, 2, 1, 2, 0, 3, 2];
    expect(drafted).toEqual(await answer(sessionsOn({}).open(), tokens, options));
  });

  it("gives the logits of every position, of tokens and rows alike", async () => {
    const next = random(6);
    for (let run = 0; run < 50; run++) {
      const tokens = tokensOf(2 + Math.floor(next() * 20), next);
      const session = sessionsOn({}).open();
      const [first, rest] = [tokens.slice(0, 1), tokens.slice(1)];
      const rows = [
        ...(await session.logits(first)),
        ...(await session.logits(partsOf(rest, next))),
      ];
      expect(rows).toEqual([...(await sessionsOn({}).open().logits(tokens))]);
      expect(session.tokens.length).toBe(tokens.length);
    }
  });

  it("cuts drafts before what stands for a row", async () => {
    const { executor, open } = sessionsOn({});
    const rows = Float32Array.of(3, 2);
    const parts = [[1, 2, 0], { rows }, [1, 2, 0], { rows }, [1, 2]];
    const options = { temperature: 0, seed: 3, maxTokens: 6 };
    const drafted = await answer(open(), parts, { ...options, speculation: "ngram" });
    expect(drafted).toEqual(
      await answer(sessionsOn({}).open(), [1, 2, 0, 3, 2, 1, 2, 0, 3, 2, 1, 2], options),
    );
    for (const { input } of executor.steps.flat())
      if (Array.isArray(input)) expect(Math.min(...input)).toBeGreaterThanOrEqual(0);
  });

  it("penalizes tokens, as many as are looked back upon, and no rows", async () => {
    const options = { temperature: 0, maxTokens: 1, repeatLastN: 2, presencePenalty: 10 };
    const rows = Float32Array.of(1, 1);
    for (let last = 0; last < FAKE_VOCABULARY; last++) {
      const session = sessionsOn({}).open();
      const text = [last, 1, 1];
      const logits = (await session.logits(text)).slice(-FAKE_VOCABULARY);
      logits[last] -= 10;
      const [token] = await answer(session, [[last], { rows }], options);
      expect(token).toBe(logits.indexOf(Math.max(...logits)));
    }
  });
});

describe("items", () => {
  it("are the same for the same rows, and different for others, even of one digest", () => {
    const vectors = new GivenVectors();
    // FNV-1a makes the same of both: the second word undoes the difference of the first.
    const hashed = (word: number): number => Math.imul(0x811c9dc5 ^ word, 0x01000193);
    const row = (a: number, b: number) => new Float32Array(Uint32Array.of(a, b).buffer);
    const one = row(0x3f800000, 0x40000000);
    const two = row(0x3f800001, 0x40000000 ^ hashed(0x3f800000) ^ hashed(0x3f800001));
    const three = row(0x3f800002, 0x40000000);
    const items = [one, two, three].map((vector) => vectors.add(vector, 2)[0]);
    expect(items[0] - items[1]).toBe(1);
    expect(new Set(items).size).toBe(3);
    expect(Math.max(...items)).toBeLessThan(0);
    expect(vectors.add([...two, ...one, ...three], 2)).toEqual([items[1], items[0], items[2]]);
    expect(vectors.rowsOf(items)).toEqual(Float32Array.of(...one, ...two, ...three));
  });

  it("lose their vectors when no history has them any more", () => {
    const vectors = new GivenVectors();
    const [first, second] = vectors.add([1, 2], 1);
    vectors.retain([3, second]);
    expect(vectors.rowsOf([second])).toEqual(Float32Array.of(2));
    expect(() => vectors.rowsOf([first])).toThrow();
  });

  it("become requests of one kind each, the last of which has the output", () => {
    const vectors = new GivenVectors();
    const [a, b] = vectors.add([1, 2, 3, 4], 2);
    const asked = { outputs: "last", read: true } as const;
    expect(requestsFor(4, [7, 8, a, b, a, 9], vectors, asked)).toEqual([
      { sequence: 4, input: [7, 8], outputs: "none", read: true },
      {
        sequence: 4,
        input: { rows: Float32Array.of(1, 2, 3, 4, 1, 2) },
        outputs: "none",
        read: true,
      },
      { sequence: 4, input: [9], outputs: "last", read: true },
    ]);
  });
});
