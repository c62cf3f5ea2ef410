import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { root } from "./checks/sources.ts";
import { denoCommand, denoThere } from "./run/deno.mjs";

function run(command: readonly string[]): { text: string; stderr: string; status: number | null } {
  const [program, ...args] = command;
  const { stdout, stderr, status } = spawnSync(program!, args, { cwd: root, encoding: "utf8" });
  return { text: stdout.trim(), stderr, status };
}

describe("a model from a local file", () => {
  it("needs no network in Node", () => {
    const guard = ["--import", "./test/run/no-network.mjs", "--import", "tsx"];
    const { text, stderr, status } = run([process.execPath, ...guard, "test/run/local.ts"]);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(text).toContain("12");
  });

  it("is noticed by the guard of this test when it does", () => {
    const guard = ["--import", "./test/run/no-network.mjs", "--import", "tsx"];
    const code = 'import("undici").then((u) => u.fetch("http://127.0.0.1:4567/"))';
    const { stderr, status } = run([process.execPath, ...guard, "--eval", code]);
    expect(stderr).toContain("the network was used");
    expect(status).toBe(9);
  });

  it.skipIf(!denoThere())("needs no permission but reading in Deno", () => {
    const options = ["run", "--allow-read", "--no-prompt", "--no-check", "--quiet"];
    const { text, stderr, status } = run([
      ...denoCommand,
      ...options,
      "--node-modules-dir=manual",
      "test/run/local.ts",
    ]);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(text).toContain("12");
  });
});
