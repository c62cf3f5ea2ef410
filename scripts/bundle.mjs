/**
 * node scripts/bundle.mjs: bundles the engine for browsers, as a page's bundler would, and prints
 * what a page fetches for a model on the GPU (the engine), what it fetches later only where it must
 * (the CPU path, the decoders of quantised vectors, the grids of the IQ types), and what the worker and
 * the tools add. Exits 1 when the engine or the kernels of the CPU path are over their limits.
 */
import path from "node:path";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";
import { build } from "vite";
import { root } from "./unpack.mjs";

/** Bytes after gzip that the engine with its shaders may take. */
export const limit = 156 * 1024;
/** Bytes after gzip that the kernels of the CPU path, their assembler and their ops may take. */
const wasmLimit = 15 * 1024;
/** And what quantising may, beyond what the engine has. */
const quantizeLimit = 25 * 1024;

const engine = { webgguf: "mod.ts" };
const worker = { worker: "src/worker/mod.ts" };
const tools = { tools: "src/tools/mod.ts" };
const quantize = { quantize: "src/quantize/index.ts" };

/**
 * The chunks of a production build of some doors: `{ name, code, gzip, later, files }` each. What no door imports
 * when it starts is fetched `later`, if at all.
 */
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
  const chunks = output.filter((chunk) => chunk.type === "chunk");
  const atOnce = new Set();
  const visit = ({ fileName, imports }) => {
    if (atOnce.has(fileName)) return;
    atOnce.add(fileName);
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) visit(chunk);
  };
  for (const chunk of chunks) if (chunk.isEntry) visit(chunk);
  return chunks.map(({ fileName, code, moduleIds }) => ({
    name: fileName,
    code,
    gzip: zlib.gzipSync(code, { level: 9 }).length,
    later: !atOnce.has(fileName),
    files: moduleIds.map((id) => path.relative(root, id)),
  }));
}

/** Words that tell of code for Node in a bundle. */
export function nodeWords(code) {
  return [...new Set(code.match(/undici|node:\w+|["'`]webgpu["'`]|dawn\.node/g) ?? [])];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
  const sumOf = (some) => some.reduce((bytes, { gzip }) => bytes + gzip, 0);
  const alone = await bundle(engine);
  const withWorker = await bundle({ ...engine, ...worker });
  const withTools = await bundle({ ...engine, ...worker, ...tools });
  for (const { name, code, gzip, later } of alone) {
    const when = later ? ", fetched where it is needed" : "";
    console.log(`${name}: ${kilobytes(code.length)}, gzipped ${kilobytes(gzip)}${when}`);
  }
  const sum = sumOf(alone.filter(({ later }) => !later));
  console.log(`worker: gzipped ${kilobytes(sumOf(withWorker) - sumOf(alone))} more`);
  console.log(`tools: gzipped ${kilobytes(sumOf(withTools) - sumOf(withWorker))} more`);
  const quantizing = sumOf(await bundle({ ...engine, ...quantize })) - sumOf(alone);
  console.log(
    `quantize: gzipped ${kilobytes(quantizing)} more of at most ${kilobytes(quantizeLimit)}`,
  );
  console.log(`engine: gzipped ${kilobytes(sum)} of at most ${kilobytes(limit)}`);
  const wasm = sumOf(alone.filter(({ files }) => files.includes("src/cpu/wasm/products.ts")));
  console.log(`wasm: gzipped ${kilobytes(wasm)} of at most ${kilobytes(wasmLimit)}`);
  const words = withWorker.flatMap(({ code }) => nodeWords(code));
  if (words.length > 0) console.log(`it holds code for Node: ${words.join(", ")}`);
  const over = sum > limit || wasm > wasmLimit || quantizing > quantizeLimit;
  process.exitCode = over || words.length > 0 ? 1 : 0;
}
