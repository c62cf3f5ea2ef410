/**
 * node scripts/test.mjs [--quick] [--require] [--only node,deno,chromium] [FILE …]
 *
 * The whole test suite in every runtime of this machine. The first lines name the runtimes and
 * adapters, the last is `N passed, N failed, N skipped`. A runtime that is missing is skipped with
 * a line that says so; with --require it is a failure. `*.slow.*` files are sweeps that run in Node
 * (in Deno when named); --quick is Node without them.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { runtimes } from "../test/run/adapters.mjs";
import { runDeno } from "../test/run/deno.mjs";
import { root } from "./unpack.mjs";
import { vulkanEnvironment } from "./vulkan.mjs";

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    require: { type: "boolean", default: false },
    only: { type: "string", default: "node,deno,chromium" },
  },
});
const wanted = options.quick ? ["node"] : options.only.split(",");

/** What failed, a line each, said again before the sums. */
const failures = [];

/** Runs one vitest project; resolves with its counts, read from its own JSON report. */
async function runVitest(project) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "webgguf-test-"));
  const report = path.join(folder, "report.json");
  const args = [
    ...["node_modules/vitest/vitest.mjs", "run", "--project", project],
    ...["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    ...(options.quick ? ["--exclude", "**/*.slow.*"] : []),
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
    for (const { name, status, message, assertionResults } of testResults) {
      const file = path.relative(root, name);
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
for (const name of wanted.filter((one) => found[one] !== undefined)) {
  const counts = name === "deno" ? await runDeno(files, failures) : await runVitest(name);
  for (const key of Object.keys(sum)) sum[key] += counts[key];
}
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed > 0 ? 1 : 0;
