/** What a session's calls leave behind, on an executor that only counts. */
import { describe, expect, it, vi } from "vitest";
import { loadModel } from "../../mod.ts";
import type { StepRequest } from "../../src/graph/requests.ts";
import { DraftModel } from "../../src/session/draft-model.ts";
import type { Loaded } from "../../src/session/loaded.ts";
import { samplingFor } from "../../src/session/sampling.ts";
import type { Session } from "../../src/session/types.ts";
import { fixture } from "../fixture.ts";
import { FakeExecutor, type FakeOptions } from "./fake-executor.ts";
import { fakeModel } from "./fake-model.ts";

/** An executor whose steps can fail after their rows were taken. */
class Failing extends FakeExecutor {
  failing = false;
  override step: FakeExecutor["step"] = async (requests: readonly StepRequest[], signal) => {
    const results = await super.step(requests, signal);
    if (this.failing) throw new Error("out of luck");
    return results as never;
  };
}

function sessionOn(options: FakeOptions): { executor: Failing; session: Session; open(): Session } {
  const executor = new Failing(options);
  const { open } = fakeModel(executor);
  return { executor, session: open(), open };
}

const code = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => undefined,
    (error: { code?: unknown }) => error.code,
  );
const greedy = { temperature: 0 };

describe("a session's calls", () => {
  it("fill the context to its last place, and no further", async () => {
    const { session } = sessionOn({ contextLength: 5 });
    const full = [1, 2, 3, 4, 0];
    expect(await code(session.generate(full, greedy))).toBe("context/overflow");
    expect(await code(session.generate([...full, 1], { maxTokens: 0 }))).toBe("context/overflow");
    expect(session.tokens).toEqual([]);
    const { finishReason } = await session.generate([1, 2, 3, 4], { ...greedy, maxTokens: 9 });
    expect(finishReason).toBe("context");
    expect(session.tokens.length).toBe(5);
    expect(await code(session.generate([], greedy))).toBe("context/overflow");
  });

  it("stop at maxTokens where that is less than the context holds, and as much", async () => {
    for (const [maxTokens, reason] of [
      [2, "length"],
      [4, "length"],
      [5, "context"],
    ] as const) {
      const { session } = sessionOn({ contextLength: 5 });
      const { finishReason, usage } = await session.generate([1], { ...greedy, maxTokens });
      expect({ finishReason, tokens: usage.completionTokens }).toEqual({
        finishReason: reason,
        tokens: Math.min(4, maxTokens),
      });
    }
  });

  it("compute the prompt and nothing else for maxTokens 0", async () => {
    const { session, executor } = sessionOn({});
    const answer = await session.generate([1, 2, 3], { maxTokens: 0 });
    expect(answer).toMatchObject({
      message: { role: "assistant", content: "" },
      finishReason: "length",
      usage: { promptTokens: 3, cachedTokens: 0, completionTokens: 0 },
    });
    expect(session.tokens).toEqual([1, 2, 3]);
    expect(executor.length(0)).toBe(3);
  });

  it("count cached tokens of a prompt, of which the last is always computed", async () => {
    const { session, executor } = sessionOn({});
    await session.generate([1, 2, 3], { maxTokens: 0 });
    const { usage } = await session.generate([], { ...greedy, maxTokens: 1 });
    expect(usage).toMatchObject({ promptTokens: 3, cachedTokens: 2, completionTokens: 1 });
    expect(executor.steps.at(-1)?.[0].input).toEqual([3]);
    expect(session.stats()).toMatchObject({ ...usage, contextUsed: 4, finishReason: "length" });
  });

  it("leave no rows of logits that failed", async () => {
    const { session, executor } = sessionOn({});
    await session.logits([1, 2]);
    executor.failing = true;
    await expect(session.logits([3, 4, 0])).rejects.toThrow("out of luck");
    expect(session.tokens).toEqual([1, 2]);
    expect(executor.length(0)).toBe(2);
    executor.failing = false;
    await session.logits([3]);
    expect(executor.text(0)).toEqual([1, 2, 3]);
  });

  it("leave no rows of an answer that failed", async () => {
    const { session, executor } = sessionOn({ stepsInFlight: 4 });
    await session.generate([1, 2], { ...greedy, maxTokens: 2 });
    const tokens = [...session.tokens];
    executor.failing = true;
    await expect(session.generate([], greedy)).rejects.toThrow("out of luck");
    expect(session.tokens).toEqual(tokens);
    expect(executor.length(0)).toBeLessThan(tokens.length);
  });

  it("give the sequence back when the session is disposed of, idle or at work, or reset", async () => {
    for (const end of ["dispose", "reset"] as const) {
      const { session, executor } = sessionOn({});
      await session.generate([1, 2], { ...greedy, maxTokens: 2 });
      expect(executor.length(0)).toBeGreaterThan(0);
      await session[end]();
      expect(executor.length(0)).toBe(0);
    }
    const { session, executor, open } = sessionOn({});
    const answer = session.generate([1, 2], greedy);
    await answer.next();
    await session.dispose();
    expect(await code(answer)).toBe("session/disposed");
    expect(executor.length(0)).toBe(0);
    await open().generate([1], { maxTokens: 0 });
    expect(executor.text(0)).toEqual([1]);
  });
});

describe("sampling on the host", () => {
  const logits = Float32Array.of(0, 1, 1.5, 0, 0);
  const token = (prompt: readonly number[], repeatPenalty: number): number => {
    const model = { ...({} as Loaded), executor: new FakeExecutor(), graph: { vocabulary: 5 } };
    const options = { temperature: 0, repeatPenalty, logprobs: 0 };
    const sampling = samplingFor(model as unknown as Loaded, prompt, options);
    if (sampling.on !== "host") throw new Error("the device samples");
    return sampling.sample(logits.slice()).token;
  };
  it("has seen the prompt", () => {
    expect(token([2], 1)).toBe(2);
    expect(token([2], 4)).toBe(1);
    expect(token([3], 4)).toBe(2);
  });
});

it("restore() loads the draft model again too", async () => {
  const model = await loadModel(await fixture("../../models/webgguf-tale-q8_0.gguf"), {
    device: "cpu",
    contextLength: 32,
    speculation: { model: await fixture("tiny-model/webgguf-tale-q4_k_m.gguf") },
  });
  const restored = vi.spyOn(DraftModel.prototype, "restore");
  await model.restore();
  expect(restored).toHaveBeenCalledTimes(1);
  restored.mockRestore();
  await model.dispose();
});
