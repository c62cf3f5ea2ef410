/** The sources as JavaScript: for tests that start many processes, in each of which tsx would read all of them anew. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { root } from "./sources.ts";

/**
 * Compiles a project of this repository into `folder`, where packages, models and fixtures are found as from its root.
 * Returns what the compiler said.
 */
export function buildInto(
  folder: string,
  project = "tsconfig.build.json",
  flags: readonly string[] = ["--noCheck"],
): string {
  mkdirSync(path.join(folder, "test"), { recursive: true });
  for (const name of ["node_modules", "models", "test/fixtures"])
    symlinkSync(path.join(root, name), path.join(folder, name), "junction");
  // What threads load is JavaScript already.
  const threads = "src/cpu/wasm/threads";
  for (const name of ["work.mjs", "helper.mjs"])
    cpSync(path.join(root, threads, name), path.join(folder, threads, name));
  const manifest = readFileSync(path.join(root, "package.json"), "utf8");
  writeFileSync(path.join(folder, "package.json"), manifest.replaceAll('.ts"', '.js"'));
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...[path.join(root, "node_modules/typescript/bin/tsc"), "-p", project, "--outDir", folder],
      ...["--declaration", "false", "--isolatedDeclarations", "false", ...flags],
    ],
    { cwd: root, encoding: "utf8" },
  );
  return stdout + stderr;
}
