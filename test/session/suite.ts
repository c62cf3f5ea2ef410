/** What every Session must do, wherever it is computed: the same tests for all ways of loading. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GenerateOptions, LoadOptions, Model, Piece, Session } from "../../mod.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { nmse } from "../conformance/archs.ts";
import { embeddingsOf } from "../executor/embeddings.ts";
import { fixture, fixtureJson } from "../fixture.ts";

export const BUNDLED = "../../models/webgguf-tale-q8_0.gguf";
const FILE = "webgguf-tale-q8_0.gguf";

/** How the suite loads a model. */
export type Load = (bytes: Uint8Array<ArrayBuffer>, options: LoadOptions) => Promise<Model>;

interface Greedy {
  readonly prompt: string;
  readonly prompt_ids: readonly number[];
  readonly ids: readonly number[];
  readonly text: string;
}

const QUESTION = [{ role: "user", content: "What is 7 + 5?" }];
const STORY = [{ role: "user", content: "Tell me a story about a fox who lost a hat." }];

const collect = async (pieces: AsyncIterable<Piece>): Promise<{ ids: number[]; text: string }> => {
  const ids: number[] = [];
  let text = "";
  for await (const piece of pieces) {
    if (piece.token !== undefined) ids.push(piece.token);
    text += piece.text;
  }
  return { ids, text };
};

/** What a promise was rejected with. */
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

const code = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;

export function sessionSuite(name: string, load: Load, options: LoadOptions = {}): void {
  describe(name, () => {
    let bytes: Uint8Array<ArrayBuffer>;
    let model: Model;
    let greedy: readonly Greedy[];

    beforeAll(async () => {
      bytes = await fixture(BUNDLED);
      model = await load(bytes, options);
      greedy = (await fixtureJson<{ files: Record<string, Greedy[]> }>("tiny-model/greedy.json"))
        .files[FILE];
    });
    afterAll(() => model.dispose());

    const withSession = async <T>(work: (session: Session) => Promise<T>): Promise<T> => {
      const session = model.session();
      try {
        return await work(session);
      } finally {
        await session.dispose();
      }
    };

    it("gives llama.cpp's greedy tokens and text", async () => {
      for (const one of greedy.slice(0, 3)) {
        const given = await withSession((session) =>
          collect(session.generate(one.prompt, { temperature: 0, maxTokens: 32 })),
        );
        expect(given.ids).toEqual(one.ids.slice(0, 32));
        expect(one.text.startsWith(given.text)).toBe(true);
      }
    });

    it("takes token ids as a prompt and ends at an end token", () =>
      withSession(async (session) => {
        const { ids, text } = await collect(session.generate(QUESTION, { temperature: 0 }));
        expect(text).toBe("7 + 5 = 12.");
        expect(model.tokenizer.endTokens.has(ids[ids.length - 1])).toBe(true);
        expect(session.stats().finishReason).toBe("stop");
        const prompt = session.tokens.slice(0, session.tokens.length - ids.length);
        const again = await withSession((other) =>
          collect(other.generate(prompt, { temperature: 0 })),
        );
        expect(again.ids).toEqual(ids);
      }));

    it("gives the whole answer to whoever awaits it", () =>
      withSession(async (session) => {
        const { message, finishReason, stopText, usage } = await session.generate(QUESTION, {
          temperature: 0,
        });
        expect(message).toEqual({ role: "assistant", content: "7 + 5 = 12." });
        expect([finishReason, stopText]).toEqual(["stop", undefined]);
        const { text, tokens } = model.render(QUESTION);
        // With the very options of an answer, too.
        const answering: GenerateOptions = { temperature: 0, maxTokens: 4, stop: "x" };
        expect(model.render(QUESTION, answering)).toEqual({ text, tokens });
        expect(text).toContain("What is 7 + 5?");
        expect(usage.promptTokens).toBe(tokens.length);
        expect(session.tokens.slice(0, tokens.length)).toEqual(tokens);
        expect(session.tokens.length).toBe(tokens.length + usage.completionTokens);
        expect(session.stats()).toMatchObject({ ...usage, finishReason });
        const next = [...QUESTION, message, { role: "user", content: "What is 3 + 4?" }];
        const more = await session.generate(next, { temperature: 0, maxTokens: 2 });
        expect(more.finishReason).toBe("length");
        expect(more.usage.cachedTokens).toBeGreaterThan(10);
        expect(more.usage.promptTokens).toBe(model.render(next).tokens.length);
      }));

    it("gives the answer at the end of the stream, after a break, and as often as asked", () =>
      withSession(async (session) => {
        const stop = " = ";
        const stream = session.generate(QUESTION, { temperature: 0, stop: [stop] });
        const first = await stream.next();
        expect(first.done).toBe(false);
        const whole = await stream;
        expect(whole).toMatchObject({ finishReason: "stop", stopText: stop });
        expect(whole.message.content).toBe("7 + 5");
        expect(await stream).toBe(whole);
        expect(await stream.next()).toEqual({ done: true, value: whole });
        session.reset();
        const broken = session.generate(STORY, { temperature: 0 });
        let text = "";
        for await (const piece of broken) {
          text += piece.text;
          if (text.length > 9) break;
        }
        const { message, finishReason, usage } = await broken;
        expect([message.content, finishReason]).toEqual([text, "aborted"]);
        expect(usage.completionTokens).toBeGreaterThan(0);
        const untouched = session.generate(STORY);
        await untouched.return();
        expect((await untouched).usage.promptTokens).toBe(0);
      }));

    it("keeps the common beginning of a conversation", () =>
      withSession(async (session) => {
        const first = await collect(session.generate(QUESTION, { temperature: 0 }));
        const more = [
          ...QUESTION,
          { role: "assistant", content: first.text },
          { role: "user", content: "What is 3 + 4?" },
        ];
        const second = await collect(session.generate(more, { temperature: 0 }));
        const stats = session.stats();
        expect(stats.cachedTokens).toBeGreaterThan(10);
        const fresh = await withSession((other) =>
          collect(other.generate(more, { temperature: 0 })),
        );
        expect(second).toEqual(fresh);
      }));

    it("goes on after a break as if there had been none", () =>
      withSession(async (session) => {
        const { prompt, ids } = greedy[0];
        const part: number[] = [];
        for await (const piece of session.generate(prompt, { temperature: 0 })) {
          part.push(piece.token!);
          if (part.length === 7) break;
        }
        expect(session.tokens.slice(-7)).toEqual(part);
        expect(session.stats().finishReason).toBe("aborted");
        const rest = await collect(session.generate([], { temperature: 0, maxTokens: 9 }));
        expect([...part, ...rest.ids]).toEqual(ids.slice(0, 16));
      }));

    it("throws the reason of an abort and stays at the last token", () =>
      withSession(async (session) => {
        const { prompt, ids } = greedy[1];
        const stop = new AbortController();
        const reason = new Error("enough");
        const part: number[] = [];
        const run = async (): Promise<void> => {
          const options: GenerateOptions = { temperature: 0, signal: stop.signal };
          for await (const piece of session.generate(prompt, options)) {
            part.push(piece.token!);
            if (part.length === 5) stop.abort(reason);
          }
        };
        expect(await failure(run())).toBe(reason);
        expect(part).toEqual(ids.slice(0, 5));
        const rest = await collect(session.generate([], { temperature: 0, maxTokens: 5 }));
        expect(rest.ids).toEqual(ids.slice(5, 10));
        const before = new AbortController();
        before.abort(reason);
        const tokens = session.tokens.slice();
        const late = session.generate("more", { signal: before.signal });
        expect(await failure(collect(late))).toBe(reason);
        expect(session.tokens).toEqual(tokens);
      }));

    it("refuses a second call while one runs, and any after dispose", async () => {
      const session = model.session();
      const running = session.generate(STORY, { temperature: 0 });
      await running.next();
      expect(code(await failure(collect(session.generate("x"))))).toBe("session/busy");
      expect(() => session.reset()).toThrow();
      await running.return();
      session.reset();
      expect(session.tokens.length).toBe(0);
      await session.dispose();
      await session.dispose();
      expect(code(await failure(collect(session.generate("x"))))).toBe("session/disposed");
    });

    it("stops at texts that lie across tokens, and leaves them out", () =>
      withSession(async (session) => {
        const { prompt, text } = greedy[0];
        const at = text.indexOf(" ", 40);
        const stop = text.slice(at - 6, at + 5);
        const given = await collect(
          session.generate(prompt, { temperature: 0, stop: ["never there", stop] }),
        );
        expect(given.text).toBe(text.slice(0, text.indexOf(stop)));
        expect(session.stats().finishReason).toBe("stop");
      }));

    it("says when the context is too short, and fills it otherwise", () =>
      withSession(async (session) => {
        const long = "word ".repeat(2 * model.contextLength);
        expect(code(await failure(collect(session.generate(long))))).toBe("context/overflow");
        expect(session.tokens.length).toBe(0);
        const filler = Array.from({ length: model.contextLength - 3 }, (_, i) => 300 + (i % 200));
        const given = await collect(session.generate(filler, { temperature: 0, ignoreEos: true }));
        expect(given.ids.length).toBe(3);
        const stats = session.stats();
        expect(stats.finishReason).toBe("context");
        expect(stats.contextUsed).toBe(model.contextLength);
        expect(code(await failure(collect(session.generate("x"))))).toBe("context/overflow");
      }));

    it("draws the same tokens for the same seed, also after a break", async () => {
      const options = { temperature: 1, seed: 11, maxTokens: 24 };
      const run = (): Promise<{ ids: number[] }> =>
        withSession((session) => collect(session.generate(STORY, options)));
      const first = await run();
      expect((await run()).ids).toEqual(first.ids);
      await withSession(async (session) => {
        const part = await collect(session.generate(STORY, { ...options, maxTokens: 10 }));
        const rest = await collect(session.generate([], { ...options, maxTokens: 14 }));
        expect([...part.ids, ...rest.ids]).toEqual(first.ids);
      });
    });

    it("tells log-probabilities", () =>
      withSession(async (session) => {
        const pieces: Piece[] = [];
        const options = { temperature: 0, maxTokens: 4, logprobs: 3 };
        for await (const piece of session.generate(QUESTION, options)) pieces.push(piece);
        for (const { token, logprob, topLogprobs } of pieces) {
          expect(logprob).toBeLessThanOrEqual(0);
          expect(topLogprobs?.length).toBe(3);
          expect(topLogprobs?.[0]).toEqual({ token, logprob });
        }
      }));

    it("takes a prompt without answering", () =>
      withSession(async (session) => {
        const { prompt, prompt_ids, ids } = greedy[2];
        expect((await collect(session.generate(prompt, { maxTokens: 0 }))).ids).toEqual([]);
        expect(session.tokens).toEqual(prompt_ids);
        const answer = await collect(session.generate([], { temperature: 0, maxTokens: 3 }));
        expect(answer.ids).toEqual(ids.slice(0, 3));
      }));

    it("lets sessions of one model wait for each other", async () => {
      const texts = await Promise.all(
        greedy
          .slice(0, 3)
          .map((one) =>
            withSession((session) =>
              collect(session.generate(one.prompt, { temperature: 0, maxTokens: 12 })),
            ),
          ),
      );
      texts.forEach(({ ids }, i) => {
        expect(ids).toEqual(greedy[i].ids.slice(0, 12));
      });
    });

    it("gives raw logits of every position, and goes on from there", () =>
      withSession(async (session) => {
        const { prompt_ids, ids } = greedy[0];
        const logits = await session.logits(prompt_ids);
        const width = logits.length / prompt_ids.length;
        const last = logits.subarray(-width);
        expect(last.indexOf(Math.max(...last))).toBe(ids[0]);
        expect(session.tokens).toEqual(prompt_ids);
        const given = await collect(session.generate([], { temperature: 0, maxTokens: 4 }));
        expect(given.ids).toEqual(ids.slice(0, 4));
      }));

    it("computes given rows as the tokens whose embeddings they are, and keeps them like tokens", () =>
      withSession(async (session) => {
        const { prompt_ids: ids } = greedy[0];
        const rows = await embeddingsOf(await readGguf(bufferSource(bytes, FILE)))(ids);
        const width = rows.length / ids.length;
        const given = (from: number, to: number) => ({
          rows: rows.subarray(from * width, to * width),
        });
        const parts = [ids.slice(0, 1), given(1, 4), ids.slice(4, 6), given(6, ids.length)];
        const wanted = await withSession((other) => other.logits(ids));
        const sampling = { temperature: 1, seed: 5, maxTokens: 8, repeatPenalty: 1 };
        const answer = await withSession((other) => collect(other.generate(ids, sampling)));
        expect(nmse(await session.logits(parts), wanted)).toBeLessThan(1e-9);
        expect(session.tokens.map((token) => Math.max(-1, token))).toEqual(
          ids.map((token, i) => ((i >= 1 && i < 4) || i >= 6 ? -1 : token)),
        );
        // The same rows from other memory, found in the cache.
        const again = parts.map((part) => ("rows" in part ? { rows: part.rows.slice() } : part));
        expect(await collect(session.generate(again, sampling))).toEqual(answer);
        expect(session.stats().cachedTokens).toBe(ids.length - 1);
        expect(session.stats().promptTokens).toBe(ids.length);
        // The vectors outlive the cache: it is another session's meanwhile, then it is lost.
        await withSession((other) => collect(other.generate([5], { maxTokens: 0 })));
        expect(await collect(session.generate(again, sampling))).toEqual(answer);
        await model.restore();
        expect(await collect(session.generate(again, sampling))).toEqual(answer);
        const wrong = collect(session.generate([ids, { rows: rows.subarray(1) }]));
        expect(code(await failure(wrong))).toBe("input/invalid");
      }));

    it("goes on after restore()", () =>
      withSession(async (session) => {
        const { prompt, ids } = greedy[0];
        await collect(session.generate(prompt, { temperature: 0, maxTokens: 6 }));
        await model.restore();
        const rest = await collect(session.generate([], { temperature: 0, maxTokens: 6 }));
        expect(rest.ids).toEqual(ids.slice(6, 12));
      }));

    it("names what is wrong with its arguments", () =>
      withSession(async (session) => {
        expect(code(await failure(collect(session.generate(""))))).toBe("input/invalid");
        expect(code(await failure(collect(session.generate([1e6]))))).toBe("input/invalid");
        expect(code(await failure(collect(session.generate("x", { topP: Number.NaN }))))).toBe(
          "input/invalid",
        );
        expect(code(await failure(model.embed(["x"])))).toBe("model/unsupported");
        expect(code(await failure(load(bytes, { ...options, contextLength: -1 })))).toBe(
          "input/invalid",
        );
      }));

    it("can stop while it loads", async () => {
      const stop = new AbortController();
      const reason = new Error("not now");
      stop.abort(reason);
      expect(await failure(load(bytes, { ...options, signal: stop.signal }))).toBe(reason);
    });
  });
}
