/**
 * node scripts/run.mjs PROGRAM ARGUMENTS…
 *
 * Starts a program with a GPU driver in reach (see vulkan.mjs). A TypeScript file of this
 * repository runs through tsx, in the folder where npm was called, so that paths mean what the
 * user typed. Exits as the program does.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./unpack.mjs";
import { vulkanEnvironment } from "./vulkan.mjs";

const [program, ...args] = process.argv.slice(2);
if (program === undefined) {
  console.error("usage: node scripts/run.mjs PROGRAM ARGUMENTS…");
  process.exit(2);
}
const isSource = /\.m?[jt]s$/.test(program);
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const child = isSource
  ? spawn(process.execPath, ["--import", tsx, path.resolve(root, program), ...args], {
      stdio: "inherit",
      cwd: process.env.INIT_CWD ?? process.cwd(),
      env: vulkanEnvironment(),
    })
  : spawn(program, args, { stdio: "inherit", env: vulkanEnvironment() });

// A terminal sends Ctrl-C to the child as well, and the child decides what it means.
process.on("SIGINT", () => {
  if (!process.stdin.isTTY) child.kill("SIGINT");
});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("error", (error) => {
  console.error(`${program} could not be started: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(code ?? 128 + os.constants.signals[signal]));
