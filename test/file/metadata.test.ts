import { describe, expect, it } from "vitest";
import type { MetadataValue } from "../../src/file/metadata.ts";
import { Metadata } from "../../src/file/metadata.ts";

const values: [string, MetadataValue][] = [
  ["number", 7],
  ["real", 0.5],
  ["negative", -1],
  ["bigint", 2n ** 60n],
  ["string", "text\nof two lines"],
  ["boolean", true],
  ["no", false],
  ["strings", ["a", "b"]],
  ["booleans", [true, false, true]],
  ["numbers", Int32Array.of(1, 2, 3)],
  ["bigints", BigUint64Array.of(1n, 2n)],
  ["empty", []],
];
const metadata = new Metadata("model.gguf", new Map(values));
const refused = { code: "model/invalid", file: "model.gguf" };

/** What a call throws. */
function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("Metadata", () => {
  it("gives values of the type that is asked for", () => {
    expect(metadata.number("real")).toBe(0.5);
    expect(metadata.integer("number")).toBe(7);
    expect(metadata.integer("negative", undefined, -1)).toBe(-1);
    expect(metadata.string("string")).toBe("text\nof two lines");
    expect(metadata.boolean("boolean")).toBe(true);
    expect(metadata.strings("strings")).toEqual(["a", "b"]);
    expect(metadata.strings("empty")).toEqual([]);
    expect([...Array.from(metadata.numbers("numbers"))]).toEqual([1, 2, 3]);
    expect(metadata.numbers("bigints")).toEqual([1, 2]);
    expect(metadata.numbers("booleans")).toEqual([1, 0, 1]);
    expect([metadata.size, metadata.has("real"), metadata.get("none")]).toEqual([
      values.length,
      true,
      undefined,
    ]);
    expect([...metadata]).toEqual(values);
  });

  it("gives fallbacks for keys that are missing, and only for those", () => {
    expect(metadata.number("none", 1.5)).toBe(1.5);
    expect(metadata.integer("none", -3)).toBe(-3);
    expect(metadata.string("none", "x")).toBe("x");
    expect(metadata.boolean("none", false)).toBe(false);
    expect(metadata.strings("none", [])).toEqual([]);
    expect(metadata.numbers("none", [4])).toEqual([4]);
    const wrong = [
      () => metadata.number("string", 1),
      () => metadata.integer("real", 1),
      () => metadata.string("number", "x"),
      () => metadata.boolean("number", false),
      () => metadata.strings("numbers", []),
      () => metadata.numbers("strings", []),
    ];
    for (const act of wrong) expect(thrown(act)).toMatchObject(refused);
  });

  it("takes whole numbers below 2^31", () => {
    const of = (value: number): Metadata => new Metadata("model.gguf", new Map([["n", value]]));
    expect(of(2 ** 31 - 1).integer("n")).toBe(2 ** 31 - 1);
    expect(thrown(() => of(2 ** 31).integer("n"))).toMatchObject(refused);
    expect(of(0).integer("n")).toBe(0);
  });

  it("spreads one value over all layers, or takes one a layer", () => {
    expect(metadata.perLayer("number", 2)).toEqual([7, 7]);
    expect(metadata.perLayer("boolean", 2)).toEqual([1, 1]);
    expect(metadata.perLayer("no", 2)).toEqual([0, 0]);
    expect(metadata.perLayer("none", 2, 9)).toEqual([9, 9]);
    expect(metadata.perLayer("numbers", 2)).toEqual([1, 2]);
    expect(thrown(() => metadata.perLayer("numbers", 4))).toMatchObject(refused);
  });

  it("names the key, what it is and what was expected, on one line", () => {
    const wrong: [string, () => unknown][] = [
      ["none", () => metadata.number("none")],
      ["real", () => metadata.integer("real")],
      ["negative", () => metadata.integer("negative")],
      ["bigint", () => metadata.integer("bigint")],
      ["number", () => metadata.string("number")],
      ["number", () => metadata.boolean("number")],
      ["numbers", () => metadata.strings("numbers")],
      ["strings", () => metadata.numbers("strings")],
      ["string", () => metadata.number("string")],
    ];
    for (const [key, act] of wrong) {
      const error = thrown(act) as Error;
      expect(error).toMatchObject({ ...refused, key });
      expect(error.message).toContain(`"${key}"`);
      expect(error.message.includes("\n")).toBe(false);
    }
  });

  it("keeps messages short where values are long", () => {
    const long = new Metadata("m", new Map([["template", "x".repeat(100_000)]]));
    const error = thrown(() => long.number("template")) as Error;
    expect(error.message.length < 300).toBe(true);
  });
});
