import { describe, expect, it } from "vitest";
import { logprobs, logSumExp } from "../../src/sample/logprobs.ts";
import { normal } from "./numbers.ts";

describe("logprobs", () => {
  it("is a log-softmax", () => {
    const logits = Float32Array.from([1, 3, 2, 3]);
    const sum = Math.log(Math.exp(1) + 2 * Math.exp(3) + Math.exp(2));
    const { logprob, top } = logprobs(logits, 2, 3);
    expect(logprob).toBeCloseTo(2 - sum, 12);
    expect(top.map(({ token }) => token)).toEqual([1, 3, 2]);
    expect(top[0].logprob).toBeCloseTo(3 - sum, 12);
    expect(logSumExp(logits)).toBeCloseTo(sum, 12);
    expect(logprobs(logits, 0, 0).top).toEqual([]);
    expect(logprobs(logits, 0, 99).top.length).toBe(4);
  });

  it("does not overflow, and an impossible token has -Infinity", () => {
    const logits = Float32Array.from([1e38, 1e38, -Infinity]);
    expect(logprobs(logits, 0, 1).logprob).toBeCloseTo(-Math.LN2, 12);
    expect(logprobs(logits, 2, 0).logprob).toBe(-Infinity);
  });

  it("sums to one over a large vocabulary", () => {
    const logits = normal(50000, 8);
    const { top } = logprobs(logits, 0, logits.length);
    const sum = top.reduce((total, { logprob }) => total + Math.exp(logprob), 0);
    expect(sum).toBeCloseTo(1, 12);
  });
});
