import { describe, expect, it } from "vitest";
import { floatToHalf, halfToFloat } from "../../src/base/half.ts";

describe("binary16", () => {
  it("goes there and back for every bit pattern that is a number", () => {
    for (let half = 0; half < 0x10000; half++) {
      const value = halfToFloat(half);
      if (!Number.isNaN(value) && floatToHalf(value) !== half) throw new Error(`${half}`);
    }
    expect(Number.isNaN(halfToFloat(0x7e00))).toBe(true);
    expect(halfToFloat(floatToHalf(Number.NaN))).toBe(Number.NaN);
  });

  it("rounds to the nearest, ties to even", () => {
    const cases: [number, number][] = [
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [1 + 2 ** -11 + 2 ** -20, 0x3c01],
      [65504, 0x7bff],
      [65519, 0x7bff],
      [65520, 0x7c00],
      [1e30, 0x7c00],
      [-Number.POSITIVE_INFINITY, 0xfc00],
      [2 ** -24, 1],
      [2 ** -25, 0],
      [3 * 2 ** -25, 2],
      [1.5 * 2 ** -25, 1],
      [2 ** -14 - 2 ** -26, 0x0400],
      [-0, 0x8000],
    ];
    for (const [value, half] of cases) expect(floatToHalf(value)).toBe(half);
  });
});
