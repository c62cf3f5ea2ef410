/**
 * node scripts/bundle.mjs: bundles the engine for browsers, as a page's bundler would, and prints
 * its size and what the worker and the tools add to it. Exits 1 when the engine is over the limit.
 */
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";
import { build } from "vite";
import { root } from "./unpack.mjs";

/** Bytes after gzip that the engine with its shaders may take. */
export const limit = 150 * 1024;

const engine = { webgguf: "mod.ts" };
const worker = { worker: "src/worker/mod.ts" };
const tools = { tools: "src/tools/mod.ts" };

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
  const chunks = await bundle({ ...engine, ...worker });
  const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
  for (const { name, code, gzip } of chunks) {
    console.log(`${name}: ${kilobytes(code.length)}, gzipped ${kilobytes(gzip)}`);
  }
  const sumOf = (some) => some.reduce((bytes, { gzip }) => bytes + gzip, 0);
  const sum = sumOf(await bundle(engine));
  const more = sumOf(chunks) - sum;
  console.log(`worker: gzipped ${kilobytes(more)} more`);
  const withTools = await bundle({ ...engine, ...worker, ...tools });
  console.log(`tools: gzipped ${kilobytes(sumOf(withTools) - sumOf(chunks))} more`);
  console.log(`engine: gzipped ${kilobytes(sum)} of at most ${kilobytes(limit)}`);
  const words = chunks.flatMap(({ code }) => nodeWords(code));
  if (words.length > 0) console.log(`it holds code for Node: ${words.join(", ")}`);
  process.exitCode = sum > limit || words.length > 0 ? 1 : 0;
}
