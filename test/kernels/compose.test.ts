import { describe, expect, it } from "vitest";
import { tableOffsets } from "../../src/file/tables.ts";
import { compose } from "../../src/kernels/compose.ts";
import { wgsl } from "../../wgsl/mod.ts";

const count = (text: string, part: string): number => text.split(part).length - 1;

describe("compose", () => {
  it("puts what a snippet needs in front of it, once", () => {
    const text = compose({
      snippets: ["quant/q4_k", "quant/q4_k", "lib/bytes"],
      kernel: "dequant",
    });
    const places = ["fn load_u8", "fn scales_k4", "fn decode(", "fn store_run(", "fn main("].map(
      (part) => {
        expect([part, count(text, part)]).toEqual([part, 1]);
        return text.indexOf(part);
      },
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });
  it("puts enables first, then constants", () => {
    const text = compose({
      enables: ["f16", "subgroups"],
      consts: { ROWS: 4, GATED: false },
      snippets: ["quant/f32"],
      kernel: "dequant",
    });
    expect(
      text.startsWith("enable f16;\nenable subgroups;\nconst ROWS = 4;\nconst GATED = false;\n"),
    ).toBe(true);
  });
  it("gives lookup tables their places", () => {
    const text = compose({ snippets: ["quant/iq3_s"], kernel: "dequant" });
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

describe("the files of wgsl/", () => {
  it("need only files that exist", () => {
    for (const name of Object.keys(wgsl))
      expect(compose({ snippets: [], kernel: name })).toContain(wgsl[name]);
  });
  it("end with a line break and have no trailing spaces", () => {
    for (const [name, text] of Object.entries(wgsl)) {
      expect([name, text.endsWith("\n"), /[ \t]\n/.test(text)]).toEqual([name, true, false]);
    }
  });
});
