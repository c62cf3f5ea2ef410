import { describe, expect, it } from "vitest";
import { quantizeCases } from "../conformance/quantize.ts";
import { fixture } from "../fixture.ts";

const cases = await quantizeCases(
  (path) => fixture(`reference/${path}`),
  (path) => fixture(`tiny-model/${path}`),
);
const setup = { device: "cpu", precision: "f32", make: () => Promise.reject() } as const;

describe("quantising is llama.cpp's, byte for byte", () => {
  it("has every type, recipes of three models and whole files", () => {
    expect(cases.filter(({ name }) => !/-|imatrix/.test(name))).toHaveLength(27);
    expect(cases.filter(({ name }) => /recipes-/.test(name))).toHaveLength(3);
    expect(cases.filter(({ name }) => /tiny-model-/.test(name))).toHaveLength(4);
  });
  it.each(cases)("$name", async (one) => {
    const outcomes = await one.run(setup);
    expect(outcomes.length).toBeGreaterThan(0);
    expect(outcomes.filter(({ pass }) => !pass)).toEqual([]);
  });
});
