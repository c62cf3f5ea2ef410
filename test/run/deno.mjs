/**
 * Runs test files in Deno, a process for each: an internal error of its WebGPU ends the process.
 * node test/run/deno.mjs [FILE or part of a name …]; prints one line a file and the sums.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../../scripts/unpack.mjs";
import { vulkanEnvironment } from "../../scripts/vulkan.mjs";
import { selection } from "./selection.mjs";

const limitMs = 10 * 60_000;
const deno = path.join(root, "node_modules/deno/bin.cjs");

/** The command and first arguments that start the packaged Deno. */
export const denoCommand = [process.execPath, deno];

/** Whether the packaged Deno is there and starts. */
export function denoThere() {
  return fs.existsSync(deno);
}

/**
 * Runs one file; resolves with its counts and, when something failed, its output. A process that dies after its
 * last test has passed gets a second chance: threads of a software driver may race with its exit.
 */
async function runFile(file, env) {
  const first = await runOnce(file, env);
  if (!first.died) return first;
  console.log(`   ${file}: its process ended badly (${first.died}) after its last test; once more`);
  const again = await runOnce(file, env);
  return again.died ? { ...again, counts: { ...again.counts, failed: 1 } } : again;
}

function runOnce(file, env) {
  const args = ["test", "-A", "--no-check", "--quiet", "--node-modules-dir=manual", file];
  return new Promise((resolve) => {
    const child = spawn(denoCommand[0], [...denoCommand.slice(1), ...args], {
      cwd: root,
      env: { ...env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      timeout: limitMs,
    });
    let output = "";
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (output += data));
    child.on("close", (code, signal) => {
      const count = (word) => Number(new RegExp(`\\| .*?(\\d+) ${word}`).exec(summary)?.[1] ?? 0);
      const summary = /^(?:ok|FAILED) \| .*$/m.exec(output)?.[0] ?? "";
      const counts = {
        passed: count("passed"),
        failed: count("failed"),
        skipped: count("ignored"),
      };
      const ended = signal === null ? `exit code ${code}` : `ended by ${signal}`;
      const died = code !== 0 && summary.startsWith("ok ") ? ended : undefined;
      // A file that did not load or whose process died has no other way to say so.
      if (code !== 0 && !died && counts.failed === 0) counts.failed = 1;
      const told = counts.failed > 0 || died ? `${problems(output)}${ended}\n` : "";
      resolve({ file, counts, died, output: told });
    });
  });
}

/** The part of the output that tells what failed, within reason. */
function problems(output) {
  const from = output.indexOf(" ERRORS ");
  const lines = output.slice(Math.max(0, from)).split("\n");
  return lines.length <= 60 ? lines.join("\n") : `${lines.slice(0, 60).join("\n")}\n…`;
}

/**
 * Runs test files, a few at a time; resolves with the summed counts. A line for each file that failed is
 * added to `failures`, and what each took to `times`.
 */
export async function runDeno(wanted, failures = [], times = []) {
  const files = [...wanted];
  const env = vulkanEnvironment();
  const sum = { passed: 0, failed: 0, skipped: 0 };
  const worker = async () => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) {
      const from = performance.now();
      const { counts, output } = await runFile(file, env);
      const ms = performance.now() - from;
      times.push({ name: `deno ${file}`, ms });
      for (const key of Object.keys(sum)) sum[key] += counts[key];
      const { passed, failed, skipped } = counts;
      console.log(
        ` ${failed > 0 ? "✗" : "✓"} deno ${file} (${passed} passed, ${failed} failed, ${skipped} skipped) ${(ms / 1000).toFixed(1)} s`,
      );
      if (output === "") continue;
      console.log(output);
      const said = output.split("\n").find((line) => line.startsWith("error: ")) ?? "";
      failures.push(`deno ${file}: ${said.slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, os.availableParallelism()) }, worker));
  return sum;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed, skipped } = await runDeno(
    selection("deno", "all", process.argv.slice(2)),
  );
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 ? 1 : 0;
}
