/** Readers that stop, sessions and models that end, `restore()` in between: nobody waits for ever and nothing is left. */
import { describe, expect, it } from "vitest";
import { type AnswerStream, loadModel, type Model, type Session } from "../../mod.ts";
import type { GenerateOptions } from "../../src/session/types.ts";
import { fixture } from "../fixture.ts";
import { countedSignal } from "../signals.ts";
import { FakeExecutor, type FakeOptions } from "./fake-executor.ts";
import { countedBackend, fakeModel, withBackends } from "./fake-model.ts";

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const code = (work: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(work).then(
    () => undefined,
    (error: { code?: unknown }) => error.code ?? error,
  );
const never = new AbortController().signal;

/** Reads `count` tokens of a stream. */
async function read(stream: AsyncIterator<{ token?: number }>, count: number): Promise<number[]> {
  const tokens: number[] = [];
  while (tokens.length < count) {
    const { value, done } = await stream.next();
    if (done) break;
    tokens.push(value.token!);
  }
  return tokens;
}

describe("a reader that does not go on", () => {
  const prompt = [1, 2, 3, 4, 0, 2];
  const kinds: [string, FakeOptions, GenerateOptions][] = [
    ["a step at a time", {}, {}],
    ["several steps in flight", { stepsInFlight: 4, delay: 1 }, {}],
    ["sampled on the host", {}, { logprobs: 0 }],
    ["with drafts", { border: 4 }, { speculation: "ngram" }],
    [
      "with drafts, sampled on the host",
      { stepsInFlight: 3 },
      { speculation: "ngram", topNSigma: 2 },
    ],
  ];
  it.each(kinds)("blocks nobody and then goes on identically: %s", async (_, fake, how) => {
    const options = { temperature: 0, seed: 1, maxTokens: 30, ...how };
    const whole = await read(
      fakeModel(new FakeExecutor(fake)).open().generate(prompt, options),
      99,
    );
    const { open } = fakeModel(new FakeExecutor(fake));
    const first = open();
    const stream = first.generate(prompt, options);
    const got = await read(stream, 3);
    for (const count of [4, 1]) {
      await open().generate([4, 4], { maxTokens: 3, temperature: 0 });
      got.push(...(await read(stream, count)));
    }
    // Those that stop for good are no hindrance either.
    await Promise.all([1, 2, 3].map((token) => open().generate([token]).next()));
    got.push(...(await read(stream, 99)));
    expect(got).toEqual(whole);
    expect(first.tokens).toEqual([...prompt, ...whole]);
  });

  it.each(kinds)(
    "takes back nothing of what its sequence holds by then: %s",
    async (_, fake, how) => {
      type Ending = (
        stream: AnswerStream,
        session: Session,
        stop: AbortController,
      ) => Promise<unknown>;
      const endings: Ending[] = [
        (stream) => stream.return!(),
        (stream, _, stop) => {
          stop.abort("enough");
          return code(stream.next());
        },
        async (stream, session) => {
          await session.dispose();
          return code(stream.next());
        },
        async (stream, _, stop) => {
          const next = code(stream.next()); // waits for a sequence
          await wait(1);
          stop.abort("enough");
          return next;
        },
      ];
      // More than the session that stops had.
      const theirs = Array.from({ length: 40 }, (_, i) => i % 5);
      const options = { temperature: 0, seed: 1, maxTokens: 30, ...how };
      await Promise.all(
        endings.map(async (end) => {
          const executor = new FakeExecutor(fake);
          const { model, open } = fakeModel(executor);
          const session = open();
          const stop = new AbortController();
          const stream = session.generate(prompt, { ...options, signal: stop.signal });
          await read(stream, 3);
          const { sequence } = await model.acquire({}, never);
          await executor.step([{ sequence, input: theirs, outputs: "none" }]);
          await end(stream, session, stop);
          expect(executor.text(sequence)).toEqual(theirs);
        }),
      );
    },
  );

  it("keeps its sequence while it only takes its time", async () => {
    const executor = new FakeExecutor();
    const { open } = fakeModel(executor);
    const slow = async (session: Session): Promise<void> => {
      const stream = session.generate(prompt, { temperature: 0, maxTokens: 6 });
      for await (const _ of stream) await wait(10);
    };
    await Promise.all([slow(open()), slow(open()), slow(open())]);
    const prompts = executor.steps.filter(
      ([{ input }]) => Array.isArray(input) && input.length > 1,
    );
    expect(prompts.length).toBe(3);
  });

  it("does not keep the sequence of a session that is disposed of", async () => {
    const executor = new FakeExecutor({ stepsInFlight: 4 });
    const { model, open } = fakeModel(executor);
    const session = open();
    const stream = session.generate(prompt);
    await stream.next();
    await session.dispose();
    expect(executor.length(0)).toBe(0);
    const other = {};
    // In this turn: no timer is waited for.
    const turn = new Promise<never>((_, reject) => setTimeout(reject, 0, new Error("it waits")));
    const { sequence } = await Promise.race([model.acquire(other, never), turn]);
    turn.catch(() => {});
    await executor.step([{ sequence, input: [1, 2], outputs: "none" }]);
    expect(await code(stream.next())).toBe("session/disposed");
    // What the other has is not taken back for the one that is gone.
    expect(executor.text(0)).toEqual([1, 2]);
  });

  it("does not listen to its signal, and hears of it when it goes on", async () => {
    const { model, open } = fakeModel(new FakeExecutor({ delay: 1 }));
    const { controller, count } = countedSignal();
    const stream = open().generate(prompt, { signal: controller.signal });
    const next = stream.next();
    expect(count()).toBeGreaterThan(0);
    await next;
    expect(count()).toBe(0);
    controller.abort("enough");
    expect(await code(stream.next())).toBe("enough");
    expect(count()).toBe(0);
    const busy = {};
    await model.acquire(busy, never);
    const second = countedSignal();
    const waiting = open().logits([1], { signal: second.controller.signal });
    await wait(1);
    second.controller.abort("no more");
    expect(await code(waiting)).toBe("no more");
    expect(second.count()).toBe(0);
  });

  it("leaves no listener where a sequence was waited for", async () => {
    const { model } = fakeModel(new FakeExecutor());
    const holder = {};
    await model.acquire(holder, never);
    const { controller, count } = countedSignal();
    const waiting = model.sequences.acquire({}, controller.signal);
    expect(count()).toBe(1);
    model.sequences.drop(holder);
    await waiting;
    expect(count()).toBe(0);
  });
});

describe("restore()", () => {
  const prompt = [1, 2, 3];
  let counted = countedBackend();
  /** A model on the counted backend; nothing may be open when `work` is done and the model disposed of. */
  const on = (work: (model: Model) => Promise<void>): Promise<void> =>
    withBackends([(counted = countedBackend({ delay: 2 })).backend], async () => {
      const bytes = await fixture("tiny-model/webgguf-tale-q4_k_m.gguf");
      const model = await loadModel(bytes, { device: "cpu", contextLength: 64 });
      counted.opened = 0;
      await work(model);
      await model.dispose();
      expect([counted.open, counted.executors]).toEqual([0, 0]);
    });

  it("is one for all that call it at the same time, each with its own signal", () =>
    on(async (model) => {
      const [first, second] = [countedSignal(), countedSignal()];
      const calls = [
        code(model.restore({ signal: first.controller.signal })),
        code(model.restore({ signal: second.controller.signal })),
        code(model.restore()),
      ];
      await wait(1);
      first.controller.abort("mine");
      expect(await calls[0]).toBe("mine");
      expect(await Promise.all(calls)).toEqual(["mine", undefined, undefined]);
      expect([counted.opened, counted.open, counted.executors]).toEqual([1, 1, 1]);
      expect([first.count(), second.count()]).toEqual([0, 0]);
      expect(await code(model.restore({ signal: AbortSignal.abort("late") }))).toBe("late");
      expect(counted.opened).toBe(1);
    }));

  it("ends when all that called it are gone, leaves nothing, and can be called again", () =>
    on(async (model) => {
      const stop = new AbortController();
      let finish: () => void = () => {};
      const { loading } = counted;
      counted.loading = () => new Promise((resolve) => (finish = resolve));
      const calls = [1, 2].map(() => code(model.restore({ signal: stop.signal })));
      await wait(5);
      stop.abort("enough");
      await wait(5);
      counted.loading = loading;
      const again = model.restore();
      finish();
      expect(await Promise.all(calls)).toEqual(["enough", "enough"]);
      await again;
      expect([counted.opened, counted.open, counted.executors]).toEqual([2, 1, 1]);
      await model.session().generate(prompt, { maxTokens: 2 });
    }));

  it("that failed says so until it is called again", () =>
    on(async (model) => {
      const session = model.session();
      await session.generate(prompt, { maxTokens: 2, temperature: 0 });
      const { loading } = counted;
      counted.loading = () => Promise.reject(new Error("no luck"));
      await expect(model.restore()).rejects.toThrow("no luck");
      counted.loading = loading;
      expect([counted.open, counted.executors]).toEqual([0, 0]);
      expect(await code(session.generate([]))).toBe("device/lost");
      expect(await code(session.logits([1]))).toBe("device/lost");
      await model.restore();
      await session.generate([], { maxTokens: 2 });
    }));

  it("meets dispose(), before, meanwhile and after", () =>
    on(async (model) => {
      const restoring = code(model.restore());
      const waiting = code(model.session().generate(prompt));
      await wait(1);
      const disposing = [model.dispose(), model.dispose()];
      expect(await restoring).toBe("session/disposed");
      expect(await waiting).toBe("session/disposed");
      await disposing[1];
      expect([counted.open, counted.executors]).toEqual([0, 0]);
      expect(await code(model.restore())).toBe("session/disposed");
      expect(await code(model.embed(["a"]))).toBe("session/disposed");
      expect(counted.open).toBe(0);
    }));

  it("lets an answer whose reader waits go on, on what was opened", () =>
    on(async (model) => {
      const options = { temperature: 0, seed: 1, maxTokens: 12, ignoreEos: true };
      const whole = await read(model.session().generate(prompt, options), 12);
      const stream = model.session().generate(prompt, options);
      const got = await read(stream, 4);
      await model.restore();
      got.push(...(await read(stream, 99)));
      expect(got).toEqual(whole);
    }));

  it("fails what is computed and lets all else go on where it was", () =>
    on(async (model) => {
      const options = { temperature: 0, seed: 1, maxTokens: 12, ignoreEos: true };
      const whole = await read(model.session().generate(prompt, options), 12);
      const [paused, running] = [model.session(), model.session()];
      const stream = paused.generate(prompt, options);
      const got = await read(stream, 4);
      const step = running.generate(prompt, options);
      const stepping = code(step.next());
      const logits = code(model.session().logits(prompt));
      await wait(300); // the paused one has lost its sequence
      const next = code(step.next());
      await wait(1);
      const restoring = model.restore();
      expect(await next).toBe("device/lost");
      const rest = read(stream, 99);
      await restoring;
      got.push(...(await rest));
      expect(got).toEqual(whole);
      const left = { ...options, maxTokens: 11 };
      expect([
        ...running.tokens.slice(prompt.length),
        ...(await read(running.generate([], left), 11)),
      ]).toEqual(whole);
      await Promise.all([stepping, logits]);
    }));
});
