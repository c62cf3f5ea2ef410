import { describe, expect, it } from "vitest";
import { createOrderScratch, topOrder } from "../../src/sample/order.ts";
import { uniform } from "../../src/sample/random.ts";
import { normal, sortedPositions } from "./numbers.ts";

describe("topOrder", () => {
  const scratch = createOrderScratch(20000);
  const check = (values: Float32Array) => {
    const sorted = sortedPositions(values);
    for (const k of [1, 2, 7, values.length - 1, values.length, values.length + 5])
      expect(Array.from(topOrder(values, values.length, k, scratch))).toEqual(
        sorted.slice(0, Math.max(0, k)),
      );
  };

  it("equals a sort, ties by index", () => {
    for (const size of [2, 3, 40, 1000, 20000]) {
      check(normal(size, size));
      check(normal(size, size).map((x) => Math.round(x))); // many ties
      check(normal(size, size).map((x) => 5 + x * 1e-4)); // one histogram bucket
      check(new Float32Array(size));
    }
  });

  it("orders zeros of both signs, infinities and denormals", () => {
    const values = [0, -0, 1e-45, -1e-45, Infinity, -Infinity, 3.4e38, -3.4e38, -0, 0, Infinity];
    check(new Float32Array(values));
  });

  it("looks at the first `size` values only and leaves the input alone", () => {
    const values = new Float32Array([1, 3, 2, 9]);
    expect(Array.from(topOrder(values, 3, 2, scratch))).toEqual([1, 2]);
    expect(Array.from(values)).toEqual([1, 3, 2, 9]);
  });

  it("takes random bit patterns", () => {
    const bits = Uint32Array.from({ length: 5000 }, (_, i) => uniform(5, 0, i) * 2 ** 32);
    check(new Float32Array(bits.buffer).map((x) => (Number.isNaN(x) ? 0 : x)));
  });
});
