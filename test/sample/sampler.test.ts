import { describe, expect, it } from "vitest";
import { checkOptions } from "../../src/base/options.ts";
import { type SamplerContext, samplingRules } from "../../src/sample/options.ts";
import { createSampler } from "../../src/sample/sampler.ts";
import type { SamplingOptions } from "../../src/sample/types.ts";
import { failure, normal } from "./numbers.ts";

const vocabulary = 500;
const context: SamplerContext = { vocabulary, contextLength: 64 };
const off: SamplingOptions = { topK: 0, topP: 1, minP: 0, temperature: 1 };
const make = (options: SamplingOptions, more: Partial<SamplerContext> = {}) =>
  createSampler(options, { ...context, ...more });
const logits = normal(vocabulary, 21);

function text(options: SamplingOptions, length = 40, sequence = 0): number[] {
  const sampler = make(options);
  return Array.from({ length }, (_, step) => {
    const token = sampler.sample(normal(vocabulary, 1000 + step), sequence, step);
    sampler.accept(token);
    return token;
  });
}

describe("createSampler", () => {
  it("has llama.cpp's default chain", () => {
    expect(make({}).entries).toEqual([
      ["top_k", 40],
      ["top_p", 0.95, 0],
      ["min_p", 0.05, 0],
      ["temp_ext", 0.8, 0, 1],
    ]);
  });

  it("puts every sampler in llama.cpp's order, or in the order asked for", () => {
    const all: SamplingOptions = {
      logitBias: { 3: 1 },
      repeatPenalty: 1.1,
      dryMultiplier: 0.8,
      drySequenceBreakers: [],
      topNSigma: 2,
      typicalP: 0.9,
      xtcProbability: 0.5,
      dynatempRange: 0.2,
    };
    const names = (options: SamplingOptions) => make(options).entries.map(([name]) => name);
    expect(names(all)).toEqual([
      "logit_bias",
      "penalties",
      "dry",
      "top_n_sigma",
      "top_k",
      "typical",
      "top_p",
      "min_p",
      "xtc",
      "temp_ext",
    ]);
    expect(names({ ...all, samplers: ["temperature", "top_k"] })).toEqual([
      "logit_bias",
      "temp_ext",
      "top_k",
    ]);
    expect(names({ ...all, mirostat: 1 })).toEqual(["logit_bias", "temp", "mirostat"]);
    expect(make({ ...all, logitBias: {}, temperature: 1, mirostat: 2 }).entries).toEqual([
      ["mirostat_v2", 5, 0.1],
    ]);
  });

  it("gives the same text for the same seed and another for another", () => {
    const chains: SamplingOptions[] = [
      {},
      { repeatPenalty: 1.2, xtcProbability: 0.5, typicalP: 0.9 },
      { mirostat: 1 },
      { mirostat: 2 },
    ];
    for (const options of chains) {
      const first = text({ ...options, seed: 5 });
      expect(text({ ...options, seed: 5 })).toEqual(first);
      expect(text({ ...options, seed: 6 })).not.toEqual(first);
      expect(text({ ...options, seed: 5 }, 40, 1)).not.toEqual(first);
    }
    const sampler = make({});
    expect(make({ seed: sampler.seed }).sample(logits, 0, 0)).toBe(sampler.sample(logits, 0, 0));
  });

  it("samples the same however often and in whatever order it is asked", () => {
    for (const mirostat of [0, 1, 2] as const) {
      const sampler = make({ seed: 1, mirostat, xtcProbability: 0.5, minP: 0, topK: 0 });
      const steps = [0, 1, 2, 3, 4, 5, 6, 7];
      const forward = steps.map((step) => sampler.sample(logits, 0, step));
      const backward = steps.toReversed().map((step) => sampler.sample(logits, 0, step));
      expect(backward.toReversed()).toEqual(forward);
      expect(new Set(forward).size).toBeGreaterThan(1);
    }
  });

  it("leaves the logits alone and refuses another length", () => {
    const copy = logits.slice();
    make({ temperature: 0.1, logitBias: { 1: 2 } }).sample(copy, 0, 0);
    expect(copy).toEqual(logits);
    expect(failure(() => make({}).sample(new Float32Array(vocabulary + 1), 0, 0)).code).toBe(
      "input/invalid",
    );
  });

  it("samples with the probabilities of the logits", () => {
    const three = Float32Array.from([Math.log(0.6), Math.log(0.1), Math.log(0.3)]);
    const sampler = make({ ...off, seed: 3 }, { vocabulary: 3 });
    const counts = [0, 0, 0];
    for (let step = 0; step < 20000; step++) counts[sampler.sample(three, 0, step)]++;
    [0.6, 0.1, 0.3].forEach((p, token) => {
      expect(Math.abs(counts[token] / 20000 - p)).toBeLessThan(0.012);
    });
  });

  it("lets XTC act with its probability", () => {
    const two = Float32Array.from([Math.log(0.6), Math.log(0.4)]);
    const options = { ...off, seed: 3, xtcProbability: 0.5, xtcThreshold: 0.1 };
    const sampler = make(options, { vocabulary: 2 });
    let first = 0;
    for (let step = 0; step < 10000; step++) if (sampler.sample(two, 0, step) === 0) first++;
    expect(Math.abs(first / 10000 - 0.3)).toBeLessThan(0.02); // half the steps drop token 0
  });

  it("is greedy at temperature 0 or less", () => {
    const best = logits.indexOf(Math.max(...logits));
    for (const options of [
      { temperature: 0 },
      { temperature: -1 },
      { temperature: 0, mirostat: 2 },
    ]) {
      const sampler = make(options as SamplingOptions);
      expect(sampler.greedy).toBe(true);
      for (let step = 0; step < 5; step++) expect(sampler.sample(logits, 0, step)).toBe(best);
    }
    expect(make({}).greedy).toBe(false);
    const penalised = make({ temperature: 0, repeatPenalty: 1e6 });
    expect(penalised.greedy).toBe(true);
    penalised.accept(best);
    expect(penalised.sample(logits, 0, 0)).not.toBe(best);
  });

  it("looks back over the context with -1, and forgets at a reset", () => {
    const even = new Float32Array(vocabulary);
    even[7] = 1;
    for (const options of [
      { repeatLastN: -1, presencePenalty: 5 },
      { dryPenaltyLastN: -1, dryMultiplier: 9, dryAllowedLength: 1, drySequenceBreakers: [] },
    ]) {
      const sampler = make({ ...options, temperature: 0 });
      const accept = (...tokens: number[]) => {
        for (const token of tokens) sampler.accept(token);
      };
      accept(9, 7, ...new Array(61).fill(3), 9);
      expect(sampler.sample(even, 0, 0)).not.toBe(7);
      accept(9); // the first 9 7 leaves the 64 tokens of context
      accept(4, 9);
      expect(sampler.sample(even, 0, 0)).toBe(7);
      accept(7, 9);
      expect(sampler.sample(even, 0, 0)).not.toBe(7);
      sampler.reset();
      expect(sampler.sample(even, 0, 0)).toBe(7);
    }
    const without = make({ repeatLastN: 0, presencePenalty: 5, temperature: 0 });
    without.accept(7);
    expect(without.sample(even, 0, 0)).toBe(7);
  });

  it("moves mirostat's mu by accepted tokens alone", () => {
    const sampler = make({
      mirostat: 2,
      temperature: 1,
      mirostatEntropy: 4,
      mirostatLearningRate: 0.1,
      seed: 2,
    });
    const run = () =>
      Array.from({ length: 30 }, (_, step) => {
        const token = sampler.sample(logits, 0, step);
        sampler.accept(token);
        return token;
      });
    for (const token of [1, 2, 3]) sampler.accept(token);
    const first = run();
    expect(run()).not.toEqual(first); // mu is not where it began
    sampler.reset();
    for (let step = 0; step < 30; step++) {
      const token = sampler.sample(logits, 0, step);
      sampler.accept((token + 1) % logits.length); // another one than was sampled
    }
    expect(run()).toEqual(first);
  });

  it("finds DRY's breakers through the tokenizer, and says so without one", () => {
    const tokenText = (id: number) => (id === 5 ? "\n" : "x");
    const options: SamplingOptions = { dryMultiplier: 1 };
    const [dry] = make(options, { tokenText, tokenize: () => [] }).entries;
    expect(dry).toEqual(["dry", 1, 1.75, 2, -1, [[5]]]);
    expect(failure(() => make(options)).code).toBe("model/no-tokenizer");
    expect(make({ ...options, drySequenceBreakers: [] }).entries[0][0]).toBe("dry");
  });

  it("takes a bias as a map or a record", () => {
    for (const logitBias of [new Map([[4, 100]]), { 4: 100 }])
      expect(make({ logitBias }).sample(logits, 0, 0)).toBe(4);
    const forbidden = Object.fromEntries(Array.from(logits, (_, id) => [id, -Infinity]));
    expect(failure(() => make({ logitBias: forbidden }).sample(logits, 0, 0)).code).toBe(
      "model/invalid",
    );
  });

  it.each([
    { temperature: Number.NaN },
    { topP: Infinity },
    { topK: 1.5 },
    { topK: "40" },
    { repeatLastN: -2 },
    { repeatPenalty: 0 },
    { mirostat: 3 },
    { seed: -2 },
    { seed: 2 ** 53 },
    { samplers: ["top_k", "best"] },
    { logitBias: [] },
  ])("refuses %j", (options) => {
    const [key] = Object.keys(options);
    const { code, key: named } = failure(() =>
      checkOptions(options as unknown as SamplingOptions, samplingRules),
    );
    expect(code).toBe("input/invalid");
    expect(named?.replace("[1]", "")).toBe(key);
  });

  it.each([
    { 500: 1 },
    { x: 1 },
    { 1: Number.NaN },
    { 1: Infinity },
    { 1: "2" },
    new Map([[Symbol("id"), 1]]),
  ])("refuses a bias that is %j", (logitBias) => {
    expect(failure(() => make({ logitBias } as unknown as SamplingOptions))).toEqual({
      code: "input/invalid",
      key: "logitBias",
    });
  });

  it("reads undefined as left out", () => {
    expect(make({ topK: undefined, seed: undefined }).entries).toEqual(make({}).entries);
  });
});

describe("deviceSampling", () => {
  const device = (options: SamplingOptions) => make({ seed: 9, ...options }).deviceSampling();
  const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 9 };

  it("carries temperature, top-k, top-p and min-p", () => {
    expect(device({})).toEqual({ temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05, seed: 9 });
    expect(device({ ...off, topK: 128 })).toEqual({ ...greedy, temperature: 1, topK: 128 });
    expect(device({ samplers: ["top_k", "temperature"] })).toEqual({
      ...greedy,
      temperature: 0.8,
      topK: 40,
    });
  });

  it("carries penalties that do not look far back", () => {
    const penalties = { lastN: 64, repeat: 1.1, frequency: 0, presence: 0.5 };
    const options = { repeatPenalty: 1.1, presencePenalty: 0.5 };
    expect(device(options)).toEqual({ ...device({}), penalties });
    expect(device({ ...options, temperature: 0 })).toEqual({ ...greedy, penalties });
    for (const [repeatLastN, lastN] of [
      [1024, 1024],
      [-1, context.contextLength],
    ])
      expect(device({ ...options, repeatLastN })?.penalties).toEqual({ ...penalties, lastN });
  });

  it("is greedy when nothing changes which token is the most likely", () => {
    expect(device({ temperature: 0 })).toEqual(greedy);
    expect(device({ temperature: 0, topNSigma: 1, minKeep: 3 })).toEqual(greedy);
    expect(device({ temperature: 0, samplers: ["temperature", "top_k"] })).toEqual(greedy);
    expect(device({ temperature: 0, mirostat: 1 })).toEqual(greedy);
  });

  it.each<SamplingOptions>([
    { topK: 0 },
    { topK: 129 },
    { samplers: ["top_p", "temperature"] },
    { repeatPenalty: 1.1, repeatLastN: 1025 },
    { repeatPenalty: 1.1, samplers: ["top_k", "penalties"] },
    { logitBias: { 1: 1 } },
    { typicalP: 0.9 },
    { topNSigma: 1 },
    { xtcProbability: 0.1 },
    { dynatempRange: 0.1 },
    { mirostat: 2 },
    { minKeep: 2 },
    { minKeep: 2, samplers: ["top_k", "top_p", "temperature"] },
    { minKeep: 2, samplers: ["top_k", "min_p", "temperature"] },
    { samplers: ["temperature", "top_k"] },
    { samplers: ["top_k", "top_k", "temperature"] },
    { temperature: 0, frequencyPenalty: 0.1, samplers: ["top_k", "penalties"] },
    { temperature: 0, frequencyPenalty: 0.1, repeatLastN: 1025 },
    { temperature: 0, typicalP: 0.9 },
    { temperature: 0, xtcProbability: 0.1 },
    { temperature: 0, dynatempRange: 0.1 },
  ])("leaves %j to the host", (options) => {
    expect(device(options)).toBe(undefined);
  });
});
