/**
 * npm run test:schemas -- FILE.jsonl [--vocabulary GGUF] [--json] [--verbose]
 *
 * Runs a file laid out like MaskBench's (a line is `{ group, name, schema, tests: [{ valid, data }] }`)
 * through the masks and prints what passes, by group, and why schemas were refused. With `--json` the
 * last line is the summary as JSON. The vocabulary is the bundled model's unless another GGUF is
 * named. Objects have no order: an instance counts as reachable if one order of its properties is,
 * and as refused if none that was tried is. Exits with 1 if an invalid instance was accepted or
 * something was thrown.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { grammarVocabulary } from "../../src/grammar/vocabulary.ts";
import { closeFile, openFile } from "../../src/session/source.ts";
import { createTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { type CaseResult, runCase, type SchemaCase, summary } from "./run.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    vocabulary: { type: "string" },
    json: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});
if (positionals.length !== 1) {
  console.error(
    "usage: npm run test:schemas -- FILE.jsonl [--vocabulary GGUF] [--json] [--verbose]",
  );
  process.exit(2);
}
const bundled = fileURLToPath(new URL("../../models/webgguf-tale-q8_0.gguf", import.meta.url));
const cases = (await readFile(positionals[0], "utf8"))
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => JSON.parse(line) as SchemaCase);
const file = await openFile(values.vocabulary ?? bundled, undefined);
const tokenizer = createTokenizer(file.metadata);
await closeFile(file);
const vocabulary = grammarVocabulary(tokenizer);

const maskUs: number[] = [];
const results = new Map<string, CaseResult[]>();
const reasons = new Map<string, number>();
for (const one of cases) {
  const result = runCase(one, tokenizer, vocabulary, maskUs);
  const group = one.group ?? "";
  results.set(group, [...(results.get(group) ?? []), result]);
  if (result.kind === "exception") console.log(`${one.name}: ${String(result.error)}`);
  if (result.kind === "refused") {
    const { code, keyword, message } = result.error;
    const reason = `${code} ${keyword ?? ""}`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    if (values.verbose) console.log(`${one.name}: ${message}`);
  }
  if (result.kind === "compiled") {
    for (const text of result.invalidAccepted) console.log(`${one.name}: accepts ${text}`);
    if (values.verbose)
      for (const text of result.validRefused) console.log(`${one.name}: refuses ${text}`);
  }
}
for (const [group, list] of results) {
  const { cases, passing, refusedAtCompile } = summary(list, []);
  console.log(
    `${group.padEnd(20)} ${passing} of ${cases} pass, ${refusedAtCompile} refused at compile`,
  );
}
for (const [reason, count] of [...reasons].sort((a, b) => b[1] - a[1]))
  console.log(`${String(count).padStart(5)} × ${reason}`);
const all = summary([...results.values()].flat(), maskUs);
if (values.json) console.log(JSON.stringify(all));
else for (const [name, value] of Object.entries(all)) console.log(`${name.padEnd(20)} ${value}`);
process.exit(all.invalidAccepted + all.exceptions > 0 ? 1 : 0);
