/**
 * npm run conformance -- DIR [--device gpu|cpu] [--runtime node|deno|chromium] [--only NAME,NAME]
 *                        [-ctk T -ctv T] [--int8 on] [--no-fuse NAME,NAME] [--steps-in-flight N] [--json]
 *
 * Compares this engine with the reference outputs in DIR. One line a figure; differences with a cause in
 * the tables of exceptions are "known". Exit code 0 when all others pass, 1 when one fails, 2 when nothing
 * was found to run.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseFlags, usage } from "../../cli/flags.ts";
import { fusionNames } from "../../src/plan/fuse/index.ts";
import type { Reader } from "./case.ts";
import { conformance, type Row, type Settings } from "./run.ts";

const FLAGS = [
  {
    names: ["--device"],
    value: "gpu|cpu",
    help: "what computes (default: the GPU if there is one)",
  },
  { names: ["--runtime"], value: "NAME", help: "node, deno or chromium (default: this one)" },
  { names: ["--only"], value: "NAME,NAME", help: "names or prefixes" },
  {
    names: ["-ctk", "--cache-type-k"],
    value: "TYPE",
    help: "f32, f16, q8_0 or q4_0 (default f16)",
  },
  { names: ["-ctv", "--cache-type-v"], value: "TYPE", help: "the same" },
  { names: ["--int8"], value: "on|off", help: "activations as signed bytes (default off)" },
  {
    names: ["--no-fuse"],
    value: "NAME,NAME",
    help: `fusions to leave out, or all: ${fusionNames.join(", ")}`,
  },
  {
    names: ["--steps-in-flight"],
    value: "N",
    help: "steps that share a submit (default: measured)",
  },
  { names: ["--json"], help: "one JSON object a line" },
];
const CACHES = ["f32", "f16", "q8_0", "q4_0"] as const;
const root = fileURLToPath(new URL("../../", import.meta.url));

const readerOf =
  (folder: string): Reader =>
  async (file) =>
    new Uint8Array(await readFile(path.join(folder, file)));

/** The folder `tiny-model` in or beside DIR, else the repository's own. */
function tinyModelReader(folder: string): Reader {
  const found = [folder, path.dirname(folder)]
    .map((parent) => path.join(parent, "tiny-model"))
    .find((candidate) => existsSync(path.join(candidate, "greedy.json")));
  if (found) return readerOf(found);
  const own = readerOf(path.join(root, "test/fixtures/tiny-model"));
  const bundled = readerOf(path.join(root, "models"));
  return (file) => own(file).catch(() => bundled(file));
}

const number = (value: number | null): string =>
  value === null
    ? "-"
    : value === 0 || Math.abs(value) >= 1e-2
      ? String(value)
      : value.toExponential(2);

function print(row: Row, json: boolean): void {
  const { known, ...plain } = row;
  const text = json
    ? JSON.stringify(plain)
    : `${row.pass ? "pass" : known ? "known" : "FAIL"}  ${row.name}  ${row.metric} ${number(row.value)} (bound ${number(row.bound)})  ${row.runtime}, ${row.adapter}`;
  process.stdout.write(`${text}\n`);
}

async function main(args: readonly string[]): Promise<number> {
  const values = parseFlags(args, FLAGS);
  const [folder] = values.positionals;
  if (folder === undefined) throw usage("Which folder? npm run conformance -- DIR");
  const noFuse = values.text("no-fuse");
  const settings: Settings = {
    device: values.choice("device", ["gpu", "cpu"]),
    only: (values.text("only") ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean),
    cacheTypeK: values.choice("cache-type-k", CACHES) ?? "f16",
    cacheTypeV: values.choice("cache-type-v", CACHES) ?? "f16",
    noFuse: noFuse === "all" ? fusionNames : noFuse?.split(","),
    stepsInFlight: values.integer("steps-in-flight"),
    int8: values.choice("int8", ["on", "off"]) ?? "off",
  };
  const here = "Deno" in globalThis ? "deno" : "node";
  const runtime = values.choice("runtime", ["node", "deno", "chromium"]) ?? here;
  if (runtime === "deno" && here === "node") return inDeno(args);
  const absolute = path.resolve(folder);
  const readers = { reference: readerOf(absolute), tinyModel: tinyModelReader(absolute) };
  const problem = (text: string): void => void process.stderr.write(`${text}\n`);
  const rows =
    runtime === "chromium"
      ? (await import("./chromium.ts")).inChromium(root, readers, settings, problem)
      : conformance(readers, settings, problem);
  let count = 0;
  let failed = 0;
  let known = 0;
  for await (const row of rows) {
    count++;
    if (row.known) known++;
    else if (!row.pass) failed++;
    print(row, values.switch("json"));
  }
  const explained = known > 0 ? `${known} known to differ, ` : "";
  process.stderr.write(`${count - failed - known} passed, ${explained}${failed} failed\n`);
  return count === 0 ? 2 : failed > 0 ? 1 : 0;
}

/** The same program in the packaged Deno. */
async function inDeno(args: readonly string[]): Promise<number> {
  const { denoCommand } = await import("../run/deno.mjs");
  const [program, ...first] = denoCommand;
  const options = ["run", "-A", "--no-check", "--quiet", "--node-modules-dir=manual"];
  const script = fileURLToPath(import.meta.url);
  // Deno finds its configuration from the repository's root; paths mean what the user typed.
  const child = spawn(
    program,
    [...first, ...options, `--config=${path.join(root, "deno.json")}`, script, ...args],
    {
      stdio: "inherit",
    },
  );
  return new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
process.stdout.write("", () => process.exit());
