/**
 * node scripts/test.mjs [--quick | --all | --rest] [--require] [--only node,deno,chromium] [FILE …]
 *
 * The tests in every runtime of this machine. `npm test` is what a change must pass: all tests in
 * Node but the sweeps (`*.slow.*`), and in Deno and Chromium all but those that mostly compile the
 * shaders that Node has compiled (test/run/selection.mjs). `npm run test:all` (--all) runs
 * everything everywhere, and then `npm run test:mutants`, which puts small faults into a copy of the
 * code that the tests must notice; --rest is what that adds to `npm test`, and --quick is Node alone. FILEs, or
 * parts of their names, run whatever the part.
 *
 * The first lines name the runtimes and adapters, the last is `N passed, N failed, N skipped`; before
 * it stand the ten slowest files. A runtime that is missing is skipped with a line that says so; with
 * --require it is a failure.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { runtimes } from "../test/run/adapters.mjs";
import { runDeno } from "../test/run/deno.mjs";
import { selection } from "../test/run/selection.mjs";
import { root } from "./unpack.mjs";
import { vulkanEnvironment } from "./vulkan.mjs";

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    rest: { type: "boolean", default: false },
    require: { type: "boolean", default: false },
    only: { type: "string", default: "node,deno,chromium" },
  },
});
const wanted = options.quick ? ["node"] : options.only.split(",");
const part = options.all ? "all" : options.rest ? "rest" : "first";

/** What failed, a line each, said again before the sums. */
const failures = [];

/** What each file took: `{ name, ms }`, with the runtime in the name. */
const times = [];

/** Runs files of one vitest project; resolves with its counts, read from its own JSON report. */
async function runVitest(project, files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "webgguf-test-"));
  const report = path.join(folder, "report.json");
  const args = [
    ...["node_modules/vitest/vitest.mjs", "run", "--project", project],
    ...["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    `--maxWorkers=${os.availableParallelism()}`,
    ...files,
  ];
  const code = await new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: vulkanEnvironment(),
      stdio: "inherit",
    });
    child.on("close", resolve);
  });
  const counts = { passed: 0, failed: 0, skipped: 0 };
  if (fs.existsSync(report)) {
    const { testResults } = JSON.parse(fs.readFileSync(report, "utf8"));
    for (const { name, status, message, assertionResults, startTime, endTime } of testResults) {
      const file = path.relative(root, name);
      times.push({ name: `${project} ${file}`, ms: endTime - startTime });
      const failed = (what, said) => {
        counts.failed++;
        failures.push(`${project} ${file}${what}: ${said.split("\n")[0].slice(0, 300)}`);
      };
      // A file that could not be loaded holds no test of its own.
      if (status === "failed" && assertionResults.length === 0) failed("", message);
      for (const result of assertionResults) {
        if (result.status === "failed")
          failed(` > ${result.fullName}`, result.failureMessages[0] ?? "");
        else counts[result.status === "passed" ? "passed" : "skipped"]++;
      }
    }
  }
  // Errors outside tests and crashes are in the exit code alone.
  if (code !== 0 && counts.failed === 0) {
    counts.failed = 1;
    failures.push(`${project}: ended with ${code} although no test failed (see its errors above)`);
  }
  fs.rmSync(folder, { recursive: true, force: true });
  return counts;
}

const found = await runtimes(wanted);
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const name of wanted) {
  const runtime = found[name];
  if (runtime === undefined) {
    console.log(`${name}: not on this machine, its tests are skipped`);
  } else {
    console.log(
      `${runtime.version}: ${runtime.adapter ?? `no answer ${runtime.problem ?? ""}`.trim()}`,
    );
  }
  const usable = runtime?.adapter !== undefined && !runtime.adapter.startsWith("no adapter");
  if (options.require && !usable) {
    failures.push(`${name}: required, but it is not here or has no adapter`);
    sum.failed++;
  }
}
const chosen = new Map(
  wanted
    .filter((name) => found[name] !== undefined)
    .map((name) => [
      name,
      selection(name, part, files).filter((file) => !options.quick || !/\.slow\./.test(file)),
    ])
    .filter(([, some]) => some.length > 0),
);
/** Runs what was chosen of a runtime, if anything was, and adds its counts. */
async function runIn(name) {
  const some = chosen.get(name);
  if (some === undefined) return;
  const counts =
    name === "deno" ? await runDeno(some, failures, times) : await runVitest(name, some);
  for (const key of Object.keys(sum)) sum[key] += counts[key];
}
await runIn("node");
// Chromium runs one file after the other and leaves a part of the machine free.
await Promise.all([runIn("deno"), runIn("chromium")]);
if (chosen.size === 0) {
  sum.failed++;
  failures.push(`no test file is named ${files.join(" or ")}, in ${wanted.join(", ")}`);
}
if (part !== "first" && files.length === 0 && wanted.includes("node")) {
  const args = ["--import", "tsx", "test/mutants/run.ts"];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: vulkanEnvironment(),
    stdio: "inherit",
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  sum[code === 0 ? "passed" : "failed"]++;
  if (code !== 0) failures.push("npm run test:mutants: see its lines above");
}
const slowest = times.sort((a, b) => b.ms - a.ms).slice(0, 10);
if (slowest.length > 1) console.log("the slowest files:");
for (const { name, ms } of slowest) console.log(`${(ms / 1000).toFixed(1).padStart(7)} s ${name}`);
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed > 0 ? 1 : 0;
