/**
 * npm run bench:peers -- --model FILE [--install] [-p 128] [-n 32] [-r 3] [--engines A,B] [--json]
 *
 * The same model file through webgguf, wllama (WebGPU and CPU) and node-llama-cpp (CPU; Vulkan and
 * CUDA with --gpu vulkan,cuda), one run of each after the other, after one that does not count;
 * medians, and ratios to webgguf in the same Chromium. Without --model a random model of
 * SmolLM2-135M's shape is made (--shape, --type). --chromium PATH and --chromium-flags "…" take
 * another browser, --lavapipe the packaged one on Mesa's software driver. webgguf runs as it does by itself and
 * with int8 activations. An engine that cannot run says so and is left out; onnxruntime-web is not among them,
 * because it cannot read GGUF files. With --cpu: the engines for CPUs, see cpu.ts.
 */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { median } from "../../src/base/median.ts";
import { writeModelFile } from "../model-file.ts";
import { openPeerBrowser } from "./browser.ts";
import { compareCpu } from "./cpu.ts";
import type { Engine, PeerCounts, PeerResult, PeerRun } from "./engine.ts";
import { install } from "./install.ts";
import { disguisedChromium } from "./lavapipe.ts";
import { openNative } from "./native.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", short: "m" },
    shape: { type: "string", default: "smollm2-135m" },
    type: { type: "string", default: "q8_0" },
    install: { type: "boolean", default: false },
    gpu: { type: "string", default: "" },
    prompt: { type: "string", short: "p", default: "128" },
    tokens: { type: "string", short: "n", default: "32" },
    repetitions: { type: "string", short: "r", default: "3" },
    threads: { type: "string" },
    context: { type: "string", default: "1024" },
    engines: { type: "string" },
    chromium: { type: "string" },
    "chromium-flags": { type: "string", default: "" },
    lavapipe: { type: "boolean", default: false },
    cpu: { type: "boolean", default: false },
    models: {
      type: "string",
      default: "smollm2-135m:q8_0,smollm2-135m:q4_0,qwen3-0.6b:q4_k_m",
    },
    json: { type: "boolean", default: false },
  },
});
const gpus = values.gpu.split(",").filter(Boolean) as ("vulkan" | "cuda")[];
const threads = Number(values.threads ?? (values.cpu ? 1 : os.availableParallelism()));
const context = Number(values.context);
const promptLength = Number(values.prompt);
const tokens = Number(values.tokens);
const repetitions = Number(values.repetitions);

/** Lower-case letters, each a token in random models, with a beginning of its own. */
let prompts = 0;
function prompt(length: number): string {
  const from = ++prompts;
  return Array.from({ length }, (_, i) =>
    String.fromCharCode(97 + ((i * i + i * from + 7 * from) % 26)),
  ).join("");
}

/** Calls for a token: what 16 more tokens add. */
async function perToken(engine: Engine): Promise<PeerCounts | undefined> {
  if (!engine.counts) return undefined;
  const cost = async (count: number): Promise<PeerCounts> => {
    const before = await engine.counts!();
    // So short that it is one submit, whatever was learned of chunks.
    await engine.run(prompt(6), count);
    const after = await engine.counts!();
    return Object.fromEntries(
      Object.entries(after).map(([name, calls]) => [name, calls - (before[name] ?? 0)]),
    );
  };
  // What a prompt leaves behind is put away when the next one comes, so that the first differs.
  await cost(9);
  const short = await cost(9);
  const long = await cost(25);
  if (!(long["dispatches"] > 0))
    throw new Error("it dispatched nothing: it computes on the CPU here");
  return Object.fromEntries(
    Object.entries(long).map(([name, calls]) => [name, (calls - (short[name] ?? 0)) / 16]),
  );
}

async function compare(model: string): Promise<PeerResult[]> {
  const flags = values["chromium-flags"].split(" ").filter(Boolean);
  const disguised = values.lavapipe ? disguisedChromium() : undefined;
  const browser = await openPeerBrowser(
    model,
    disguised?.executable ?? values.chromium,
    [...flags, ...(disguised?.flags ?? [])],
    disguised?.env,
  );
  const page =
    (engine: "webgguf" | "wllama", gpu: boolean, int8 = false) =>
    (): Promise<Engine> => {
      const where = gpu ? "WebGPU" : `CPU, ${threads} threads`;
      const name = `${engine} ${where}${int8 ? ", int8" : ""}`;
      return browser.open(name, { engine, gpu, int8, threads, context });
    };
  const native = (gpu: false | "vulkan" | "cuda") => () => openNative(model, gpu, threads, context);
  const all: Record<string, () => Promise<Engine>> = {
    webgguf: page("webgguf", true),
    "webgguf-int8": page("webgguf", true, true),
    "wllama-webgpu": page("wllama", true),
    "wllama-cpu": page("wllama", false),
    "llama-cpu": native(false),
    ...Object.fromEntries(gpus.map((gpu) => [`llama-${gpu}`, native(gpu)])),
  };
  const wanted = values.engines?.split(",") ?? Object.keys(all);
  for (const name of wanted)
    if (!Object.hasOwn(all, name))
      throw new Error(`No engine "${name}": there are ${Object.keys(all).join(", ")}`);
  const engines: Engine[] = [];
  const runs = new Map<Engine, PeerRun[]>();
  const calls = new Map<Engine, PeerCounts | undefined>();
  /** Says so; what was measured before counts. */
  const stopped = (name: string, error: unknown): void =>
    console.error(`${name}: NOT RUN (${String(error).split("\n", 1)[0]})`);
  try {
    for (const name of wanted)
      try {
        const engine = await all[name]();
        engines.push(engine);
        await engine.run(prompt(promptLength), tokens);
        calls.set(engine, await perToken(engine));
        runs.set(engine, []);
      } catch (error) {
        stopped(name, error);
      }
    const running = new Set(runs.keys());
    for (let round = 0; round < repetitions; round++)
      for (const engine of running)
        try {
          runs.get(engine)!.push(await engine.run(prompt(promptLength), tokens));
        } catch (error) {
          stopped(`${engine.name}, round ${round + 1}`, error);
          running.delete(engine);
        }
    const measured = [...runs.keys()].filter((engine) => runs.get(engine)!.length > 0);
    return measured.map((engine) => ({
      engine: engine.name,
      promptTokensPerSecond: runs.get(engine)!.map((run) => run.promptTokens / run.promptSeconds),
      tokensPerSecond: runs.get(engine)!.map((run) => run.tokens / run.decodeSeconds),
      calls: calls.get(engine),
    }));
  } finally {
    for (const engine of engines) await engine.close().catch(() => {});
    await browser.close();
  }
}

if (values.install) install(gpus);
if (values.cpu) {
  await compareCpu({
    ...{ models: values.models.split(","), engines: values.engines?.split(",") },
    ...{ threads, context, prompt: promptLength, tokens, repetitions, json: values.json },
  });
  process.exit();
}
const draft = values.model ? undefined : mkdtempSync(path.join(os.tmpdir(), "webgguf-peers-"));
try {
  const model = path.resolve(
    process.env["INIT_CWD"] ?? process.cwd(),
    values.model ?? path.join(draft!, "model.gguf"),
  );
  if (draft) await writeModelFile(model, { shape: values.shape, type: values.type });
  const before = os.loadavg()[0];
  const results = await compare(model);
  const load = [before, os.loadavg()[0]];
  if (values.json) console.log(JSON.stringify({ model, promptLength, tokens, load, results }));
  else {
    const base = results.find(({ engine }) => engine.startsWith("webgguf"));
    console.log(
      `${path.basename(model)}: prompt ${promptLength}, ${tokens} tokens, medians of ${repetitions}; ` +
        `load average ${load.map((one) => one.toFixed(1)).join(" → ")} on ${os.availableParallelism()} cores`,
    );
    const rate = (of: readonly number[], ours: readonly number[] | undefined) => ({
      value: `${median(of).toFixed(2)} (${Math.min(...of).toFixed(2)}–${Math.max(...of).toFixed(2)})`,
      ratio: ours ? (median(ours) / median(of)).toFixed(2) : "",
    });
    console.table(
      results.map(({ engine, promptTokensPerSecond, tokensPerSecond, calls }) => {
        const prefill = rate(promptTokensPerSecond, base?.promptTokensPerSecond);
        const decode = rate(tokensPerSecond, base?.tokensPerSecond);
        return {
          engine,
          "prompt t/s": prefill.value,
          "webgguf ×": prefill.ratio,
          "decode t/s": decode.value,
          "webgguf × ": decode.ratio,
          ...calls,
        };
      }),
    );
  }
} finally {
  if (draft) rmSync(draft, { recursive: true });
}
process.exit();
