/**
 * `npx tsx scripts/family-header.ts FILE.gguf …`: puts the headers of tiny models into
 * test/fixtures/family-headers.json, where the tests of all families find them: an entry for each
 * architecture, new or instead of its old one.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bufferSource } from "../src/bytes/buffer.ts";
import { readGguf } from "../src/gguf/read.ts";
import { headerOf } from "../test/models/header-of.ts";

const path = fileURLToPath(new URL("../test/fixtures/family-headers.json", import.meta.url));
const headers = new Map<string, unknown>(Object.entries(JSON.parse(readFileSync(path, "utf8"))));
for (const name of process.argv.slice(2)) {
  const file = await readGguf(bufferSource(readFileSync(name), name));
  headers.set(file.metadata.string("general.architecture"), headerOf(file));
}
const lines = [...headers]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, header]) => `${JSON.stringify(name)}: ${JSON.stringify(header)}`);
writeFileSync(path, `{\n${lines.join(",\n")}\n}\n`);
