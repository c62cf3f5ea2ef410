/** bench:gpu measures what it is told to, says what it cannot, and leaves no model behind. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import type { BenchmarkReport } from "../../src/tools/mod.ts";
import { root } from "../checks/sources.ts";

const folder = mkdtempSync(path.join(tmpdir(), "webgguf-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("benches one shape after the other", () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      ...["scripts/run.mjs", "bench/gpu.ts", "--models", "smollm2-135m:q4_0,none:q8_0"],
      ...["--layers", "1", "-p", "4", "-n", "2", "-r", "1", "--folder", folder, "--json"],
    ],
    { cwd: root, encoding: "utf8" },
  );
  expect(status).toBe(0);
  const results = JSON.parse(stdout) as { model: string; bench: BenchmarkReport }[];
  expect(results.map(({ model }) => model)).toEqual(["smollm2-135m:q4_0"]);
  expect(results[0].bench.tests.map(({ name }) => name)).toEqual(["pp4", "tg2"]);
  expect(results[0].bench.tests.every(({ msPerToken }) => msPerToken > 0)).toBe(true);
  expect(stderr).toMatch(/none:q8_0: NOT RUN \(Error: No shape none/);
  expect(readdirSync(folder)).toEqual([]);
}, 120_000);
