/** All of MaskBench's cases that are at hand and the whole JSON Schema Test Suite. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCase, type SchemaCase, summary } from "../../schemas/run.ts";
import { byteTokenizer, byteVocabulary } from "./byte-tokens.ts";
import { type SuiteGroup, suiteDifferences } from "./suite.ts";

const folder = fileURLToPath(new URL("../../../../shared/reference/jsonschema/", import.meta.url));
const suite = `${folder}draft2020-12.json`;
const maskBench = `${folder}maskbench-1000.jsonl`;

describe("reference data beside the repository", () => {
  it.skipIf(!existsSync(suite))("the JSON Schema Test Suite has no test that goes wrong", () => {
    const files = JSON.parse(readFileSync(suite, "utf8")) as Record<string, SuiteGroup[]>;
    const groups = Object.entries(files).flatMap(([file, list]) =>
      list.map((one) => ({ ...one, file })),
    );
    const { wrong, enforced, refused } = suiteDifferences(groups);
    expect(wrong).toEqual([]);
    expect(enforced).toBeGreaterThan(4 * refused);
  });

  it.skipIf(!existsSync(maskBench))("MaskBench passes as the guide says", () => {
    const cases = readFileSync(maskBench, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as SchemaCase);
    const results = cases.map((one) => runCase(one, byteTokenizer, byteVocabulary, []));
    const all = summary(results, []);
    expect(all).toMatchObject({ invalidAccepted: 0, exceptions: 0 });
    expect(all.validRefused).toBeLessThanOrEqual(0.002 * all.cases);
    expect(all.passing).toBeGreaterThanOrEqual(0.95 * all.cases);
    const calls = results.filter((_, i) => /^(Glaiveai2K|BFCL)$/.test(cases[i].group ?? ""));
    expect(summary(calls, []).passing).toBeGreaterThanOrEqual(0.97 * calls.length);
  });
});
