import { describe, expect, it } from "vitest";
import { type Candidates, createCandidates, loadLogits } from "../../src/sample/candidates.ts";
import { logitBias } from "../../src/sample/logit-bias.ts";
import { minP } from "../../src/sample/min-p.ts";
import { mirostat, mirostatV2, nextMu } from "../../src/sample/mirostat.ts";
import { penalize } from "../../src/sample/penalties.ts";
import { dynamicTemperature, temperature } from "../../src/sample/temperature.ts";
import { topK } from "../../src/sample/top-k.ts";
import { topNSigma } from "../../src/sample/top-n-sigma.ts";
import { topP } from "../../src/sample/top-p.ts";
import { typicalP } from "../../src/sample/typ-p.ts";
import { xtc } from "../../src/sample/xtc.ts";
import { normal, sortedPositions } from "./numbers.ts";

function candidates(logits: ArrayLike<number>): Candidates {
  const c = createCandidates(logits.length);
  loadLogits(c, Float32Array.from(logits));
  return c;
}
const ids = (c: Candidates) => Array.from(c.ids.subarray(0, c.size));
const logitsOf = (c: Candidates) => Array.from(c.logits.subarray(0, c.size));
const byId = (c: Candidates) => ids(c).sort((a, b) => a - b);
const logs = (...probabilities: number[]) => probabilities.map((p) => Math.log(p));

function probabilities(logits: ArrayLike<number>): number[] {
  const weights = Array.from(logits, (logit) => Math.exp(logit));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((w) => w / sum);
}

describe("large vocabularies", () => {
  const logits = normal(60000, 11, 1); // flat enough that thousands of candidates stay
  const p = probabilities(logits);
  const order = sortedPositions(logits);

  it.each([0.01, 0.2, 0.6, 0.95, 0.999999])("top-p %f equals a sorted sum", (threshold) => {
    const c = candidates(logits);
    topP(c, threshold, 1);
    let sum = 0;
    const count = order.findIndex((id) => (sum += p[id]) >= threshold) + 1;
    // One f32 probability of rounding at the border.
    expect(Math.abs(c.size - (count || order.length))).toBeLessThanOrEqual(2);
    expect(ids(c)).toEqual(order.slice(0, c.size));
  });

  it.each([0.01, 0.3, 0.9])("typical %f equals a sorted sum", (threshold) => {
    const c = candidates(logits);
    typicalP(c, threshold, 1);
    const entropy = -p.reduce((sum, x) => sum + x * Math.log(x), 0);
    const near = sortedPositions(p.map((x) => -Math.abs(Math.log(x) + entropy)));
    let sum = 0;
    const count = near.findIndex((id) => (sum += p[id]) > threshold) + 1;
    expect(Math.abs(c.size - count)).toBeLessThanOrEqual(2 + count / 1000);
    expect(ids(c)).toEqual(byId(c));
  });

  it("top-k equals a sort", () => {
    for (const k of [1, 40, 5000, 70000]) {
      const c = candidates(logits);
      topK(c, k);
      expect(ids(c)).toEqual(order.slice(0, k));
    }
  });
});

describe("ties", () => {
  it("go to the lower id, also after single logits were changed", () => {
    const c = candidates([1, 5, 5, 5, 2, 5]);
    topK(c, 5);
    expect(ids(c)).toEqual([1, 2, 3, 5, 4]);
    logitBias(c, [[4, 3]]);
    topK(c, 4);
    expect(ids(c)).toEqual([1, 2, 3, 4]);
  });
});

describe("top-p and min-p", () => {
  it("keep at least minKeep, and nothing changes at 1 and 0", () => {
    const c = candidates(logs(0.5, 0.3, 0.1, 0.1));
    topP(c, 1, 1);
    minP(c, 0, 1);
    expect(c.size).toBe(4);
    topP(c, 0.1, 2);
    expect(ids(c)).toEqual([0, 1]);
    const d = candidates(logs(0.1, 0.1, 0.5, 0.3));
    minP(d, 0.9, 3);
    expect(ids(d)).toEqual([2, 3, 0]);
    minP(d, 2, 0);
    expect(ids(d)).toEqual([2]);
  });

  it("keep the border itself", () => {
    const c = candidates(logs(0.25, 0.5, 0.25));
    minP(c, 0.5, 1);
    expect(ids(c)).toEqual([0, 1, 2]);
    topP(c, 0.5, 1);
    expect(ids(c)).toEqual([1]);
  });
});

describe("typical", () => {
  it("goes on until the probabilities are above p, not only equal to it", () => {
    const c = candidates(logs(0.25, 0.25, 0.25, 0.25));
    typicalP(c, 0.5, 1);
    expect(ids(c)).toEqual([0, 1, 2]);
  });
  it("keeps at least minKeep", () => {
    const c = candidates(logs(0.25, 0.25, 0.25, 0.25));
    typicalP(c, 0.1, 3);
    expect(ids(c)).toEqual([0, 1, 2]);
  });
  it("never keeps an impossible token while a possible one is left", () => {
    const c = candidates([1, -Infinity, 1, -Infinity]);
    typicalP(c, 0.9, 1);
    expect(ids(c)).toEqual([0, 2]);
  });
});

describe("top-n-sigma", () => {
  it("masks instead of dropping and does not count impossible tokens", () => {
    const c = candidates([4, 3, -4, -Infinity]);
    topNSigma(c, 1); // mean 1, deviation 3.56
    expect(logitsOf(c)).toEqual([4, 3, -Infinity, -Infinity]);
    const all = candidates([-Infinity, -Infinity]);
    topNSigma(all, 1);
    expect(logitsOf(all)).toEqual([-Infinity, -Infinity]);
  });
});

describe("xtc", () => {
  const always = () => 0;
  it("drops all likely tokens but the least likely, when the random number says so", () => {
    const c = candidates(logs(0.3, 0.05, 0.4, 0.25));
    xtc(c, 0.5, 0.2, 1, () => 0.51);
    expect(c.size).toBe(4);
    xtc(c, 0.5, 0.2, 1, () => 0.5);
    expect(byId(c)).toEqual([1, 3]);
  });

  it("needs two likely tokens, respects minKeep, and draws no number when off", () => {
    const c = candidates(logs(0.6, 0.3, 0.1));
    xtc(c, 1, 0.5, 1, always);
    xtc(c, 1, 0.2, 3, always);
    const never = () => {
      throw new Error("asked for a number");
    };
    xtc(c, 0, 0.1, 1, never);
    xtc(c, 1, 0.51, 1, never);
    expect(c.size).toBe(3);
  });

  it("of equal ones keeps the last, sorted or not", () => {
    const c = candidates([0, 0, 0, -9]);
    xtc(c, 1, 0.1, 1, always);
    expect(byId(c)).toEqual([2, 3]);
    const d = candidates([0, 0, 0, -9]);
    topK(d, 4);
    xtc(d, 1, 0.1, 1, always);
    expect(ids(d)).toEqual([2, 3]);
  });
});

describe("temperature", () => {
  it("divides, and at 0 leaves the first highest", () => {
    const c = candidates([1, 4, 4]);
    temperature(c, 2);
    expect(logitsOf(c)).toEqual([0.5, 2, 2]);
    temperature(c, 0);
    expect(logitsOf(c)).toEqual([-Infinity, 2, -Infinity]);
  });

  it("dynamic: a single candidate stays as it is", () => {
    const c = candidates([1, 3, 2]);
    topK(c, 1);
    dynamicTemperature(c, 1, 0.5, 1);
    expect([ids(c), logitsOf(c)]).toEqual([[1], [3]]);
  });
  it("dynamic: low for a certain, high for a uniform distribution", () => {
    const certain = candidates([100, 0, 0]);
    dynamicTemperature(certain, 1, 0.5, 1);
    expect(certain.logits[0]).toBeCloseTo(200, 2);
    const uniform = candidates([3, 3, 3]);
    dynamicTemperature(uniform, 1, 0.5, 1);
    expect(uniform.logits[0]).toBeCloseTo(2, 5);
    const plain = candidates([3, 1]);
    dynamicTemperature(plain, 2, 0, 1);
    expect(logitsOf(plain)).toEqual([1.5, 0.5]);
  });
});

describe("logit bias and penalties", () => {
  it("change single logits among dropped, sorted candidates", () => {
    const c = candidates([1, 2, 3, 4]);
    topK(c, 3);
    logitBias(c, [
      [0, 100],
      [3, -Infinity],
      [1, 0.5],
    ]);
    expect(ids(c)).toEqual([1, 2, 3]);
    expect(logitsOf(c)).toEqual([2.5, 3, -Infinity]);
  });

  it("repeat, frequency and presence", () => {
    const c = candidates([2, -2, 0, 5, -Infinity]);
    const counts = new Map([
      [0, 1],
      [1, 3],
      [2, 1],
      [4, 2],
    ]);
    penalize(c, counts, { repeat: 2, frequency: 0.5, presence: 0.25 });
    expect(logitsOf(c)).toEqual([0.25, -5.75, -0.75, 5, -Infinity]);
  });
});

describe("mirostat", () => {
  it("keeps one candidate at least", () => {
    for (const logits of [[0], [1, -Infinity], [0, 0], [9, 0, 0]])
      for (const mu of [-5, 0, 2, 40, 2000]) {
        const c = candidates(logits);
        mirostat(c, mu, logits.length, 100);
        expect(c.size).toBeGreaterThan(0);
        const d = candidates(logits);
        mirostatV2(d, mu);
        expect(d.size).toBeGreaterThan(0);
      }
  });

  it("version 2 keeps what surprises by at most mu bits", () => {
    const c = candidates(logs(0.5, 0.25, 0.2, 0.05));
    mirostatV2(c, 2.5);
    expect(ids(c)).toEqual([0, 1, 2]);
  });

  it("mu falls after a surprise and rises without", () => {
    expect(nextMu(10, 2 ** -7, 5, 0.1)).toBeCloseTo(9.8, 10);
    expect(nextMu(10, 1, 5, 0.1)).toBeCloseTo(10.5, 10);
  });
});
