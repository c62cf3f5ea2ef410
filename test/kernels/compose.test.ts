import { describe, expect, it } from "vitest";
import { tableOffsets } from "../../src/file/tables.ts";
import { compose, sourceOf } from "../../src/kernels/compose.ts";
import { wgsl } from "../../wgsl/mod.ts";

const count = (text: string, part: string): number => text.split(part).length - 1;

describe("compose", () => {
  it("puts what a snippet needs in front of it, once", () => {
    const text = compose({
      snippets: ["quant/q4_k", "quant/q4_k", "lib/quads"],
      kernel: "dequant",
    });
    const places = ["alias Word", "fn scales_k4", "fn decode(", "fn store_run(", "fn main("].map(
      (part) => {
        expect([part, count(text, part)]).toEqual([part, 1]);
        return text.indexOf(part);
      },
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });
  it("puts the extensions that files enable first, then constants", () => {
    const text = compose({
      consts: { ROWS: 4, GATED: false, KIND: "L2_NORM" },
      snippets: ["quant/f32", "lib/lanes-subgroup"],
      kernel: "dequant",
    });
    const front = [
      "enable subgroups;",
      "const ROWS = 4u;",
      "const GATED = false;",
      "const KIND = L2_NORM;",
      "",
    ];
    expect(text.startsWith(front.join("\n"))).toBe(true);
    expect(count(text, "enable")).toBe(1);
  });
  it("gives lookup tables their places", () => {
    const text = compose({ snippets: ["quant/iq3_s", "lib/products-quarters"], kernel: "dequant" });
    expect(text).toContain(`const TABLE_IQ3_S = ${tableOffsets.IQ3_S}u;`);
    expect(count(text, "const TABLE_")).toBe(1);
  });
  it("names a file that does not exist and who needs it", () => {
    expect(() => compose({ snippets: ["quant/none"], kernel: "dequant" })).toThrow(
      "no file quant/none.wgsl",
    );
    expect(() => compose({ snippets: [], kernel: "toString" })).toThrow("no file toString.wgsl");
  });
});

describe("loops marked @unroll", () => {
  const of = (consts: Record<string, number | boolean>): string =>
    compose({ kernel: "matvec", snippets: ["quant/q4_k", "lib/products-quarters"], consts });
  const consts = { ROWS: 2, WEIGHT_ROWS: 4, PARTS: 2 };
  const loops = of(consts);
  const flat = of({ ...consts, UNROLL: true });

  it("are loops without UNROLL, and written out with it", () => {
    expect(loops + flat).not.toContain("@unroll");
    for (const name of ["ROWS", "WEIGHT_ROWS", "OUTS"]) {
      expect(loops).toMatch(new RegExp(`for\\(var \\w=0u;\\w < ${name};`));
      expect(flat).not.toMatch(new RegExp(`for\\(var \\w=0u;\\w < ${name};`));
    }
    // Outputs are rows of W over parts; rows of x hold both.
    expect(count(flat, "finish(row,params.first+first+i,sum,inv)")).toBe(2);
    expect(count(flat, "reduce_row(r,first,thread,sums[r])")).toBe(2);
    for (const bracket of ["{", "}"])
      expect(count(flat, bracket)).toBe(count(flat, bracket === "{" ? "}" : "{"));
  });
  it("need a count that is constant", () => {
    expect(() => of({ UNROLL: true })).toThrow("WEIGHT_ROWS is no constant");
  });
  it("keep every line's number", () => {
    expect(flat.split("\n").length).toBe(loops.split("\n").length + 1);
  });
});

describe.each([false, true])("sourceOf, UNROLL %s", (unroll) => {
  const parts = {
    kernel: "matvec",
    snippets: ["quant/iq3_s", "lib/products-quarters"],
    consts: { WG: 64, LANES: 8, ROWS: 2, WEIGHT_ROWS: 2, PARTS: 1, UNROLL: unroll },
  };
  const lines = compose(parts).split("\n");

  it("finds each line of a shader in its file, and nothing else", () => {
    const met = new Set<string>();
    lines.slice(0, -1).forEach((line, i) => {
      const source = sourceOf(parts, i + 1);
      const [, name, at] = /^wgsl\/(.+)\.wgsl:(\d+)$/.exec(source) ?? [];
      if (name === undefined) {
        expect(line).toMatch(/^const (WG|LANES|ROWS|WEIGHT_ROWS|PARTS|UNROLL|TABLE_IQ3_S) = /);
        return;
      }
      met.add(name);
      const own = wgsl[name].text.split("\n")[Number(at) - 1];
      // A loop that is written out is blocks in its place, of which all but the first stand on its last line.
      if (!unroll) expect([source, line]).toEqual([source, own.replaceAll("@unroll ", "")]);
      else if (!own.includes("@unroll"))
        expect([source, line.startsWith(own)]).toEqual([source, true]);
    });
    expect([...met]).toEqual(expect.arrayContaining(["lib/step", "quant/iq3_s", "matvec"]));
    expect(sourceOf(parts, 1)).toBe("the constants in front");
    expect(sourceOf(parts, lines.length)).toBe("the end");
  });
});

describe("the files of wgsl/", () => {
  it("need only files that exist", () => {
    for (const name of Object.keys(wgsl))
      expect(compose({ snippets: [], kernel: name })).toContain(
        wgsl[name].text.replaceAll("@unroll ", ""),
      );
  });
  it("end with a line break and have no trailing spaces", () => {
    for (const [name, { text }] of Object.entries(wgsl)) {
      expect([name, text.endsWith("\n"), /[ \t]\n/.test(text)]).toEqual([name, true, false]);
    }
  });
});
