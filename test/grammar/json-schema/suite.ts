/** The groups of the JSON Schema Test Suite through the masks. */
import { runCase } from "../../schemas/run.ts";
import { byteTokenizer, byteVocabulary } from "./byte-tokens.ts";

export interface SuiteGroup {
  readonly file: string;
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly {
    readonly description: string;
    readonly data: unknown;
    readonly valid: boolean;
  }[];
}

/**
 * Host names in Punycode: whether one is sound is more than an expression can tell, so that none is
 * allowed, which makes the language smaller and no answer wrong.
 */
const isPunycode = (data: unknown): boolean => typeof data === "string" && /(^|\.)xn--/i.test(data);

/** What is judged otherwise than the suite says, how many groups are enforced, how many refused. */
export function suiteDifferences(groups: readonly SuiteGroup[]): {
  wrong: string[];
  enforced: number;
  refused: number;
} {
  const wrong: string[] = [];
  let [enforced, refused] = [0, 0];
  for (const { file, description, schema, tests } of groups) {
    // That file says that formats are remarks, those below optional/format that they are enforced.
    const formats = file === "format" ? "remarks" : "enforced";
    const one = {
      name: description,
      schema,
      tests: tests.filter(({ data, valid }) => !(valid && isPunycode(data))),
    };
    const result = runCase(one, byteTokenizer, byteVocabulary, [], { formats });
    const name = `${file}: ${description}`;
    if (result.kind === "exception") wrong.push(`${name}: ${String(result.error)}`);
    if (result.kind === "refused") {
      refused++;
      // That nothing at all is allowed is no refusal where the suite agrees.
      const empty = result.error.message.includes("no text at all");
      if (empty ? tests.some(({ valid }) => valid) : !result.error.code.startsWith("grammar/"))
        wrong.push(`${name}: ${result.error.message}`);
      if (!empty && result.error.pointer === undefined)
        wrong.push(`${name}: no pointer in ${result.error.message}`);
    }
    if (result.kind === "compiled") {
      enforced++;
      for (const text of result.validRefused) wrong.push(`${name}: refuses ${text}`);
      for (const text of result.invalidAccepted) wrong.push(`${name}: accepts ${text}`);
    }
  }
  return { wrong, enforced, refused };
}
