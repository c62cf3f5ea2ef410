/**
 * npm run conformance:table -- DIR [--runs ID,ID] [--only NAME,NAME] [--results FOLDER]
 *                              [--from FILE --from-run ID] [--no-run]
 *
 * Runs the architectures of DIR in all runtimes, saves the lines, and writes docs/architectures.md and
 * the table of the README from everything saved. A run that was stopped goes on where it was: only
 * what has not passed yet runs. Lines of runs made elsewhere come in with --from.
 */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseFlags, usage } from "../../cli/flags.ts";
import { readArchIndex } from "./archs.ts";
import type { RunKind } from "./results.ts";
import { between, compactTable, fullTable, parseRows, passed, runKinds } from "./results.ts";
import { type Row, select } from "./run.ts";

const ids = runKinds.map(({ id }) => id);
const FLAGS = [
  { names: ["--runs"], value: "ID,ID", help: ids.join(", ") },
  { names: ["--only"], value: "NAME,NAME", help: "names or prefixes" },
  { names: ["--results"], value: "FOLDER", help: "saved lines (default .cache/conformance)" },
  { names: ["--from"], value: "FILE", help: "lines of a run made elsewhere", many: true },
  { names: ["--from-run"], value: "ID", help: "which run those are (default node-gpu-f32)" },
  { names: ["--no-run"], help: "only the tables, from what is saved" },
];
/** What must run everywhere; the rest runs in Node. */
const everywhere = "llama qwen3 qwen3moe gemma3 lfm2 gpt-oss phi3 mistral3 qwen35 mamba2".split(
  " ",
);
const markers = ["<!-- architectures: npm run conformance:table -->", "<!-- /architectures -->"];

/** Puts a table between the markers of a guide. */
function writeTable(name: string, content: string): void {
  const file = path.join(root, name);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, between(text, markers[0], markers[1], `\n${content}\n`));
}
const root = fileURLToPath(new URL("../../", import.meta.url));

const listed = (text: string | undefined): string[] => (text ?? "").split(",").filter(Boolean);

/** Runs the models of one kind that have not passed, and saves each line as it comes. */
async function run(
  kind: RunKind,
  folder: string,
  names: readonly string[],
  file: string,
): Promise<void> {
  const args = ["scripts/run.mjs", "test/conformance/main.ts", folder, "--json"];
  args.push("--runtime", kind.runtime, "--device", kind.device);
  args.push("-ctk", kind.cache, "-ctv", kind.cache, "--only", names.join(","));
  process.stderr.write(`${kind.id}: ${names.length} models\n`);
  const env = { ...process.env, INIT_CWD: root };
  const child = spawn(process.execPath, args, {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  for await (const line of createInterface({ input: child.stdout }))
    appendFileSync(file, `${line}\n`);
  await ended;
}

async function main(args: readonly string[]): Promise<void> {
  const values = parseFlags(args, FLAGS);
  const [given] = values.positionals;
  if (given === undefined) throw usage("Which folder? npm run conformance:table -- DIR");
  const folder = path.resolve(given);
  const saved = path.resolve(values.text("results") ?? path.join(root, ".cache/conformance"));
  mkdirSync(saved, { recursive: true });
  const fileOf = (id: string): string => path.join(saved, `${id}.jsonl`);
  const rowsOf = (id: string): Row[] =>
    existsSync(fileOf(id)) ? parseRows(readFileSync(fileOf(id), "utf8")) : [];

  const from = values.choice("from-run", ids) ?? "node-gpu-f32";
  for (const file of values.texts("from"))
    for (const row of parseRows(readFileSync(file, "utf8")))
      appendFileSync(fileOf(from), `${JSON.stringify(row)}\n`);

  const entries = await readArchIndex(
    async (file) => new Uint8Array(await readFile(path.join(folder, file))),
  );
  const all = [...entries.keys()].filter((name) => !name.startsWith("archs/quantized/"));
  const chosen = select(
    all.map((name) => ({ name })),
    listed(values.text("only")),
  ).map(({ name }) => name);
  const runs = listed(values.text("runs") ?? ids.join(","));
  for (const kind of values.switch("no-run") ? [] : runKinds) {
    if (!runs.includes(kind.id)) continue;
    const done = passed(rowsOf(kind.id));
    const wanted =
      kind.runtime === "node"
        ? chosen
        : chosen.filter((name) => everywhere.includes(name.slice(6)));
    const names = wanted.filter((name) => !done.has(name));
    if (names.length > 0) await run(kind, folder, names, fileOf(kind.id));
  }

  const results = new Map(ids.map((id) => [id, rowsOf(id)] as const).filter(([, r]) => r.length));
  const month = new Date().toLocaleString("en", { month: "long", year: "numeric" });
  writeTable("docs/architectures.md", fullTable(entries, results, month));
  writeTable("README.md", compactTable(entries, results));
  for (const [id, rows] of results) {
    const done = passed(rows);
    process.stdout.write(`${id}: ${all.filter((name) => done.has(name)).length} models pass\n`);
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
