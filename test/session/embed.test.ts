import { describe, expect, it } from "vitest";
import { pool } from "../../src/session/embed.ts";

const rows = Float32Array.of(3, 4, 0, 2, 0, 0);
const close = (actual: Float32Array, expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, 6);
  });
};

describe("pooling", () => {
  it("takes the mean, the first or the last row, scaled to length 1", () => {
    const mean = Math.hypot(1, 2);
    close(pool(rows, 3, "mean"), [1 / mean, 2 / mean]);
    close(pool(rows, 3, "cls"), [0.6, 0.8]);
    close(pool(rows.subarray(0, 4), 2, "last"), [0, 1]);
  });

  it("leaves scores as they are, and a zero row zero", () => {
    close(pool(Float32Array.of(-2.5, 7), 1, "rank"), [-2.5, 7]);
    close(pool(rows, 3, "last"), [0, 0]);
  });

  it("takes scores from the first row, and shares of one from the last", () => {
    const scores = Float32Array.of(5, -5, 0, Math.log(3));
    close(pool(scores, 2, "rank"), [5, -5]);
    close(pool(scores, 2, "rankLast"), [0.25, 0.75]);
    close(pool(Float32Array.of(9, -4), 2, "rankLast"), [-4]);
  });

  it("gives every row without pooling", () => {
    close(pool(rows, 3, "none"), [0.6, 0.8, 0, 1, 0, 0]);
  });

  it("does not change its input", () => {
    const copy = rows.slice();
    pool(rows, 3, "mean");
    pool(rows, 3, "none");
    expect(rows).toEqual(copy);
  });
});
