/**
 * Writes wgsl/mod.ts, the one module of strings that the engine imports, from the .wgsl files.
 * `npx tsx scripts/wgsl.ts` writes it; with `--check` it exits 1 when the committed module is stale.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../wgsl/", import.meta.url));
const target = `${folder}mod.ts`;

/**
 * The text of a file as a template literal, without comments and indentation: who reads a kernel
 * reads its file. The line that names needed snippets stays, and so does the number of lines, so that
 * a compiler's line numbers fit the file.
 */
function literal(text: string): string {
  const trimmed = text.replace(/\/\/(?! needs:).*$/gm, "").replace(/^[ \t]+|[ \t\r]+$/gm, "");
  return `\`${trimmed.replace(/[\\`]|\$(?=\{)/g, "\\$&")}\``;
}

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

let current = "";
try {
  current = readFileSync(target, "utf8");
} catch {
  // Not there yet.
}
if (process.argv.includes("--check")) {
  if (current !== text) {
    console.error("wgsl/mod.ts is stale: run `npx tsx scripts/wgsl.ts` and commit it");
    process.exit(1);
  }
} else if (current !== text) {
  writeFileSync(target, text);
}
