/** Any drafter, any way of taking back: the tokens are those that come without drafting. */
import { describe, expect, it } from "vitest";
import { NgramDrafter } from "../../src/session/ngram.ts";
import { type Drafter, MAX_DRAFT, newTally, speculate } from "../../src/session/speculate.ts";
import { type Decoding, decode, type Sampling } from "../../src/session/step.ts";
import { FAKE_VOCABULARY, FakeExecutor, follows } from "./fake-executor.ts";

/** Numbers from 0 to 1 that are the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Guesses of which some are right, with any number of tokens. */
const randomDrafter = (next: () => number, seed: number, right: number): Drafter => ({
  draft(tokens, max) {
    const text = [...tokens];
    const count = Math.floor(next() * (max + 1));
    for (let i = 0; i < count; i++)
      text.push(next() < right ? follows(text, seed) : Math.floor(next() * FAKE_VOCABULARY));
    return text.slice(tokens.length);
  },
});

const sampling = { temperature: 1, topK: 1, topP: 1, minP: 0, seed: 3 };
const onDevice = (): Sampling => ({ on: "device", settings: sampling });
/** A sampler with a course of its own: it goes by how often it was asked. */
const onHost = (): Sampling => {
  let count = 0;
  return {
    on: "host",
    sample: (logits) => ({ token: (logits.indexOf(1) + (count++ % 3)) % FAKE_VOCABULARY }),
  };
};

describe("speculate", () => {
  it("samples what decode samples, whatever is drafted", async () => {
    const next = random(1);
    for (let run = 0; run < 300; run++) {
      const prompt = Array.from({ length: 1 + Math.floor(next() * 20) }, () =>
        Math.floor(next() * FAKE_VOCABULARY),
      );
      const limit = 1 + Math.floor(next() * 60);
      const options = {
        contextLength: prompt.length + limit - Math.floor(next() * 2),
        stepsInFlight: 1 + Math.floor(next() * 4),
        border: next() < 0.5 ? 1 : 1 + Math.floor(next() * 32),
      };
      const sampling = next() < 0.5 ? onDevice : onHost;
      const draftMax = 1 + Math.floor(next() * MAX_DRAFT);
      const draftMin = Math.floor(next() * (draftMax + 1));
      const drafter = next() < 0.3 ? new NgramDrafter() : randomDrafter(next, 3, next());
      const taken = Math.floor(next() * 2 * limit);

      const terms = (): Decoding => ({
        executor: new FakeExecutor(options),
        sequence: 0,
        feed: prompt,
        limit,
        sampling: sampling(),
        signal: new AbortController().signal,
      });
      const plain: number[] = [];
      for await (const { token } of decode(terms())) plain.push(token);

      const tally = newTally();
      const drafting = terms();
      const drafted: number[] = [];
      const more = { items: prompt, drafter, draftMax, draftMin, tally };
      for await (const { token } of speculate({ ...drafting, ...more })) {
        drafted.push(token);
        const held = (drafting.executor as FakeExecutor).text(0);
        const all = [...prompt, ...drafted];
        // What the sequence holds begins with the text up to the token before this one.
        expect(held.slice(0, all.length - 1)).toEqual(all.slice(0, -1));
        if (drafted.length === taken) break;
      }
      expect(drafted).toEqual(taken > 0 ? plain.slice(0, taken) : plain);
      for (const [{ input }] of (drafting.executor as FakeExecutor).steps.slice(1))
        if (Array.isArray(input)) expect(input.length).toBeLessThanOrEqual(8);
      expect(tally.accepted).toBeLessThanOrEqual(tally.drafted);
      expect(tally.tokens).toBeLessThanOrEqual(drafted.length);
      if (tally.steps > 0 && options.border === 1 && taken === 0)
        expect(tally.tokens).toBe(tally.accepted + tally.steps);
    }
  });

  it("computes eight rows a step when every draft is right, and two when none is", async () => {
    for (const [right, wanted] of [
      [true, [5, 7, 8, 8, 8, 8]],
      [false, [5, 2, 2, 2, 2, 2]],
    ] as const) {
      const executor = new FakeExecutor();
      const drafter: Drafter = {
        draft(tokens, max) {
          const text = [...tokens];
          while (text.length < tokens.length + max)
            text.push((follows(text) + (right ? 0 : 1)) % FAKE_VOCABULARY);
          return text.slice(tokens.length);
        },
      };
      const run = {
        executor,
        sequence: 0,
        feed: [1, 2],
        limit: 60,
        sampling: { on: "device", settings: { ...sampling, seed: 0 } },
        signal: new AbortController().signal,
        ...{ items: [1, 2], drafter, draftMax: 7, draftMin: 1, tally: newTally() },
      } as const;
      for await (const _ of speculate(run)) void _;
      const rows = executor.steps
        .slice(1, 7)
        .map(([{ input }]) => (input as readonly number[]).length);
      expect(rows).toEqual(wanted);
    }
  });
});

describe("n-gram lookup", () => {
  it("drafts what followed the longest run that came before", () => {
    const drafter = new NgramDrafter();
    expect(drafter.draft([1, 2, 3], 4)).toEqual([]);
    //                    9 after 1 2 3 4, 8 after 5 2 3 4
    expect(drafter.draft([1, 2, 3, 4, 9, 5, 2, 3, 4, 8, 7, 1, 2, 3, 4], 2)).toEqual([9, 5]);
    expect(drafter.draft([5, 6, 1, 0, 5, 6], 3)).toEqual([1, 0, 5]);
    expect(drafter.draft([5, 6, 1, 0, 6], 3)).toEqual([]);
  });

  it("takes the latest of equal runs and goes on with the period at the end", () => {
    const drafter = new NgramDrafter();
    expect(drafter.draft([1, 2, 7, 1, 2, 8, 1, 2], 3)).toEqual([8, 1, 2]);
    expect(drafter.draft([3, 4, 3, 4, 3, 4], 7)).toEqual([3, 4, 3, 4, 3, 4, 3]);
    expect(drafter.draft([6, 6, 6], 5)).toEqual([6, 6, 6, 6, 6]);
  });

  it("is the same whether a text grew or came at once, and forgets another text", () => {
    const next = random(5);
    const text = Array.from({ length: 300 }, () => Math.floor(next() * 4));
    const grown = new NgramDrafter();
    for (let n = 1; n <= text.length; n++) {
      const part = text.slice(0, n);
      expect(grown.draft(part, 5)).toEqual(new NgramDrafter().draft(part, 5));
    }
    const other = text.slice(0, 100).reverse();
    expect(grown.draft(other, 5)).toEqual(new NgramDrafter().draft(other, 5));
    // A longer text with another beginning is another text too.
    const longer = [1, 1, 4, 4, ...text].map((token) => token + 1);
    for (let n = 101; n <= longer.length; n += 7) {
      const part = longer.slice(0, n);
      expect(grown.draft(part, 5)).toEqual(new NgramDrafter().draft(part, 5));
    }
  });
});
