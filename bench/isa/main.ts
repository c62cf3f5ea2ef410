/**
 * npm run bench:isa [-- OPTIONS]: what real GPUs' compilers make of the kernels, without a GPU.
 *
 * Mesa's drivers for AMD (RADV), NVIDIA (NVK), Apple (Honeykrisp) and Qualcomm (Turnip) run over shims that compile and
 * execute nothing; collect.ts makes every pipeline of some plans there, tap.c writes down what the driver says of each,
 * and lines.ts counts the cache lines that the kernels' loads touch. --help lists the options.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { platform } from "#platform";
import type { CacheType } from "../../src/graph/settings.ts";
import type { CollectedCase, CollectSettings } from "./collect.ts";
import { type Figures, figuresOf, type Statistics } from "./figures.ts";
import { gpus, type IsaGpu } from "./gpus.ts";
import { linesFor } from "./lines.ts";
import { readListing } from "./listing.ts";
import { nameOf, plannedKernels } from "./plans.ts";
import { compared, details, type Measured, roofline, type Then, table } from "./report.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = path.resolve(here, "../..");
const cache = path.join(root, ".cache/isa");
const libraries = path.join(cache, "root/usr/lib/x86_64-linux-gnu");

const help = `usage: npm run bench:isa -- [options]
  --gpu A,B       ${Object.keys(gpus).join(", ")}   [navi33,ampere,m1]
  --plan A,B      SHAPE:TYPE[:int8]   [llama-3-8b:q4_k_m,qwen3-0.6b:q8_0,gpt-oss-20b:mxfp4]; "none"
  --wgsl A,B      whole shaders besides (layout "auto", first entry point)
  --spirv A;B     SPIR-V files, each with its specialisation constants as in x.spv:64,4,1
  --peers         llama.cpp's Vulkan shaders for Q4_0, Q8_0, Q4_K and Q6_K besides, in tables of their own
  --filter RE     of "PLAN xROWS KERNEL VARIANT"
  --cache f16     type of the KV cache;  --context N   [4096]
  --tuning JSON   over src/plan/tuning.ts's, such as {"lanes":16}
  --deno          through naga and wgpu instead of Tint and Dawn
  --clamp         Dawn clamps indices itself and the driver checks none, as on Metal (on Vulkan the driver checks)
  --unsafe        Dawn's disable_robustness
  --json FILE     write the figures;  --compare FILE   such a file of before   [bench/isa/baseline.json]
  --loops         every loop besides, with its commonest instructions
  --keep FOLDER   keep SPIR-V, intermediate and machine code there`;

const { values: flags } = parseArgs({
  options: {
    gpu: { type: "string", default: "navi33,ampere,m1" },
    plan: { type: "string", default: "llama-3-8b:q4_k_m,qwen3-0.6b:q8_0,gpt-oss-20b:mxfp4" },
    wgsl: { type: "string", default: "" },
    spirv: { type: "string", default: "" },
    peers: { type: "boolean", default: false },
    filter: { type: "string" },
    cache: { type: "string", default: "f16" },
    context: { type: "string", default: "4096" },
    tuning: { type: "string" },
    json: { type: "string" },
    compare: { type: "string" },
    keep: { type: "string" },
    deno: { type: "boolean", default: false },
    clamp: { type: "boolean", default: false },
    unsafe: { type: "boolean", default: false },
    loops: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (flags.help) {
  console.log(help);
  process.exit(0);
}
const list = (text: string): string[] => text.split(",").filter((one) => one && one !== "none");
const unknown = list(flags.gpu).find((name) => !Object.hasOwn(gpus, name));
if (unknown !== undefined) {
  console.error(`bench:isa: no GPU "${unknown}"\n${help}`);
  process.exit(2);
}
const spirv = flags.spirv
  .split(";")
  .filter(Boolean)
  .map((file) => path.resolve(file));
const settings: CollectSettings = {
  plans: spirv.length > 0 ? [] : list(flags.plan),
  wgsl: list(flags.wgsl).map((file) => path.resolve(file)),
  filter: flags.filter,
  cache: flags.cache as CacheType,
  context: Number(flags.context),
  tuning: flags.tuning === undefined ? undefined : JSON.parse(flags.tuning),
  enable: flags.unsafe ? "disable_robustness" : "",
  disable: flags.clamp ? "vulkan_use_buffer_robust_access_2" : "",
};

/** Weights that a thread of llama.cpp's shaders multiplies in a turn of the largest loop, which takes two rows of them. */
const peerWeights = { Q4_0: 64, Q8_0: 64, Q4_K: 32, Q6_K: 32 };

/** A SPIR-V file with its specialisation constants, as the table has it. */
const foreign = (key: string): CollectedCase => {
  const kernel = path.basename(key);
  return { key, name: kernel, model: "", rows: 0, kernel, variant: "", count: 1, consts: {} };
};
const peers = Object.entries(flags.peers ? peerWeights : {}).flatMap(([type, weights]) =>
  // 64 threads, two rows of weights, and so many of activations.
  [1, 8].map((rows): CollectedCase => {
    const key = `${path.join(cache, `peers/${type.toLowerCase()}.spv`)}:64,2,${rows}`;
    const about = { kernel: "matvec", variant: type, count: 1, model: "llama.cpp's Vulkan" };
    const consts = { WEIGHTS: weights, ROWS: rows };
    return { ...foreign(key), ...about, name: `llama.cpp ${type} x${rows}`, rows, consts };
  }),
);

/** Cache lines by the kernels' names; the device here runs the shaders, the plans are those of a real GPU. */
async function countLines(): Promise<Map<string, number | undefined>> {
  const gpu = await platform.openGpu();
  const found = new Map<string, number | undefined>();
  const { capabilities } = gpu;
  const real = { ...capabilities, software: false };
  for (const one of await plannedKernels(settings, real))
    found.set(nameOf(one), await linesFor(gpu, one.call, one.rows, settings.context));
  gpu.dispose();
  return found;
}

/** The program that makes the pipelines, and what it is told. */
function program(files: readonly CollectedCase[]): string[] {
  if (files.length > 0) return [path.join(cache, "tap/offline"), ...files.map(({ key }) => key)];
  const collect = path.join(here, "collect.ts");
  if (!flags.deno) return [process.execPath, "--import", "tsx", collect];
  const deno = path.join(root, "node_modules/@deno/linux-x64-glibc/deno");
  const options = ["-A", "--no-check", "--quiet", "--node-modules-dir=manual"];
  return [deno, "run", ...options, "--config", path.join(root, "deno.json"), collect];
}

/** What tap.c writes of a pipeline. */
interface Tapped {
  readonly label: string;
  readonly number: number;
  readonly executables: readonly {
    readonly statistics: Statistics;
    readonly texts: readonly string[];
  }[];
}

function jsonLines<T>(file: string): T[] {
  if (!fs.existsSync(file)) return [];
  const text = fs.readFileSync(file, "utf8");
  return text.split("\n").flatMap((line) => (line ? [JSON.parse(line) as T] : []));
}

/** Honeykrisp prints its code instead of handing it over, shader after shader; addresses begin again with each. */
function appleTexts(log: string): string[][] {
  const texts: string[][] = [];
  let last = Number.POSITIVE_INFINITY;
  for (const line of log.split("\n")) {
    const [, at] = /^\s*([0-9a-f]+): [0-9a-f]+\s/.exec(line) ?? [];
    if (!at) continue;
    const number = Number.parseInt(at, 16);
    if (number <= last) texts.push([]);
    last = number;
    texts.at(-1)!.push(line);
  }
  return texts;
}

/** The code of a pipeline, as the driver prints it. */
function codeOf(gpu: IsaGpu, folder: string, pipeline: Tapped, printed: string[][]): string {
  const { statistics, texts } = pipeline.executables[0];
  if (gpu.style === "apple") {
    // The one with as many instructions as the driver counted.
    const far = (text: string[]): number => Math.abs(text.length - statistics["Instructions"]);
    return printed.reduce((best, one) => (far(one) < far(best) ? one : best), []).join("\n");
  }
  const which = texts.findIndex((text) => /assembly/i.test(text));
  const file = path.join(folder, `${pipeline.number}-0-${which}.txt`);
  return which >= 0 && fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
}

/** Our own shaders, or files of SPIR-V. */
function measure(
  name: string,
  files: readonly CollectedCase[],
): (CollectedCase & { gpu: string; figures?: Figures })[] {
  const gpu = gpus[name];
  const folder = flags.keep
    ? path.resolve(flags.keep, files === peers ? `${name}-peers` : name)
    : fs.mkdtempSync(path.join(cache, "run-"));
  fs.mkdirSync(folder, { recursive: true });
  const log = path.join(folder, "log.txt");
  const output = fs.openSync(log, "w");
  const { status } = spawnSync(
    path.join(cache, "tap/ld-linux-x86-64.so.2"),
    [
      ...["--library-path", `${path.join(cache, "tap")}:${libraries}`],
      ...["--preload", path.join(libraries, `lib${gpu.shim}_noop_drm_shim.so`), ...program(files)],
    ],
    {
      cwd: root,
      stdio: ["ignore", output, output],
      env: {
        ...process.env,
        ...gpu.env,
        LD_PRELOAD: "",
        LD_LIBRARY_PATH: "",
        VK_ICD_FILENAMES: path.join(cache, `root/usr/share/vulkan/icd.d/${gpu.icd}_icd.json`),
        TAP_LOADER: path.join(libraries, "libvulkan.so.1"),
        TAP_OUT: folder,
        MESA_SHADER_CACHE_DISABLE: "true",
        COLLECT: JSON.stringify(settings),
        COLLECT_VENDOR: gpu.style ?? "",
        ...(flags.clamp && { TAP_PLAIN: "1" }),
      },
    },
  );
  fs.closeSync(output);
  const logged = fs.readFileSync(log, "utf8");
  if (status !== 0) console.error(`${name}: ${logged.trim().split("\n").slice(-6).join("\n")}`);
  const found = jsonLines<Tapped>(path.join(folder, "pipelines.jsonl"));
  const made = new Map(found.map((one) => [one.label, one]));
  const printed = gpu.style === "apple" ? appleTexts(logged) : [];
  const cases = [...files, ...jsonLines<CollectedCase>(path.join(folder, "cases.jsonl"))];
  const results = cases.map((about) => {
    const pipeline = made.get(about.key);
    // A driver may give no statistics.
    if (!pipeline?.executables[0]) return { ...about, gpu: name };
    const text = codeOf(gpu, folder, pipeline, printed);
    const listing = text && gpu.style ? readListing(gpu.style, text) : undefined;
    const { statistics } = pipeline.executables[0];
    return { ...about, gpu: name, listing, figures: figuresOf(gpu, about, statistics, listing) };
  });
  if (!flags.keep) fs.rmSync(folder, { recursive: true });
  return results;
}

const lines = await countLines();
const results: Measured[] = list(flags.gpu).flatMap((name) =>
  [...measure(name, spirv.map(foreign)), ...(flags.peers ? measure(name, peers) : [])].map(
    (one) => ({
      ...one,
      lines: lines.get(one.name),
    }),
  ),
);
for (const result of results)
  if (!result.figures)
    console.error(`${result.gpu} ${result.name}: the driver gives no statistics`);
console.log(table(results, flags.loops ? details : undefined));
console.log(roofline(results));
const old = flags.compare ?? path.join(here, "baseline.json");
if (!flags.json || flags.compare)
  console.log(compared(results, JSON.parse(fs.readFileSync(old, "utf8")) as Then));
if (flags.json) {
  const entries = results.flatMap(({ gpu, name, figures: f, lines: l }): string[] => {
    if (!f) return [];
    const { registers, spills, scratch, waves, perWeight, loop, slotsPerProduct } = f;
    const rounded = (value = 0): number => Math.round(100 * value) / 100;
    const row = [loop?.instructions ?? 0, loop?.valu ?? 0, registers, spills, scratch, waves];
    row.push(rounded(perWeight), rounded(slotsPerProduct), Math.round(l ?? 0));
    return [`${JSON.stringify(`${gpu} ${name}`)}:${JSON.stringify(row)}`];
  });
  fs.writeFileSync(flags.json, `{\n${[...new Set(entries)].join(",\n")}\n}\n`);
}
