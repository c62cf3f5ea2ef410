/** The file of `webgguf tune`: one entry an adapter, and nothing in it can break the other commands. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTunings, saveTuning, tuningFile } from "../../cli/tunings.ts";

describe("the file of measured tunings", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "webgguf-tunings-"));
  const before = process.env["XDG_CACHE_HOME"];
  beforeAll(() => {
    process.env["XDG_CACHE_HOME"] = folder;
  });
  afterAll(() => {
    if (before === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = before;
    rmSync(folder, { recursive: true, force: true });
  });

  it("keeps one entry an adapter, the newest", () => {
    expect(readTunings()).toEqual([]);
    saveTuning({ adapter: "a", lanes: 4 });
    saveTuning({ adapter: "b", lanes: 8, int8: true });
    saveTuning({ adapter: "a", lanes: 16, tile: 32 });
    expect(readTunings()).toEqual([
      { adapter: "b", lanes: 8, int8: true },
      { adapter: "a", lanes: 16, tile: 32 },
    ]);
    expect(tuningFile().startsWith(folder)).toBe(true);
  });
  it("is passed over where it is damaged or of another version", () => {
    mkdirSync(path.dirname(tuningFile()), { recursive: true });
    for (const text of ["", "{", "null", "7", '{"adapter":"a"}']) {
      writeFileSync(tuningFile(), text);
      expect(readTunings()).toEqual([]);
    }
    writeFileSync(
      tuningFile(),
      '[null, 1, {"lanes":4}, {"adapter":"a","lanes":3}, {"adapter":"a","other":1}, {"adapter":"good","tile":64}]',
    );
    expect(readTunings()).toEqual([{ adapter: "good", tile: 64 }]);
    saveTuning({ adapter: "new", lanes: 1 });
    expect(JSON.parse(readFileSync(tuningFile(), "utf8"))).toHaveLength(2);
  });
});
