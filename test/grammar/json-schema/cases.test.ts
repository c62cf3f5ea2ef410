/**
 * Schemas with instances, our own and those of the JSON Schema Test Suite: enforced both ways or
 * refused before anything is generated, never wrong. `npm run test:schemas` runs any such file.
 */
import { describe, expect, it } from "vitest";
import { jsonSchemaGrammar } from "../../../src/grammar/json-schema/grammar.ts";
import { fixtureText } from "../../fixture.ts";
import { runCase, type SchemaCase, summary } from "../../schemas/run.ts";
import { written } from "../../schemas/write.ts";
import { byteTokenizer, byteVocabulary } from "./byte-tokens.ts";
import { recognise } from "./recognise.ts";
import { type SuiteGroup, suiteDifferences } from "./suite.ts";

const lines = async <T>(name: string): Promise<T[]> =>
  (await fixtureText(`schemas/${name}`))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

const cases = await lines<SchemaCase>("cases.jsonl");
const suite = await lines<SuiteGroup>("draft2020-12.jsonl");

describe("a schema's masks", () => {
  it("let every valid instance through, token by token, and no invalid one", () => {
    const results = cases.map((one) => runCase(one, byteTokenizer, byteVocabulary, []));
    const wrong = results.flatMap((result, i) =>
      result.kind === "compiled" && result.validRefused.length + result.invalidAccepted.length === 0
        ? []
        : [[cases[i].name, result]],
    );
    expect(wrong).toEqual([]);
    // The order in which our own instances are written is that of their schemas.
    expect(summary(results, []).reordered).toBe(0);
  });

  it("are those of the grammar's rules, tried one by one", () => {
    for (const { name, schema, tests } of cases) {
      const grammar = jsonSchemaGrammar(schema);
      for (const { valid, data } of tests)
        expect([name, data, recognise(grammar, written(data))]).toEqual([name, data, valid]);
    }
  });
});

describe("the JSON Schema Test Suite", () => {
  it("is enforced or refused, group by group", () => {
    const { wrong, enforced, refused } = suiteDifferences(suite);
    expect(wrong).toEqual([]);
    expect(enforced).toBeGreaterThan(4 * refused);
  });
});
