/** What `webgguf bench --json` prints has the form of docs/bench-schema.json. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeRandomModel } from "../../bench/models.ts";
import { buildInto } from "../checks/built.ts";
import { root } from "../checks/sources.ts";
import { gpuAvailable } from "../gpu.ts";

const schema = JSON.parse(readFileSync(path.join(root, "docs/bench-schema.json"), "utf8"));
const ajv = new Ajv2020({ allErrors: true });
ajv.addSchema(schema, "report");

/** Where `value` differs from a part of the schema. */
function differences(value: unknown, part = "report"): string[] {
  const check = ajv.getSchema(part)!;
  check(value);
  return (check.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

const folder = mkdtempSync(path.join(tmpdir(), "webgguf-bench-"));
const built = path.join(folder, "built");
buildInto(built);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bench(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  const command = [path.join(built, "cli/main.js"), "bench", ...args];
  return spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" });
}

describe("webgguf bench --json", () => {
  const model = path.join(folder, "model.gguf");
  beforeAll(async () => {
    const shape = {
      architecture: "llama",
      layers: 1,
      width: 32,
      heads: 1,
      kvHeads: 1,
      headWidth: 32,
      feedForward: 32,
      vocabulary: 320,
      tied: true,
      context: 64,
      ropeBase: 10000,
      epsilon: 1e-5,
    } as const;
    writeFileSync(model, await writeRandomModel({ shape, type: "q4_0" }));
  });

  it.each(["cpu", ...(gpuAvailable ? ["gpu"] : [])])(
    "has the form of its schema on %s",
    (device) => {
      const flags = ["-p", "4", "-n", "4", "-d", "0,8", "-r", "2", "--profile", "--device", device];
      const { stdout, status } = bench("-m", model, ...flags, "--json");
      expect(status).toBe(0);
      const report = JSON.parse(stdout) as { tests: { perToken?: unknown }[] };
      expect(differences(report)).toEqual([]);
      expect(report.tests.length).toBe(4);
      // Its names stand nowhere else.
      for (const test of report.tests) test.perToken = undefined;
      const names = ["dispatches", "submits", "createBuffer", "createBindGroup", "writeBuffer"];
      for (const name of [...names, "bytesRead"])
        expect(JSON.stringify(report)).not.toContain(`"${name}"`);
    },
  );

  it("has a schema that is fresh and refuses other forms", () => {
    const args = ["--import", "tsx", "scripts/bench-schema.ts", "--check"];
    expect(spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" }).stderr).toBe("");
    expect(differences({ schema: "webgguf-bench/2" })).toContain(
      '/schema must be equal to constant {"allowedValue":"webgguf-bench/1"}',
    );
    const quality = { perplexity: "7", referencePerplexity: 7, greedyTexts: 1, odd: 1 };
    expect(differences(quality, "report#/$defs/Quality")).toHaveLength(3);
  });

  it("compares the bundled model with llama.cpp", () => {
    const bundled = ["-m", "models/webgguf-tale-q8_0.gguf", "--device", "cpu"];
    const { stdout } = bench(...bundled, "-p", "0", "-n", "2", "-r", "1", "--json");
    const { quality } = JSON.parse(stdout);
    expect(differences(quality, "report#/$defs/Quality")).toEqual([]);
    expect(quality.greedyEqual).toBe(quality.greedyTexts);
    expect(Math.abs(quality.perplexity / quality.referencePerplexity - 1)).toBeLessThan(1e-3);
  });

  it("prints a table that names each test, and refuses odd flags", () => {
    const { stdout } = bench("-m", model, "-p", "4", "-n", "0", "-r", "1", "--device", "cpu");
    expect(stdout).toMatch(/^pp4 +[\d.]+ ± 0\.00/m);
    const { status, stderr } = bench("-m", model, "-n", "four");
    expect(status).toBe(2);
    expect(stderr).toContain("--n-gen wants whole numbers");
  });
});
