/** Where families stand and how long they may be: one looks for a family by its name. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { architectures } from "../../src/models/index.ts";

const folder = new URL("../../src/models/", import.meta.url);
const filesOf = (directory: URL): string[] =>
  readdirSync(directory).filter((name) => name.endsWith(".ts"));
const families = filesOf(folder).filter((name) => name !== "index.ts");
const parts = filesOf(new URL("parts/", folder)).map((name) => `parts/${name}`);
const text = (name: string): string => readFileSync(new URL(name, folder), "utf8");

describe("family files", () => {
  it.each([...families, ...parts])("%s is short", (name) => {
    const lines = text(name).split("\n");
    expect(lines.length).toBeLessThanOrEqual(120);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(104);
  });

  it("know nothing of how they are computed", () => {
    for (const name of [...families, ...parts, "index.ts"]) {
      const code = text(name).replace(/\/\*[\s\S]*?\*\//g, "");
      const word = /gpu|wgsl|\bfus(e|ion)|\bquant|Float32Array\(/i.exec(code)?.[0];
      expect([name, word]).toEqual([name, undefined]);
    }
  });

  it("carry the names of their architectures, without endings such as moe", () => {
    const plain = (name: string): string => name.replace(/[-_]/g, "");
    const rows = text("index.ts").matchAll(/^ {4}(?:"?([\w-]+)"?: )?(\w+),$/gm);
    const constants = new Map(Array.from(rows, ([, key, name]) => [key ?? name, name]));
    expect([...constants.keys()].sort()).toEqual(architectures());
    for (const [architecture, name] of constants) {
      const stems = families.map((file) => file.slice(0, -".ts".length));
      const [stem] = stems
        .filter((one) => plain(architecture).startsWith(plain(one)))
        .sort((a, b) => b.length - a.length);
      expect(text(`${stem}.ts`)).toContain(`export const ${name}: Family`);
    }
  });
});
