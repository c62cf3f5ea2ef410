/**
 * node scripts/bundle.mjs: bundles the engine for browsers, as a page's bundler would, and prints
 * its size and what the tools add to it. Exits 1 when the engine is over the limit.
 */
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";
import { build } from "vite";
import { root } from "./unpack.mjs";

/** Bytes after gzip that the engine, its worker and its shaders may take. */
export const limit = 140 * 1024;

/** The doors of the engine, which pages load. */
const engine = { webgguf: "mod.ts", worker: "src/worker/mod.ts" };

/** The chunks of a production build of some doors: `{ name, code, gzip }` each. */
export async function bundle(input) {
  const { output } = [
    await build({
      configFile: false,
      root,
      logLevel: "error",
      build: {
        write: false,
        minify: true,
        target: "es2022",
        // As an application's build: library builds keep their whitespace.
        modulePreload: false,
        rolldownOptions: {
          input,
          preserveEntrySignatures: "strict",
        },
      },
    }),
  ].flat()[0];
  return output
    .filter((chunk) => chunk.type === "chunk")
    .map(({ fileName, code }) => ({
      name: fileName,
      code,
      gzip: zlib.gzipSync(code, { level: 9 }).length,
    }));
}

/** Words that tell of code for Node in a bundle. */
export function nodeWords(code) {
  return [...new Set(code.match(/undici|node:\w+|["'`]webgpu["'`]|dawn\.node/g) ?? [])];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const chunks = await bundle(engine);
  const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
  for (const { name, code, gzip } of chunks) {
    console.log(`${name}: ${kilobytes(code.length)}, gzipped ${kilobytes(gzip)}`);
  }
  const sumOf = (some) => some.reduce((bytes, { gzip }) => bytes + gzip, 0);
  const sum = sumOf(chunks);
  const withTools = await bundle({ ...engine, tools: "src/tools/mod.ts" });
  console.log(`tools: gzipped ${kilobytes(sumOf(withTools) - sum)} more`);
  console.log(`engine: gzipped ${kilobytes(sum)} of at most ${kilobytes(limit)}`);
  const words = chunks.flatMap(({ code }) => nodeWords(code));
  if (words.length > 0) console.log(`it holds code for Node: ${words.join(", ")}`);
  process.exitCode = sum > limit || words.length > 0 ? 1 : 0;
}
