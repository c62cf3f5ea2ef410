import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./checks/sources.ts";
import { denoCommand, denoThere } from "./run/deno.mjs";

/** A clone in which nobody ran npm. */
let clone: string;
beforeAll(() => {
  clone = fs.mkdtempSync(path.join(os.tmpdir(), "webgguf-clone-"));
  const files = ["mod.ts", "src", "wgsl", "cli", "examples", "models", "deno.json", "package.json"];
  for (const name of [...files, "tsconfig.json", "package-lock.json"]) {
    fs.cpSync(path.join(root, name), path.join(clone, name), { recursive: true });
  }
});
afterAll(() => fs.rmSync(clone, { recursive: true, force: true }));

function folderBytes(folder: string): number {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + fs.statSync(path.join(entry.parentPath, entry.name)).size, 0);
}

describe.skipIf(!denoThere())("a clone without node_modules", () => {
  it("chats under deno run and fetches nothing but the template engine", ({ skip }) => {
    const cache = path.join(clone, "deno-cache");
    const [program, ...first] = denoCommand;
    const options = ["run", "--allow-read", "--no-prompt"];
    const { stdout, stderr, status } = spawnSync(
      program!,
      [...first, ...options, "examples/chat/main.ts", "models/webgguf-tale-q8_0.gguf"],
      {
        cwd: clone,
        encoding: "utf8",
        input: "What is 7 + 5?\n",
        env: { ...process.env, DENO_DIR: cache, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      },
    );
    if (/error sending request|dns error|ConnectError/i.test(stderr)) skip("no package registry");
    expect(stdout, stderr).toMatch(/> .*\w\w/);
    expect(status).toBe(0);
    const fetched = Array.from(stderr.matchAll(/^Download (\S+)/gm), (match) => match[1]);
    expect(fetched.filter((url) => !/@huggingface(?:%2f|\/)jinja/i.test(url!))).toEqual([]);
    // The rest of the cache is what Deno compiled of our own files; nothing of it was fetched.
    const own = ["gen", "dep_analysis_cache_v2", "node_analysis_cache_v2", "v8_code_cache_v2"];
    const others = fs
      .readdirSync(cache)
      .filter((name) => !own.includes(name.replace(/-(shm|wal)$/, "")));
    expect(others).toEqual(["npm"]);
    expect(folderBytes(path.join(cache, "npm"))).toBeLessThan(5e6);
    expect(fs.existsSync(path.join(clone, "node_modules"))).toBe(false);
  });
});
