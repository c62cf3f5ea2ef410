/** Sessions at work together share steps, and none of them notices. */
import { describe, expect, it } from "vitest";
import { scheduled } from "../../src/session/scheduler.ts";
import { type Decoding, decode } from "../../src/session/step.ts";
import { FAKE_VOCABULARY, FakeExecutor } from "./fake-executor.ts";
import { answers } from "./together.ts";

const sampling = { temperature: 1, topK: 1, topP: 1, minP: 0, seed: 0 };
const never = new AbortController().signal;

/** Tokens sampled on one sequence, with a pause after each where one is given. */
async function drawOn(
  executor: Decoding["executor"],
  sequence: number,
  more: Partial<Decoding> & { pause?: number } = {},
): Promise<number[]> {
  const { pause, ...terms } = more;
  const ids: number[] = [];
  const run: Decoding = {
    executor,
    sequence,
    feed: [sequence % FAKE_VOCABULARY, 1, 2],
    limit: 40,
    sampling: { on: "device", settings: sampling },
    signal: never,
    ...terms,
  };
  for await (const { token } of decode(run)) {
    ids.push(token);
    if (pause !== undefined) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return ids;
}

const alone = (sequence: number, more: Partial<Decoding> = {}): Promise<number[]> =>
  drawOn(new FakeExecutor({ maxSequences: 8 }), sequence, more);

describe("scheduled", () => {
  it.each([1, 3, 8])("merges the steps of eight sequences, %i in flight", async (stepsInFlight) => {
    const inner = new FakeExecutor({ maxSequences: 8, stepsInFlight, delay: 1 });
    const executor = scheduled(inner);
    const texts = await Promise.all(
      Array.from({ length: 8 }, (_, sequence) => drawOn(executor, sequence)),
    );
    for (let s = 0; s < 8; s++) expect(texts[s]).toEqual(await alone(s));
    // Eight prompts, then 39 rows of each.
    const rows = inner.steps.slice(8).map((requests) => requests.length);
    console.log(`8 sequences, ${stepsInFlight} in flight: ${inner.steps.length} steps`);
    expect(inner.steps.length).toBeLessThanOrEqual(8 + 39 + 10);
    expect(Math.max(...rows)).toBe(8);
  });

  it("lets sequences of different length, kind and speed go on by themselves", async () => {
    const inner = new FakeExecutor({ maxSequences: 4, delay: 1 });
    const executor = scheduled(inner);
    const hosted = {
      sampling: { on: "host", sample: (logits: Float32Array) => ({ token: logits.indexOf(1) }) },
    } as const;
    const long = Array.from({ length: 50 }, (_, i) => i % 5);
    const texts = await Promise.all([
      drawOn(executor, 0, { limit: 5 }),
      drawOn(executor, 1, { pause: 7, limit: 12 }),
      drawOn(executor, 2, { feed: long }),
      drawOn(executor, 3, hosted),
    ]);
    expect(texts).toEqual([
      await alone(0, { limit: 5 }),
      await alone(1, { limit: 12 }),
      await alone(2, { feed: long }),
      await alone(3),
    ]);
  });

  it("sends a sequence that is alone at once", async () => {
    const inner = new FakeExecutor({ maxSequences: 4 });
    const executor = scheduled(inner);
    for (let i = 0; i < 3; i++) {
      const step = executor.step([{ sequence: 2, input: [i], outputs: "none" }]);
      expect(inner.steps.length).toBe(i + 1);
      await step;
    }
  });

  it("counts what waits, and refuses it where rows before it are taken back", async () => {
    const inner = new FakeExecutor({ maxSequences: 2, contextLength: 80, delay: 5, smallRows: 2 });
    const executor = scheduled(inner);
    const request = (sequence: number, tokens: number[]) =>
      executor.step([{ sequence, input: tokens, outputs: "none" }]);
    const flying = request(0, [1]);
    const first = request(1, [1]);
    const second = request(1, [2, 3]);
    expect([inner.length(1), executor.length(1)]).toEqual([0, 3]);
    await expect(
      request(
        1,
        Array.from({ length: 78 }, () => 1),
      ),
    ).rejects.toThrow("holds 80");
    const refused = expect(second).rejects.toMatchObject({ code: "input/invalid" });
    expect(executor.rewind(1, 1)).toBe(1);
    await refused;
    await Promise.all([flying, first]);
    expect(inner.text(1)).toEqual([1]);
  });

  it("drops what was aborted while it waited, and nothing else", async () => {
    const inner = new FakeExecutor({ maxSequences: 3, delay: 5 });
    const executor = scheduled(inner);
    const stop = new AbortController();
    const step = (sequence: number, signal?: AbortSignal) =>
      executor.step([{ sequence, input: [sequence], outputs: "none" }], signal);
    const flying = step(0);
    const stopped = step(1, stop.signal);
    const other = step(2);
    stop.abort("enough");
    await expect(stopped).rejects.toBe("enough");
    await Promise.all([flying, other]);
    expect([0, 1, 2].map((s) => executor.length(s))).toEqual([1, 0, 1]);
  });

  it("hands an error to all whose step it was", async () => {
    const inner = new FakeExecutor({ maxSequences: 3, delay: 2 });
    const executor = scheduled(inner);
    const step = (sequence: number) =>
      executor.step([{ sequence, input: [0], outputs: "none" }]).catch((error: unknown) => error);
    const first = step(0);
    const waiting = [step(1), step(2)];
    const error = new Error("lost");
    inner.step = () => Promise.reject(error);
    expect(await first).toEqual([{}]);
    expect(await Promise.all(waiting)).toEqual([error, error]);
  });
});

describe("sessions of one model", () => {
  it("answer at the same time what they answer alone", async () => {
    expect(await answers({ device: "cpu" }, true)).toEqual(await answers({ device: "cpu" }, false));
  });
});
