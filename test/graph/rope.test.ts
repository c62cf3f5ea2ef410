import { describe, expect, it } from "vitest";
import type { RopeTable } from "../../src/graph/ops.ts";
import {
  pairComponents,
  ropeAngles,
  ropeFrequencies,
  ropeMagnitude,
  tokenAngles,
} from "../../src/graph/rope.ts";

const plain: RopeTable = {
  rotated: 8,
  base: 10000,
  freqScale: 1,
  extFactor: 0,
  attnFactor: 1,
  betaFast: 32,
  betaSlow: 1,
  originalContext: 4096,
};

describe("rope tables", () => {
  it("turn pair i by base^(−2i / rotated)", () => {
    const frequencies = [...ropeFrequencies(plain)];
    [1, 0.1, 0.01, 0.001].forEach((value, i) => expect(frequencies[i]).toBeCloseTo(value, 15));
  });

  it("hold cos and sin of each position", () => {
    const angles = ropeAngles(plain, 2, undefined, 3);
    expect(angles.length).toBe(16);
    expect(angles[8]).toBe(Math.fround(Math.cos(4)));
    expect(angles[9]).toBe(Math.fround(Math.sin(4)));
    expect(angles[2]).toBe(Math.fround(Math.cos(3 * 10000 ** -0.25)));
  });

  it("scale linearly and divide by factors", () => {
    const scaled = ropeFrequencies({ ...plain, freqScale: 0.25 }, [1, 2, 4, 8]);
    expect(scaled[0]).toBeCloseTo(0.25, 15);
    expect(scaled[3]).toBeCloseTo(0.001 / 32, 15);
  });

  it("keep fast pairs and interpolate slow ones under YaRN", () => {
    const yarn = { ...plain, rotated: 64, freqScale: 0.25, extFactor: 1, originalContext: 4096 };
    const [mixed, whole] = [ropeFrequencies(yarn), ropeFrequencies({ ...plain, rotated: 64 })];
    expect(mixed[0]).toBeCloseTo(whole[0], 15);
    expect(mixed[31] / whole[31]).toBeCloseTo(0.25, 12);
    expect(ropeMagnitude(yarn)).toBeCloseTo(1 + 0.1 * Math.log(4), 12);
  });

  it("give sections to position components, in runs or in turn", () => {
    const sections = [2, 1, 1, 0];
    expect([...pairComponents({ ...plain, sections })]).toEqual([0, 0, 1, 2]);
    expect([...pairComponents({ ...plain, sections, interleaved: true })]).toEqual([0, 1, 2, 0]);
    const three = { ...plain, rotated: 12, sections: [1, 2, 0, 3], interleaved: true };
    expect([...pairComponents(three)]).toEqual([0, 1, 3, 3, 1, 3]);
    expect([...pairComponents(plain)]).toEqual([0, 0, 0, 0]);
  });

  it("leave pairs of the fourth component unturned for tokens", () => {
    const three = { ...plain, rotated: 12, sections: [1, 2, 0, 3], interleaved: true };
    const [all, tokens] = [ropeAngles(three, 5), tokenAngles(three, 5)];
    pairComponents(three).forEach((component, pair) => {
      const at = 4 * 12 + 2 * pair;
      const expected = component === 3 ? [1, 0] : [all[at], all[at + 1]];
      expect([tokens[at], tokens[at + 1]]).toEqual(expected);
    });
    expect(tokenAngles(plain, 5)).toEqual(ropeAngles(plain, 5));
  });
});
