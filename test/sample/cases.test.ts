import { beforeAll, describe, expect, it } from "vitest";
import { checkSamplingCases, type SamplingCases } from "../conformance/sampling.ts";
import { fixture, fixtureJson } from "../fixture.ts";

describe("llama.cpp's sampler chains", () => {
  let cases: SamplingCases;
  const logits = new Map<string, Float32Array>();

  beforeAll(async () => {
    cases = await fixtureJson<SamplingCases>("reference/sampling/cases.json");
    for (const { logits: file } of cases.cases) {
      const bytes = await fixture(`reference/sampling/${file}`);
      logits.set(file, new Float32Array(bytes.slice().buffer));
    }
  });

  it("leave the same candidates with the same probabilities", () => {
    const checks = checkSamplingCases(cases, (file) => logits.get(file) as Float32Array);
    expect(checks.length).toBe(113);
    expect(checks.filter((check) => !check.pass)).toEqual([]);
  });

  it("would be noticed if a probability or a candidate differed", () => {
    const item = cases.cases[4]; // top_k 5
    const spoiled = (change: object): SamplingCases => ({
      ...cases,
      cases: [{ ...item, ...change }],
    });
    const [first, ...rest] = item.candidates;
    for (const change of [
      { chain: [["top_k", 6]] },
      { id_sum_positive: item.id_sum_positive + 1 },
      { candidates: [{ ...first, p: first.p * 1.001 }, ...rest] },
    ]) {
      const checks = checkSamplingCases(spoiled(change), (file) => logits.get(file)!);
      expect(checks[0].pass).toBe(false);
    }
  });
});
