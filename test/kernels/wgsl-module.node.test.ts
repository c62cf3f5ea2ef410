/** The generator of wgsl/mod.ts: what it makes of the files, and which files it refuses. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Files, narrow, wgslModule } from "../../scripts/wgsl-module.ts";
import { wgsl } from "../../wgsl/mod.ts";
import { root } from "../checks/sources.ts";
import { allCalls } from "../checks/variants.ts";

const text = (files: Readonly<Record<string, string>>): string =>
  wgslModule(new Map(Object.entries(files)));

const copy = `// needs: lib/a
// copy.wgsl: an example.
struct Params {
  width: u32, // of a row
  scale: f32,
  firsts: vec2<u32>,
}
fn main() { use(params.width, params.scale, params.firsts); } // says "params.gone"
`;
const made = { copy, "lib/a": "// lib/a.wgsl: nothing.\nenable subgroups;\nfn use() {}\n" };

describe("wgslModule", () => {
  it("gives a file one line: its text by the same line numbers, what it needs and takes", () => {
    const module = text(made);
    const line = module.split("\n").find((one) => one.startsWith('  "copy": ')) as string;
    const entry = JSON.parse(line.slice('  "copy": '.length, -1));
    expect(entry.needs).toEqual(["lib/a"]);
    expect(entry.params).toEqual([
      ["width", "u32"],
      ["scale", "f32"],
      ["firsts", "vec2<u32>"],
    ]);
    const lines = entry.text.split("\n");
    expect(lines.length).toBe(copy.split("\n").length);
    expect(lines[3]).toBe("width:u32,");
    expect(module).toContain("  copy: { width: number; scale: number; firsts: Two };\n");
    expect(module).toMatch(/"lib\/a": \{.*"enables":\["subgroups"\]\}/);
    expect(module).not.toContain("enable subgroups;");
  });
  const q = "fn decode() {}\n";
  const i8 = `// offers: i8\n${q}fn decode_i8() { return Int8Run(q, d, 0.0); }\n`;
  it("takes what a quant snippet offers when it is true", () => {
    expect(text({ "quant/q": i8 })).toContain('"offers":["i8"]');
    const minima = i8.replace("i8\n", "i8, scaled, minimum\n").replace("0.0", "m");
    expect(text({ "quant/q": minima })).toContain('"offers":["i8","scaled","minimum"]');
  });
  it.each([
    ["an unknown file", { ...made, "lib/b": "// needs: lib/none\n" }, "no file lib/none.wgsl"],
    ["a circle", { ...made, "lib/a": "// needs: lib/b\n", "lib/b": "// needs: lib/a\n" }, "needs"],
    ["no struct", { copy: "fn main() {}\n" }, "0 structs Params"],
    ["two structs", { ...made, "lib/a": copy.slice(18) }, "2 structs Params"],
    ["a member that nobody reads", { ...made, copy: copy.replace(" params.scale,", "") }, "reads"],
    ["a member of an odd type", { ...made, copy: copy.replace("vec2", "vec3") }, "no host writes"],
    ["decode_i8 unsaid", { "quant/q": i8.replace("// offers: i8\n", "") }, "go together"],
    ["decode_i8 that is not there", { "quant/q": `// offers: i8\n${q}` }, "go together"],
    ["minima unsaid", { "quant/q": i8.replace("0.0", "m") }, "minima"],
    ["minima that are not there", { "quant/q": i8.replace("i8\n", "i8, minimum\n") }, "minima"],
    ["an unknown offer", { "quant/q": i8.replace("i8\n", "i8, speed\n") }, "cannot offer speed"],
  ])("refuses %s", (_, files, said) => {
    expect(() => text(files)).toThrow(said);
  });
});

describe("the files of wgsl/", () => {
  const sources = new Map(
    Object.keys(wgsl).map((name) => [name, readFileSync(`${root}wgsl/${name}.wgsl`, "utf8")]),
  );
  const files = new Files(sources);

  it("leaves out spaces between two tokens, and none without which they are others", () => {
    const tokens = (text: string): string[] =>
      text.match(/\n|\w[\w.]*|->|\+\+|--|&&|\|\||<<|>>|[=!<>+*/%&|^-]=|\/[/*]|\S/g) ?? [];
    let saved = 0;
    for (const { name, text } of files.all) {
      expect([name, tokens(narrow(text))]).toEqual([name, tokens(text)]);
      saved += text.length - narrow(text).length;
    }
    expect(saved).toBeGreaterThan(10_000);
    for (const text of [
      "a - -b",
      "a / *p",
      "x = &y",
      "var<private> v: vec2<u32> = w",
      "a & &b",
      "a * -b",
    ])
      expect(tokens(narrow(text))).toEqual(tokens(text));
  });

  it("begin with what they need, then with their own names where they have one", () => {
    for (const [name, source] of sources) {
      const title = source.split("\n").find((line) => !/^\/\/ (needs|varies|offers):/.test(line));
      expect(title).toMatch(/^\/\/ \S/);
      if (!name.startsWith("quant/")) expect(title).toContain(`// ${name}.wgsl: `);
    }
  });
  it("leave to the host what it then names, and only that", () => {
    for (const { kernel, snippets } of allCalls()) {
      const file = files.find(kernel, "");
      const allowed = files.closure(file, true);
      for (const name of snippets)
        expect([kernel, name, allowed.has(files.find(name, kernel))]).toEqual([kernel, name, true]);
    }
  });
  it("say which files define the functions that they call", () => {
    const defined = (text: string): string[] =>
      Array.from(text.matchAll(/\bfn (\w+)\(/g), (match) => match[1] as string);
    const everywhere = new Set(files.all.flatMap((file) => defined(file.text)));
    for (const file of files.all) {
      const own = new Set([...files.closure(file, true)].flatMap((one) => defined(one.text)));
      // A snippet may be written against functions that whoever needs it defines.
      const users = files.all.filter((one) => one !== file && files.closure(one, true).has(file));
      const called = Array.from(file.text.matchAll(/(?<!fn )\b([a-z]\w*)\(/g), (match) => match[1]);
      for (const name of new Set(called)) {
        if (!everywhere.has(name as string) || own.has(name as string)) continue;
        const given = users.every((user) =>
          [...files.closure(user, true)].some((one) => defined(one.text).includes(name as string)),
        );
        expect([file.name, name, users.length > 0 && given]).toEqual([file.name, name, true]);
      }
    }
  });
});
