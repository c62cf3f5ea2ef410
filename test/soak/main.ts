/**
 * npm run test:soak -- [--minutes N] [--only node,deno]
 *
 * Uses models, sessions and workers in every way for N minutes (10 unless told otherwise), in Node and in Deno at the
 * same time, and prints their memory as it went (test/soak/run.ts). Exits with 1 when it grows.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    only: { type: "string", default: "node,deno" },
  },
});
if (!(Number(values.minutes) > 0)) {
  console.error("--minutes is a number above 0");
  process.exit(2);
}
const root = fileURLToPath(new URL("../../", import.meta.url));
const deno = createRequire(import.meta.url).resolve("deno/package.json");
const commands: Record<string, readonly string[]> = {
  node: [process.execPath, "--expose-gc", "--import", "tsx"],
  deno: [
    ...[process.execPath, path.join(path.dirname(deno), "bin.cjs")],
    ...["run", "-A", "--no-check", "--quiet", "--node-modules-dir=manual"],
    "--v8-flags=--expose-gc",
  ],
};
/**
 * Drivers compile on threads of their own, and glibc gives these up to eight heaps a core, over which what they free
 * stays spread: some 200 MiB that come within twenty loads and are held by nobody. With one heap the RSS is what is held.
 */
const env = { ...process.env, MALLOC_ARENA_MAX: "1" };
const runtimes = values.only.split(",");
const unknown = runtimes.filter((name) => !commands[name]);
if (unknown.length > 0) {
  console.error(
    `There is no runtime ${unknown.join(", ")}; there are ${Object.keys(commands).join(", ")}`,
  );
  process.exit(2);
}

const codes = await Promise.all(
  runtimes.map((name) => {
    const [program, ...args] = commands[name];
    const child = spawn(program, [...args, "test/soak/run.ts", values.minutes, name], {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: root,
      env,
    });
    // Whole tables, one behind the other.
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    return new Promise<number>((resolve) => {
      child.on("error", (error) => {
        console.error(`${name} could not be started: ${error.message}`);
        resolve(1);
      });
      child.on("close", (code) => {
        console.log(output);
        resolve(code ?? 1);
      });
    });
  }),
);
process.exit(codes.some((code) => code !== 0) ? 1 : 0);
