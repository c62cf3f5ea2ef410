import { describe, expect, it } from "vitest";
import { DecodedMatrix } from "../../src/cpu/matrix.ts";
import { activate } from "../../src/cpu/ops/activation.ts";
import { attended, attention } from "../../src/cpu/ops/attention.ts";
import { conv, shift } from "../../src/cpu/ops/conv.ts";
import { concat, slice } from "../../src/cpu/ops/layout.ts";
import { headLinear, rowDot } from "../../src/cpu/ops/linear.ts";
import { moeRoute, moeScale, moeSum } from "../../src/cpu/ops/moe.ts";
import { layerNorm, rmsNorm } from "../../src/cpu/ops/norm.ts";
import { alibiSlope } from "../../src/graph/alibi.ts";

const floats = (...values: number[]): Float32Array => Float32Array.from(values);

describe("activations", () => {
  it("know the error function", () => {
    // Φ(x) · x, from tables of the normal distribution.
    const table = [
      [-3, -0.00404969409],
      [-1, -0.158655254],
      [0.5, 0.345731231],
      [2, 1.95449974],
      [6, 5.99999999],
    ];
    for (const [x, y] of table) expect(activate("geluErf", x)).toBeCloseTo(y, 8);
    // Both formulas of erf meet at 2.5, that is x = 2.5·√2.
    const border = 2.5 * Math.SQRT2;
    const [below, above] = [border - 1e-9, border + 1e-9].map((x) => activate("geluErf", x));
    expect(above - below).toBeCloseTo(2e-9, 10);
  });

  it("are what their names say", () => {
    expect(activate("silu", 1)).toBeCloseTo(0.731058579, 8);
    expect(activate("gelu", 1)).toBeCloseTo(0.841191991, 8);
    expect(activate("relu2", -3)).toBe(0);
    expect(activate("relu2", 3)).toBe(9);
    expect(activate("softplus", 50)).toBe(50);
    expect(activate("negExp", 0)).toBe(-1);
    expect(activate("xielu", 2, [0.8, 0.7, 0.5, -1e-6])).toBeCloseTo(0.7 * 4 + 0.5 * 2, 12);
  });
});

describe("attention", () => {
  const sliding = { window: 4, windowKind: "sliding", causal: true } as const;

  it("sees its window", () => {
    expect(attended(9, 10, sliding)).toEqual([6, 10]);
    expect(attended(9, 10, { ...sliding, windowKind: "chunked" })).toEqual([8, 10]);
    expect(attended(4, 10, { ...sliding, windowKind: "symmetric", causal: false })).toEqual([2, 7]);
    expect(attended(4, 10, { ...sliding, window: 0, causal: false })).toEqual([0, 10]);
  });

  it("has ALiBi slopes for head counts that are no power of two", () => {
    const slopes = Array.from({ length: 6 }, (_, head) => alibiSlope(head, 6, 8));
    expect(slopes).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8, 2 ** -1, 2 ** -3]);
    expect(alibiSlope(3, 6, 0)).toBe(0);
  });

  it("lets a sink take its share", () => {
    const inputs = {
      keys: floats(0, 0),
      values: floats(1, 3),
      valueStride: 1,
      kvHeads: 1,
      keyWidth: 1,
      valueWidth: 1,
      heads: 1,
      scale: 1,
      softcap: 0,
      window: 0,
      windowKind: "sliding",
      alibi: 0,
      causal: true,
    } as const;
    expect([...attention(floats(5), 1, 2, inputs)]).toEqual([2]);
    const sinks = floats(Math.log(2));
    expect(attention(floats(5), 1, 2, { ...inputs, sinks })[0]).toBeCloseTo(1, 6);
  });
});

describe("routing", () => {
  const params = {
    experts: 4,
    used: 2,
    gate: "softmax",
    groups: 1,
    groupsUsed: 1,
    normalize: true,
    scale: 1,
  } as const;
  const logits = floats(1, 3, 3, 2);

  it("takes the lower of two equal experts first", () => {
    expect([...moeRoute(logits, params)]).toEqual([1, 2, 0.5, 0.5]);
  });
  it("chooses with the bias and weighs without it", () => {
    const route = moeRoute(logits, { ...params, gate: "none", scale: 2 }, floats(9, 0, 0, 0));
    expect([...route]).toEqual([0, 1, 0.5, 1.5]);
  });
  it("keeps the best groups only", () => {
    const grouped = {
      ...params,
      gate: "none",
      groups: 2,
      groupsUsed: 1,
      normalize: false,
    } as const;
    expect([...moeRoute(floats(4, 0, 3, 2), grouped)]).toEqual([2, 3, 3, 2]);
  });
  it("weighs what goes in or what comes out", () => {
    const route = floats(0, 3, 0.25, 0.75);
    expect([...moeScale(floats(4, 8), route, 2)]).toEqual([1, 2, 3, 6]);
    expect([...moeSum(floats(1, 2, 3, 4), route, 2, true)]).toEqual([2.5, 3.5]);
    expect([...moeSum(floats(1, 2, 3, 4), route, 2, false)]).toEqual([4, 6]);
  });
});

describe("the rest", () => {
  it("carries convolutions and shifts from call to call", () => {
    const weight = floats(1, 10, 100);
    const state = new Float32Array(2);
    expect([...conv(floats(1, 2), state, weight, 3)]).toEqual([100, 210]);
    expect([...conv(floats(3), state, weight, 3)]).toEqual([321]);
    const last = new Float32Array(2);
    expect([...shift(floats(1, 2, 3, 4), last)]).toEqual([0, 0, 1, 2]);
    expect([...shift(floats(5, 6), last)]).toEqual([3, 4]);
  });
  it("cuts and joins runs", () => {
    expect([...slice(floats(1, 2, 3, 4, 5, 6), 1, 1, 3)]).toEqual([2, 5]);
    expect([...concat([floats(1, 2), floats(3, 4, 5, 6)], 2)]).toEqual([1, 3, 4, 2, 5, 6]);
  });
  it("multiplies heads by their own matrices", () => {
    const weight = new DecodedMatrix(floats(1, 2, 3, 4), 1);
    expect([...headLinear(floats(10, 100), weight, 2, 2)]).toEqual([10, 20, 300, 400]);
    expect([...rowDot(floats(1, 2, 3, 4), floats(1, 1, 2, 2), 2)]).toEqual([3, 14]);
  });
  it("norms runs with weights of a run or of a row", () => {
    expect([...rmsNorm(floats(3, 4, 0, 5), floats(1, 2), 0, 2)].map((x) => x.toFixed(4))).toEqual([
      "0.8485",
      "2.2627",
      "0.0000",
      "2.8284",
    ]);
    const row = layerNorm(floats(1, 3, 5, 9), floats(1, 1, 2, 2), floats(0, 0, 1, 1), 0, 2);
    expect([...row]).toEqual([-1, 1, -1, 3]);
  });
});
