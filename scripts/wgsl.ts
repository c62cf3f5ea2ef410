/**
 * Writes wgsl/mod.ts, the one module of strings that the engine imports, from the .wgsl files, and before that
 * the .wgsl files that are themselves generated, because the host has their numbers too.
 * `npx tsx scripts/wgsl.ts` writes them; with `--check` it exits 1 when a committed one is stale.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { activations, QUICK_GELU_ALPHA } from "../src/graph/activations.ts";
import { elementwiseKinds } from "../src/kernels/elementwise-kinds.ts";
import {
  HEADER,
  HEADER_WORDS,
  RECORD,
  RECORD_WORDS,
  SAMPLED,
  SAMPLING,
  SAMPLING_WORDS,
} from "../src/plan/step-layout.ts";
import { wgslModule } from "./wgsl-module.ts";

const folder = fileURLToPath(new URL("../wgsl/", import.meta.url));

/** Brings a generated file up to date, or ends the process where that was only to be checked. */
function settle(name: string, text: string): void {
  let current = "";
  try {
    current = readFileSync(`${folder}${name}`, "utf8");
  } catch {
    // Not there yet.
  }
  if (current === text) return;
  if (process.argv.includes("--check")) {
    console.error(`wgsl/${name} is stale: run \`npx tsx scripts/wgsl.ts\` and commit it`);
    process.exit(1);
  }
  writeFileSync(`${folder}${name}`, text);
}

const constantName = (name: string): string => name.replace(/[A-Z]/g, "_$&").toUpperCase();
const constant = (name: string, value: number): string => `const ${name} = ${value}u;\n`;

/** Constants for the words of a part of a step, and for its length. */
const words = (part: string, offsets: Readonly<Record<string, number>>, length: number): string =>
  Object.entries(offsets)
    .map(([name, at]) => constant(`${part}_${constantName(name)}`, at))
    .join("") + constant(`${part}_WORDS`, length);

/** Constants for the numbers of a list's members. */
const numbers = (prefix: string, names: readonly string[]): string =>
  names.map((name, i) => constant(`${prefix}_${constantName(name)}`, i)).join("");

settle(
  "lib/step-layout.wgsl",
  [
    `// lib/step-layout.wgsl: word offsets in a step. Generated from src/plan/step-layout.ts, which says what each is.
${constant("SAMPLED", SAMPLED)}`,
    words("HEADER", HEADER, HEADER_WORDS),
    words("RECORD", RECORD, RECORD_WORDS),
    words("SAMPLING", SAMPLING, SAMPLING_WORDS),
  ].join("\n"),
);
settle(
  "lib/activations.wgsl",
  `// lib/activations.wgsl: the numbers of element-wise functions. Generated from src/graph/activations.ts.
${numbers("ACT", activations)}const QUICK_GELU_ALPHA = ${QUICK_GELU_ALPHA};
`,
);
settle(
  "lib/elementwise-kinds.wgsl",
  `// lib/elementwise-kinds.wgsl: what elementwise.wgsl can do. Generated from src/kernels/elementwise-kinds.ts.
${numbers("OP", elementwiseKinds)}`,
);

const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .map((name) => name.replaceAll("\\", "/"))
  .filter((name) => name.endsWith(".wgsl"));
settle(
  "mod.ts",
  wgslModule(
    new Map(
      names.map((name) => [
        name.slice(0, -".wgsl".length),
        readFileSync(`${folder}${name}`, "utf8"),
      ]),
    ),
  ),
);
