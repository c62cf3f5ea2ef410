/** The runner of faults, on a tree of one file and its test. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Mutant } from "./mutant.ts";
import { type Outcome, type Result, runMutants, sums } from "./runner.ts";

const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));
const source =
  "export const sum = (a: number, b: number): number => a + b;\nexport const name = 'sum';\n";
let root = "";

function write(name: string, text: string): void {
  const file = path.join(root, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

beforeAll(() => {
  root = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "webgguf-runner-"));
  fs.symlinkSync(fs.realpathSync(modules), path.join(root, "node_modules"), "dir");
  write("package.json", '{ "type": "module" }');
  write(
    "vitest.config.mjs",
    'export default { test: { projects: [{ test: { name: "node", include: ["test/**/*.test.ts"] } }] } };',
  );
  write("src/room/sum.ts", source);
  write(
    "test/room/sum.test.ts",
    'import { expect, it } from "vitest";\nimport { sum } from "../../src/room/sum.ts";\n' +
      'it("adds", () => expect(sum(1, 2)).toBe(3));\n',
  );
  // A sweep is not run for a fault: this one would notice everything.
  write(
    "test/room/sum.slow.test.ts",
    'import { it } from "vitest";\nit("fails", () => { throw 1; });\n',
  );
});

afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

const fault = (from: string, to: string, more: Partial<Mutant> = {}): Mutant => ({
  file: "src/room/sum.ts",
  fault: `${from} becomes ${to}`,
  from,
  to,
  ...more,
});

describe("runMutants", () => {
  it("tells noticed faults from others, and refuses those that do not fit, without touching the tree", async () => {
    const mutants = [
      fault("a + b", "a - b"),
      fault("'sum'", "'product'"),
      fault("'sum'", "'total'", { harmless: "nobody reads it" }),
      fault("a * b", "a / b"),
      fault("sum", "total"),
      fault("a + b", "a - b", { tests: ["test/room/product"] }),
      fault("a + b", "a + (", {}),
      fault("x", "y", { file: "src/room/product.ts" }),
    ];
    const results = await runMutants({ root, mutants });
    const outcomes = mutants.map(
      (mutant): Outcome => results.find((result) => result.mutant === mutant)!.outcome,
    );
    expect(outcomes).toEqual([
      ...["noticed", "not noticed", "explained", "broken", "broken", "broken", "broken", "broken"],
    ]);
    expect(fs.readFileSync(path.join(root, "src/room/sum.ts"), "utf8")).toBe(source);
    expect(sums(results)).toEqual({
      line: "8 mutants: 1 noticed, 6 not noticed, 1 explained",
      ok: false,
    });
  });

  it("ends a fault that makes a loop endless, and goes on", async () => {
    const mutants = [
      fault("a + b", "a * b"),
      fault("a + b", "{ for (;;); }"),
      fault("a + b", "a % b"),
      fault("'sum'", "'product'"),
    ];
    const results = await runMutants({ root, mutants, atATime: 1, limitMs: 1500 });
    expect(results.map(({ outcome, note }) => [outcome, note])).toEqual([
      ["noticed", "test/room/sum.test.ts"],
      ["noticed", "test/room/sum.test.ts, which did not end"],
      ["noticed", "test/room/sum.test.ts"],
      ["not noticed", undefined],
    ]);
  });

  it("tries nothing when the tests fail without a fault", async () => {
    write("src/room/sum.ts", source.replace("a + b", "b"));
    try {
      const mutants = [fault("=> b", "=> a")];
      await expect(runMutants({ root, mutants })).rejects.toThrow("fail without any");
    } finally {
      write("src/room/sum.ts", source);
    }
  });
});

describe("sums", () => {
  const result = (outcome: Outcome): Result => ({ mutant: fault("a", "b"), outcome, seconds: 1 });
  const of = (noticed: number, missed: number, ...more: Outcome[]): boolean =>
    sums([
      ...Array.from({ length: noticed }, () => result("noticed")),
      ...Array.from({ length: missed }, () => result("not noticed")),
      ...more.map(result),
    ]).ok;

  it("wants nine in ten of those that are not explained, and each to fit", () => {
    expect(of(9, 1)).toBe(true);
    expect(of(8, 1)).toBe(false);
    expect(of(8, 1, "explained", "explained")).toBe(false);
    expect(of(99, 0, "broken")).toBe(false);
    expect(of(0, 0)).toBe(false);
  });
});
