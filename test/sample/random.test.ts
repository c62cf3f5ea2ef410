import { describe, expect, it } from "vitest";
import { philox, randomSeed, tokenStream, uniform, xtcStream } from "../../src/sample/random.ts";

const hex = (words: readonly number[]) =>
  words.map((word) => word.toString(16).padStart(8, "0")).join(" ");

describe("philox", () => {
  it("gives the published vectors of Philox-4x32-10", () => {
    expect(hex(philox([0, 0, 0, 0], [0, 0]))).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
    const ones = 0xffffffff;
    expect(hex(philox([ones, ones, ones, ones], [ones, ones]))).toBe(
      "408f276d 41c83b0e a20bc7c6 6d5451fd",
    );
    const pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const;
    expect(hex(philox(pi, [0xa4093822, 0x299f31d0]))).toBe("d16cfe09 94fdcceb 5001e420 24126ea1");
  });

  it("multiplies as 64-bit integers do", () => {
    const mask = (1n << 32n) - 1n;
    const exact = (counter: readonly number[], key: readonly number[]) => {
      let [c0, c1, c2, c3] = counter.map(BigInt);
      let [k0, k1] = key.map(BigInt);
      for (let round = 0; round < 10; round++) {
        const p = 0xd2511f53n * c0;
        const q = 0xcd9e8d57n * c2;
        [c0, c1, c2, c3] = [(q >> 32n) ^ c1 ^ k0, q & mask, (p >> 32n) ^ c3 ^ k1, p & mask];
        k0 = (k0 + 0x9e3779b9n) & mask;
        k1 = (k1 + 0xbb67ae85n) & mask;
      }
      return [c0, c1, c2, c3].map(Number);
    };
    let state = [1, 2, 3, 4] as [number, number, number, number];
    for (let i = 0; i < 2000; i++) {
      const key: [number, number] = [state[3], state[2]];
      const next = philox(state, key);
      expect(next).toEqual(exact(state, key));
      state = next;
    }
  });
});

describe("uniform", () => {
  it("does not change from one version to the next", () => {
    // The same seed must give the same text: these numbers are a promise.
    const u24 = (seed: number, sequence: number, step: number, stream?: 0 | 1) =>
      uniform(seed, sequence, step, stream) * 2 ** 24;
    expect(u24(0, 0, 0)).toBe(0x6627e8);
    expect(u24(42, 0, 0)).toBe(philox([0, 0, 0, 0], [42, 0])[0] >>> 8);
    expect(u24(42, 3, 7, xtcStream)).toBe(philox([7, 3, 1, 0], [42, 0])[0] >>> 8);
    expect(u24(2 ** 53 - 1, 0, 1)).toBe(philox([1, 0, 0, 0], [0xffffffff, 0x1fffff])[0] >>> 8);
  });

  it("lies in [0, 1) and is exact in f32", () => {
    for (let step = 0; step < 10000; step++) {
      const u = uniform(7, 0, step);
      expect(u >= 0 && u < 1 && Math.fround(u) === u).toBe(true);
    }
  });

  it("is uniform over steps, sequences and seeds, and the streams are independent", () => {
    const n = 64000;
    const walks: ((i: number) => number)[] = [
      (i) => uniform(1, 0, i),
      (i) => uniform(1, i, 0),
      (i) => uniform(i, 0, 0),
      (i) => uniform(i * 2 ** 32, 0, 0),
      (i) => uniform(1, 0, i, xtcStream),
    ];
    for (const walk of walks) {
      const bins = new Float64Array(64);
      for (let i = 0; i < n; i++) bins[Math.floor(walk(i) * 64)]++;
      const expected = n / 64;
      const chi2 = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // 63 degrees of freedom: mean 63, standard deviation 11.2; the walks are fixed.
      expect(chi2).toBeGreaterThan(25);
      expect(chi2).toBeLessThan(115);
    }
    for (const other of [
      (i: number) => uniform(1, 0, i, xtcStream),
      (i: number) => uniform(1, 0, i + 1),
      (i: number) => uniform(1, 1, i),
      (i: number) => uniform(2, 0, i),
    ]) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += (uniform(1, 0, i, tokenStream) - 0.5) * (other(i) - 0.5);
      expect(Math.abs((12 * sum) / n)).toBeLessThan(4 / Math.sqrt(n)); // correlation
    }
  });
});

describe("randomSeed", () => {
  it("is an unsigned 32-bit integer, and hardly twice the same", () => {
    const seeds = Array.from({ length: 8 }, randomSeed);
    for (const seed of seeds) expect(seed).toBe(seed >>> 0);
    expect(new Set(seeds).size).toBeGreaterThan(1);
  });
});
