/** The counting of perplexity, against a plain reckoning on made-up logits. */
import { describe, expect, it } from "vitest";
import type { Model, Session } from "../../mod.ts";
import { perplexity } from "../../src/tools/mod.ts";

const VOCABULARY = 11;
const BOS = 1;
/** A text is a list of ids with spaces. */
const idsOf = (text: string): number[] => text.split(" ").filter(Boolean).map(Number);

/** Logits at a position that depend on all tokens up to it. */
function logitsAfter(tokens: readonly number[]): number[] {
  let h = 7;
  for (const token of tokens) h = (Math.imul(h, 31) + token) >>> 0;
  return Array.from({ length: VOCABULARY }, (_, i) => Math.sin(h + 13 * i) * 3);
}

interface Log {
  readonly chunks: number[][];
  resets: number;
  disposed: number;
}

function fakeModel(log: Log, options: { addBos?: boolean; fails?: boolean } = {}): Model {
  const session: Partial<Session> = {
    reset: () => void log.resets++,
    async logits(tokens) {
      if (options.fails) throw new Error("lost");
      const ids = Array.from(tokens as ArrayLike<number>);
      log.chunks.push(ids);
      return Float32Array.from(ids.flatMap((_, i) => logitsAfter(ids.slice(0, i + 1))));
    },
    dispose: async () => void log.disposed++,
  };
  const tokenizer = {
    addBos: options.addBos ?? false,
    bos: BOS,
    encode: (text: string) => Int32Array.from(idsOf(text)),
  };
  return { contextLength: 8, tokenizer, session: () => session } as unknown as Model;
}

/** exp of the mean of −ln p over the second halves, computed in the plainest way. */
function expected(ids: readonly number[], context: number, bos: boolean): number[] {
  const nll: number[] = [];
  for (let from = 0; from + context <= ids.length; from += context) {
    const chunk = ids.slice(from, from + context);
    if (bos) chunk[0] = BOS;
    for (let at = Math.floor(context / 2); at < context - 1; at++) {
      const logits = logitsAfter(chunk.slice(0, at + 1)).map(Math.fround);
      const sum = logits.reduce((total, one) => total + Math.exp(one), 0);
      nll.push(-Math.log(Math.exp(logits[ids[from + at + 1]]) / sum));
    }
  }
  return nll;
}

const ids = Array.from({ length: 35 }, (_, i) => (i * 5 + 3) % VOCABULARY);
const text = ids.join(" ");

describe("perplexity", () => {
  it.each([
    [4, false],
    [5, false],
    [8, true],
  ])("of chunks of %i tokens counts the second half of each (BOS %s)", async (context, addBos) => {
    const log: Log = { chunks: [], resets: 0, disposed: 0 };
    const steps: [number, number, number][] = [];
    const measured = await perplexity(fakeModel(log, { addBos }), text, {
      context,
      onChunk: (...step) => steps.push(step),
    });
    const nll = expected(ids, context, addBos);
    expect(measured.nll.length).toBe(nll.length);
    nll.forEach((value, i) => expect(measured.nll[i]).toBeCloseTo(value, 9));
    const mean = nll.reduce((sum, one) => sum + one, 0) / nll.length;
    const variance = nll.reduce((sum, one) => sum + (one - mean) ** 2, 0) / nll.length;
    expect(measured.perplexity).toBeCloseTo(Math.exp(mean), 9);
    expect(measured.error).toBeCloseTo(Math.sqrt(variance / (nll.length - 1)) * Math.exp(mean), 9);
    expect(measured.chunks).toBe(Math.floor(ids.length / context));
    // Each chunk is computed alone, from the beginning.
    expect(log.chunks.map((chunk) => chunk.length)).toEqual(
      new Array(measured.chunks).fill(context),
    );
    expect(log.chunks.every((chunk) => !addBos || chunk[0] === BOS)).toBe(true);
    expect([log.resets, log.disposed]).toEqual([measured.chunks, 1]);
    expect(steps.map(([done, all]) => [done, all])).toEqual(
      Array.from({ length: measured.chunks }, (_, i) => [i + 1, measured.chunks]),
    );
    expect(steps.at(-1)![2]).toBeCloseTo(measured.perplexity, 9);
  });

  it("refuses chunks that do not fit the context, and texts of less than two chunks", async () => {
    const model = fakeModel({ chunks: [], resets: 0, disposed: 0 });
    await expect(perplexity(model, text, { context: 9 })).rejects.toMatchObject({
      code: "context/overflow",
      expected: 8,
      actual: 9,
    });
    const short = ids.slice(0, 15).join(" ");
    await expect(perplexity(model, short, { context: 8 })).rejects.toMatchObject({
      code: "input/invalid",
      expected: 16,
      actual: 15,
    });
    const enough = ids.slice(0, 16).join(" ");
    expect((await perplexity(model, enough, { context: 8 })).chunks).toBe(2);
  });

  it.each([-1, 1, 2, 10.5, Number.NaN, Number.POSITIVE_INFINITY, null, "8"])(
    "refuses a context of %s before it computes anything",
    async (context) => {
      const log: Log = { chunks: [], resets: 0, disposed: 0 };
      const options = { context } as { context: number };
      await expect(perplexity(fakeModel(log), text, options)).rejects.toMatchObject({
        code: "input/invalid",
        key: "context",
        actual: context,
      });
      expect(log).toEqual({ chunks: [], resets: 0, disposed: 0 });
    },
  );

  it("takes 3 and more, and 0 for the model's own", async () => {
    for (const [context, chunks] of [
      [3, 11],
      [0, 4],
    ]) {
      const log: Log = { chunks: [], resets: 0, disposed: 0 };
      const { perplexity: value } = await perplexity(fakeModel(log), text, { context });
      expect(value).toBeGreaterThan(1);
      expect(log.chunks.length).toBe(chunks);
    }
  });

  it("leaves no session behind when computing fails", async () => {
    const log: Log = { chunks: [], resets: 0, disposed: 0 };
    await expect(perplexity(fakeModel(log, { fails: true }), text)).rejects.toThrow("lost");
    expect(log.disposed).toBe(1);
  });
});
