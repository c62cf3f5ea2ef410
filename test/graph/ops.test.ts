/** The op table against a second opinion: the fields of every op of all families. */
import { describe, expect, it } from "vitest";
import type { Op } from "../../src/graph/ops.ts";
import { inputsOf, matricesOf, tensorsOf, vectorsOf } from "../../src/graph/ops.ts";
import { buildGraph } from "../../src/models/index.ts";
import { familyFile, headers } from "../models/headers.ts";

/** Fields that hold a value where they are numbers. */
const valueFields = "x a b c dt q k v g beta gate up logits route r w".split(" ");

function valuesIn(op: Op): number[] {
  const fields = Object.entries(op).filter(([key]) => valueFields.includes(key));
  const parts = op.op === "concat" ? op.parts : [];
  return [
    ...fields.map(([, value]) => value).filter((value) => typeof value === "number"),
    ...parts,
  ];
}

/** Every text anywhere in an op. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

describe("the op table", () => {
  it.each(Object.keys(headers))("names all values and tensors of each op of %s", (name) => {
    const file = familyFile(name);
    const { ops } = buildGraph(file, { contextLength: 64 });
    for (const op of ops) {
      expect(inputsOf(op).sort(), op.op).toEqual(valuesIn(op).sort());
      // A name is for people, and may be a tensor's.
      const mentioned = textsIn({ ...op, name: "" }).filter((one) => file.tensors.has(one));
      expect(tensorsOf(op).sort(), op.op).toEqual(mentioned.sort());
    }
  });

  it("reads products and tables by rows, all else element by element", () => {
    const { ops } = buildGraph(familyFile("gpt-oss"), { contextLength: 64 });
    const byRows = new Set(ops.filter((op) => matricesOf(op).length > 0).map((op) => op.op));
    expect([...byRows].sort()).toEqual(["embed", "linear", "moeLinear"]);
    const linear = ops.find((op) => op.op === "moeLinear");
    expect(linear && vectorsOf(linear)).toEqual([expect.stringMatching(/\.bias$/)]);
  });
});
