/**
 * Models whose layers lack parts or are gone through more than once, against a computation in double
 * precision.
 */
import { describe, expect, it } from "vitest";
import { random } from "../../bench/random-blocks.ts";
import { nmse } from "../conformance/archs.ts";
import { type DoubleLayer, doubleFile, doubleLogits, doubleModel, engineLogits } from "./double.ts";

const tokens = [3, 17, 0, 39, 17, 8, 25, 1, 12];
/** What float32 loses in a handful of layers. */
const bound = 1e-12;

const whole: DoubleLayer = { heads: 4, kvHeads: 2, inner: 48 };
const linear: DoubleLayer = { heads: 4, kvHeads: 0, inner: 24 };
const withoutAttention: DoubleLayer = { heads: 0, kvHeads: 0, inner: 48 };
const withoutFfn: DoubleLayer = { heads: 8, kvHeads: 1, inner: 0 };
const dummy: DoubleLayer = { heads: 0, kvHeads: 0, inner: 0 };
const kinds = [whole, linear, withoutAttention, withoutFfn, dummy];

describe("deci", () => {
  const cases: [string, DoubleLayer[]][] = [
    ["heads and widths by layer", [whole, { heads: 8, kvHeads: 8, inner: 16 }, whole]],
    ["a matrix in attention's place", [whole, linear]],
    ["a layer without attention", [whole, withoutAttention]],
    ["a layer without a feed-forward", [withoutFfn, whole]],
    ["a layer without anything", [whole, dummy, whole]],
    ["a thin first layer", [linear, whole]],
    ["an empty first layer", [dummy, whole]],
    ["no attention at all", [withoutAttention, linear]],
  ];
  it.each(cases)("computes %s", async (_, layers) => {
    const model = doubleModel(layers, 7);
    const file = await doubleFile(model, "deci");
    expect(nmse(await engineLogits(file, tokens), doubleLogits(model, tokens))).toBeLessThan(bound);
  });

  it("computes any mixture, in one step and token by token", async () => {
    const next = random(5);
    for (let seed = 1; seed <= 12; seed++) {
      const layers = Array.from({ length: 1 + (next() % 5) }, () => kinds[next() % kinds.length]);
      const model = doubleModel(layers, seed);
      const file = await doubleFile(model, "deci");
      const expected = doubleLogits(model, tokens);
      for (const piece of [tokens.length, 4, 1]) {
        const distance = nmse(await engineLogits(file, tokens, piece), expected);
        expect([layers, piece, distance < bound]).toEqual([layers, piece, true]);
      }
    }
  });
});

describe("nanbeige", () => {
  const model = doubleModel([whole, { ...whole, inner: 24 }], 11);

  it.each([
    ["once", 1, false],
    ["twice, normed in between", 2, false],
    ["three times as they are", 3, true],
  ])("goes through its layers %s", async (_, loops, plain) => {
    const more = { num_loops: loops, skip_loop_final_norm: plain };
    const file = await doubleFile(model, "nanbeige", more);
    const expected = doubleLogits(model, tokens, loops, !plain);
    for (const piece of [tokens.length, 1])
      expect(nmse(await engineLogits(file, tokens, piece), expected)).toBeLessThan(bound);
  });
});
