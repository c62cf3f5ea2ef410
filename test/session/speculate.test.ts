/** Guessing ahead changes the number of steps and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type GenerateOptions,
  type LoadOptions,
  loadModel,
  type Model,
  type Prompt,
} from "../../mod.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { embeddingsOf } from "../executor/embeddings.ts";
import { fixture } from "../fixture.ts";
import { answer, DRAFT, load, perStep, report, STORY, TARGET } from "./speculation.ts";

/** A text that repeats itself. */
const COPY = "The fox has a red hat and a blue coat. ".repeat(3);

const CASES: readonly (readonly [string, Prompt, GenerateOptions])[] = [
  ["greedy", STORY, { temperature: 0, maxTokens: 32 }],
  ["greedy to its end", [{ role: "user", content: "What is 7 + 5?" }], { temperature: 0 }],
  ["greedy, copying", COPY, { temperature: 0, maxTokens: 32 }],
  ["sampled", STORY, { temperature: 1, seed: 7, maxTokens: 32 }],
  ["sampled hot", STORY, { temperature: 1.6, topK: 100, seed: 8, maxTokens: 32 }],
  [
    "sampled after penalties",
    STORY,
    { temperature: 1, seed: 9, repeatPenalty: 1.3, maxTokens: 24 },
  ],
  ["sampled by the host", STORY, { temperature: 1, seed: 9, typicalP: 0.95, maxTokens: 24 }],
  ["mirostat", STORY, { mirostat: 2, seed: 10, maxTokens: 24 }],
  ["with log-probabilities", STORY, { temperature: 0, logprobs: 2, maxTokens: 24 }],
  ["one token", STORY, { temperature: 0, maxTokens: 1 }],
  ["two tokens", STORY, { temperature: 0, maxTokens: 2 }],
];

describe("speculative decoding on the CPU path", () => {
  let model: Model;
  beforeAll(async () => {
    model = await load({ device: "cpu" });
  });
  afterAll(() => model.dispose());

  const givesTheSame = async (
    model: Model,
    prompt: Prompt,
    options: GenerateOptions,
  ): Promise<void> => {
    const plain = await answer(model, "none", prompt, options);
    expect(plain.speculation).toBe(undefined);
    for (const kind of ["ngram", "draft"] as const) {
      const { speculation, ...rest } = await answer(model, kind, prompt, options);
      expect({ ...rest, speculation: undefined }).toEqual(plain);
      expect(speculation!.accepted).toBeLessThanOrEqual(speculation!.drafted);
    }
  };

  it.each(CASES)("gives the same: %s", (_, prompt, options) =>
    givesTheSame(model, prompt, options),
  );

  it("gives the same: a full context", async () => {
    const small = await load({ device: "cpu", contextLength: 96 });
    await givesTheSame(small, COPY, { temperature: 0, ignoreEos: true });
    await small.dispose();
  });

  it("gives the same after given rows", async () => {
    const ids = [...model.render([{ role: "user", content: COPY }]).tokens];
    const rows = await embeddingsOf(await readGguf(bufferSource(await fixture(TARGET), TARGET)))(
      ids,
    );
    const width = rows.length / ids.length;
    const parts = [ids.slice(0, 9), { rows: rows.subarray(9 * width, 20 * width) }, ids.slice(20)];
    const options = { temperature: 0, maxTokens: 12 };
    const plain = await answer(model, "none", ids, options);
    for (const kind of ["none", "ngram", "draft"] as const)
      expect((await answer(model, kind, parts, options)).ids).toEqual(plain.ids);
  });

  it("takes at least two tokens a step when it copies", async () => {
    const options = { temperature: 0, maxTokens: 90 };
    const told = await answer(model, "none", STORY, options);
    const again = [...STORY, { role: "assistant", content: told.text }, ...STORY];
    const copied = await answer(model, "ngram", again, options);
    const plain = await answer(model, "none", again, options);
    expect(copied.ids).toEqual(plain.ids);
    report("n-gram, copying", copied, plain);
    expect(perStep(copied.speculation!)).toBeGreaterThanOrEqual(2);
  });

  it("takes at least two tokens a step when Q4_K_M drafts for F16", async () => {
    for (const temperature of [0, 1]) {
      const options = { temperature, seed: 3, maxTokens: 64 };
      const plain = await answer(model, "none", STORY, options);
      const drafted = await answer(model, "draft", STORY, options);
      expect(drafted.ids).toEqual(plain.ids);
      report(`Q4_K_M for F16, temperature ${temperature}`, drafted, plain);
      expect(perStep(drafted.speculation!)).toBeGreaterThanOrEqual(2);
    }
  });

  it("stops at texts and breaks inside of a right draft, and goes on from there", async () => {
    const options = { temperature: 0, maxTokens: 24 };
    const whole = await answer(model, "none", STORY, options);
    for (const kind of ["ngram", "draft"] as const)
      for (const length of [5, 6, 7, 8, 9]) {
        const session = model.session();
        const ids: number[] = [];
        const take = async (more: GenerateOptions, prompt: Prompt): Promise<void> => {
          const pieces = session.generate(prompt, { ...options, speculation: kind, ...more });
          for await (const piece of pieces) {
            ids.push(piece.token!);
            if (ids.length === length) break;
          }
        };
        await take({}, STORY);
        expect(session.tokens.slice(-length)).toEqual(whole.ids.slice(0, length));
        await take({ maxTokens: 24 - length }, []);
        expect(ids).toEqual(whole.ids);
        await session.dispose();
      }
    const at = whole.text.indexOf(" ", 30);
    const stop = [whole.text.slice(at - 4, at + 4)];
    const plain = await answer(model, "none", STORY, { ...options, stop });
    expect(plain.finishReason).toBe("stop");
    for (const kind of ["ngram", "draft"] as const) {
      const { speculation: _, ...rest } = await answer(model, kind, STORY, { ...options, stop });
      expect({ ...rest, speculation: undefined }).toEqual(plain);
    }
  });

  it("stays at the last token after an abort", async () => {
    const whole = await answer(model, "none", STORY, { temperature: 0, maxTokens: 20 });
    const session = model.session();
    const stop = new AbortController();
    const part: number[] = [];
    const run = async (): Promise<void> => {
      const options = { temperature: 0, speculation: "draft", signal: stop.signal } as const;
      for await (const piece of session.generate(STORY, options)) {
        part.push(piece.token!);
        if (part.length === 7) stop.abort("enough");
      }
    };
    await expect(run()).rejects.toBe("enough");
    expect(part).toEqual(whole.ids.slice(0, 7));
    const options = { temperature: 0, maxTokens: 13, speculation: "draft" } as const;
    for await (const piece of session.generate([], options)) part.push(piece.token!);
    expect(part).toEqual(whole.ids);
    await session.dispose();
  });

  it("counts the memory of both, and goes on after restore()", async () => {
    const alone = await loadModel(await fixture(TARGET), { device: "cpu" });
    expect(model.memory.weights).toBeGreaterThan(alone.memory.weights);
    await alone.dispose();
    const before = await answer(model, "draft", STORY, { temperature: 0, maxTokens: 12 });
    await model.restore();
    const after = await answer(model, "draft", STORY, { temperature: 0, maxTokens: 12 });
    expect(after).toEqual(before);
  });
});

describe("speculative decoding with a cache that is not all there", () => {
  // Recurrent state goes back to a copy of it; a window forgets.
  it.each(["lfm2", "gemma3"])("gives the same tokens: %s", async (name) => {
    const model = await loadModel(await fixture(`reference/archs/${name}.gguf`), {
      device: "cpu",
      contextLength: 128,
    });
    // Random weights repeat nothing, so the prompt does.
    const prompt = Array.from({ length: 40 }, (_, i) => 3 + (i % 4));
    for (const options of [
      { temperature: 0, maxTokens: 60 },
      { temperature: 1, topK: 3, seed: 2, maxTokens: 60 },
    ]) {
      const plain = await answer(model, "none", prompt, options);
      const drafted = await answer(model, "ngram", prompt, options);
      report(`${name}, ${JSON.stringify(options)}`, drafted, plain);
      expect(drafted.ids).toEqual(plain.ids);
      expect(drafted.speculation!.drafted).toBeGreaterThan(0);
    }
    await model.dispose();
  });
});

describe("the options of speculative decoding", () => {
  const failure = async (options: LoadOptions): Promise<unknown> => {
    const model = await loadModel(await fixture(DRAFT), { device: "cpu", ...options });
    await model.dispose();
    return undefined;
  };

  it("refuses numbers and words that mean nothing", async () => {
    for (const speculation of [{ draftMax: 0 }, { draftMin: -1 }, { draftMax: 1.5 }, "fast"])
      await expect(failure({ speculation } as LoadOptions)).rejects.toMatchObject({
        code: "input/invalid",
      });
  });

  it("names the loading when there is no draft model", async () => {
    const model = await loadModel(await fixture(DRAFT), { device: "cpu" });
    await expect(answer(model, "draft", STORY, {})).rejects.toMatchObject({
      code: "input/invalid",
    });
    await model.dispose();
  });

  it("refuses a draft model of another vocabulary", async () => {
    const other = await fixture("reference/archs/qwen3.gguf");
    await expect(failure({ speculation: { model: other } })).rejects.toMatchObject({
      code: "input/invalid",
    });
  });

  it("keeps drafts within draftMax, and tries none below draftMin", async () => {
    for (const [speculation, most] of [
      [{ draftMax: 1 }, 2],
      [{ draftMax: 3 }, 4],
      [{ draftMin: 7 }, 8],
    ] as const) {
      const model = await loadModel(await fixture(DRAFT), { device: "cpu", speculation });
      const run = await answer(model, "ngram", COPY, { temperature: 0, maxTokens: 30 });
      const plain = await answer(model, "none", COPY, { temperature: 0, maxTokens: 30 });
      expect(run.ids).toEqual(plain.ids);
      expect(perStep(run.speculation!)).toBeLessThanOrEqual(most);
      await model.dispose();
    }
  });
});
