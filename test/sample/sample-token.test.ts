import { describe, expect, it } from "vitest";
import { createCandidates, loadLogits } from "../../src/sample/candidates.ts";
import { sampleToken } from "../../src/sample/sample-token.ts";
import { topK } from "../../src/sample/top-k.ts";
import { failure, normal, sortedPositions } from "./numbers.ts";

function candidates(logits: ArrayLike<number>) {
  const c = createCandidates(logits.length);
  loadLogits(c, Float32Array.from(logits));
  return c;
}

describe("sampleToken", () => {
  it("walks down the probabilities, equal ones by id", () => {
    const logits = [Math.log(1), Math.log(4), Math.log(2), Math.log(1)];
    const tokens = [0, 0.49, 0.51, 0.74, 0.76, 0.87, 0.88, 1 - 2 ** -24].map(
      (u) => sampleToken(candidates(logits), u).token,
    );
    expect(tokens).toEqual([1, 1, 2, 2, 0, 0, 3, 3]);
    expect(sampleToken(candidates(logits), 0.6).probability).toBeCloseTo(0.25, 6);
  });

  it("follows its definition for a large vocabulary, sorted or not", () => {
    const logits = normal(30000, 3, 1);
    const order = sortedPositions(logits);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    for (const u of [0, 1e-4, 0.05, 0.3, 0.5, 0.9, 0.999, 1 - 2 ** -24]) {
      let running = 0;
      const expected = order.find((id) => (running += Math.exp(logits[id])) > u * sum);
      expect(sampleToken(candidates(logits), u).token).toBe(expected);
      const sorted = candidates(logits);
      topK(sorted, logits.length);
      expect(sampleToken(sorted, u).token).toBe(expected);
    }
  });

  it("never samples an impossible token", () => {
    const logits = new Float32Array(1000).fill(-Infinity);
    logits[700] = -3;
    logits[800] = Number.NaN;
    for (const u of [0, 0.5, 1 - 2 ** -24])
      expect(sampleToken(candidates(logits), u)).toEqual({ token: 700, probability: 1 });
  });

  it("takes infinite logits for certain", () => {
    expect(sampleToken(candidates([0, Infinity, 3, Infinity]), 0.75)).toEqual({
      token: 3,
      probability: 0.5,
    });
  });

  it("refuses when nothing is possible", () => {
    for (const logits of [
      [-Infinity, -Infinity],
      [Number.NaN, Number.NaN],
    ])
      expect(failure(() => sampleToken(candidates(logits), 0.5)).code).toBe("model/invalid");
  });
});
