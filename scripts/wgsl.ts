/**
 * Writes wgsl/mod.ts, the one module of strings that the engine imports, from the .wgsl files, and before that
 * the .wgsl file that is itself generated (the layout of a step).
 * `npx tsx scripts/wgsl.ts` writes them; with `--check` it exits 1 when a committed one is stale.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  HEADER,
  HEADER_WORDS,
  RECORD,
  RECORD_WORDS,
  SAMPLED,
  SAMPLING,
  SAMPLING_WORDS,
} from "../src/plan/step-layout.ts";

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

/**
 * The text of a file as a template literal, without comments and indentation: who reads a kernel
 * reads its file. The line that names needed snippets stays, and so does the number of lines, so that
 * a compiler's line numbers fit the file.
 */
function literal(text: string): string {
  const trimmed = text.replace(/\/\/(?! needs:).*$/gm, "").replace(/^[ \t]+|[ \t\r]+$/gm, "");
  return `\`${trimmed.replace(/[\\`]|\$(?=\{)/g, "\\$&")}\``;
}

const wgslName = (name: string): string => name.replace(/[A-Z]/g, "_$&").toUpperCase();

/** The text of wgsl/lib/step-layout.wgsl. */
function stepLayoutWgsl(): string {
  const constant = (name: string, value: number): string => `const ${name} = ${value}u;`;
  const group = (name: string, words: Readonly<Record<string, number>>, size: number): string[] => [
    ...Object.entries(words).map(([word, at]) => constant(`${name}_${wgslName(word)}`, at)),
    constant(`${name}_WORDS`, size),
    "",
  ];
  return [
    "// lib/step-layout.wgsl: word offsets in a step. Generated from src/plan/step-layout.ts, which says what each is.",
    constant("SAMPLED", SAMPLED),
    "",
    ...group("HEADER", HEADER, HEADER_WORDS),
    ...group("RECORD", RECORD, RECORD_WORDS),
    ...group("SAMPLING", SAMPLING, SAMPLING_WORDS),
  ].join("\n");
}

settle("lib/step-layout.wgsl", stepLayoutWgsl());

const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .map((name) => name.replaceAll("\\", "/"))
  .filter((name) => name.endsWith(".wgsl"))
  .map((name) => name.slice(0, -".wgsl".length))
  .sort();
const entries = names.map(
  (name) =>
    `  ${JSON.stringify(name)}: ${literal(readFileSync(`${folder}${name}.wgsl`, "utf8"))},\n`,
);
const text = `/** Generated from the .wgsl files by scripts/wgsl.ts: the shader texts by name. */
export const wgsl: Readonly<Record<string, string>> = {
${entries.join("")}};
`;

settle("mod.ts", text);
