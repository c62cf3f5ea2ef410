/** What `webgguf bench --json` prints has the form that docs/bench.md writes down. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeRandomModel } from "../../bench/models.ts";
import { root } from "../checks/sources.ts";
import { gpuAvailable } from "../gpu.ts";

interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

const schema = JSON.parse(
  /^```json\n([\s\S]*?)^```$/m.exec(readFileSync(path.join(root, "docs/bench.md"), "utf8"))![1],
) as Schema;

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** Where `value` differs from what the schema says; listed properties are all required. */
function differences(value: unknown, wanted: Schema, at: string): string[] {
  if (wanted.$ref) return differences(value, schema.definitions![wanted.$ref], at);
  if (wanted.oneOf) {
    const tries = wanted.oneOf.map((one) => differences(value, one, at));
    return tries.reduce((best, one) => (one.length < best.length ? one : best));
  }
  if ("const" in wanted) return value === wanted.const ? [] : [`${at} is ${value}`];
  if (wanted.enum) return wanted.enum.includes(value) ? [] : [`${at} is ${value}`];
  const types = [wanted.type!].flat();
  const type = typeOf(value);
  if (!types.includes(type) && !(types.includes("integer") && Number.isInteger(value)))
    return [`${at} is ${type}, not ${types.join(" or ")}`];
  if (type === "array")
    return (value as unknown[]).flatMap((item, i) =>
      differences(item, wanted.items!, `${at}[${i}]`),
    );
  if (type !== "object" || !wanted.properties) return [];
  const own = value as Record<string, unknown>;
  const names = new Set([...Object.keys(wanted.properties), ...Object.keys(own)]);
  return [...names].flatMap((name) => {
    const one = wanted.properties![name];
    if (!one) return [`${at}.${name} is not in the schema`];
    if (!(name in own)) return [`${at}.${name} is missing`];
    return differences(own[name], one, `${at}.${name}`);
  });
}

const folder = mkdtempSync(path.join(tmpdir(), "webgguf-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bench(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  const command = ["--import", "tsx", "cli/main.ts", "bench", ...args];
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
      expect(differences(report, schema, "report")).toEqual([]);
      expect(report.tests.length).toBe(4);
      // Its names stand nowhere else.
      for (const test of report.tests) test.perToken = undefined;
      const names = ["dispatches", "submits", "createBuffer", "createBindGroup", "writeBuffer"];
      for (const name of [...names, "bytesRead"])
        expect(JSON.stringify(report)).not.toContain(`"${name}"`);
    },
  );

  it("compares the bundled model with llama.cpp", () => {
    const bundled = ["-m", "models/webgguf-tale-q8_0.gguf", "--device", "cpu"];
    const { stdout } = bench(...bundled, "-p", "0", "-n", "2", "-r", "1", "--json");
    const { quality } = JSON.parse(stdout);
    expect(differences(quality, schema.properties!["quality"], "quality")).toEqual([]);
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
