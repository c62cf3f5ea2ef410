import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const folder = new URL("../../src/models/", import.meta.url);

describe("family files", () => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));

  it.each(files)("%s is short", (name) => {
    const lines = readFileSync(new URL(name, folder), "utf8").split("\n");
    const shared = ["blocks.ts", "index.ts"].includes(name);
    expect(lines.length).toBeLessThanOrEqual(shared ? 300 : 120);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(104);
  });

  it("know nothing of how they are computed", () => {
    for (const name of files) {
      const text = readFileSync(new URL(name, folder), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
      const word = /gpu|wgsl|\bfus(e|ion)|\bquant|Float32Array\(/i.exec(text)?.[0];
      expect([name, word]).toEqual([name, undefined]);
    }
  });
});
