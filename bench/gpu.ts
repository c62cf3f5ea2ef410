/**
 * npm run bench:gpu [-- --models SHAPE:TYPE,…] [-p 512] [-n 128] [-r 5] [-d 0] [--layers N] [--folder DIR]
 *                   [--peers] [--gpu vulkan,cuda] [--json]
 *
 * Everything worth knowing of a GPU in one command: `webgguf bench` of the shapes that engines are compared by, each
 * written with random weights into a folder (a temporary one; the largest file has 13 GB) and deleted behind its turn.
 * --peers runs bench:peers on the same files besides (--gpu as there). --layers N leaves layers out, so that a software
 * adapter gets through. A model that cannot be run says so and is left out.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { table } from "../cli/table.ts";
import { median } from "../src/base/median.ts";
import type { BenchmarkReport } from "../src/tools/mod.ts";
import { writeModelFile } from "./model-file.ts";
import type { PeerResult } from "./peers/engine.ts";

const MODELS = [
  ...["qwen3-0.6b", "llama-3.2-1b", "llama-3-8b"].flatMap((shape) => [
    `${shape}:q4_k`,
    `${shape}:q8_0`,
  ]),
  "gpt-oss-20b:mxfp4",
];

const { values } = parseArgs({
  options: {
    models: { type: "string", default: MODELS.join(",") },
    prompt: { type: "string", short: "p", default: "512" },
    tokens: { type: "string", short: "n", default: "128" },
    repetitions: { type: "string", short: "r", default: "5" },
    depths: { type: "string", short: "d", default: "0" },
    layers: { type: "string" },
    folder: { type: "string", default: os.tmpdir() },
    peers: { type: "boolean", default: false },
    gpu: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});

interface Result {
  readonly model: string;
  readonly bench: BenchmarkReport;
  readonly peers?: readonly PeerResult[];
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** The JSON that a program of this clone prints; a process of its own leaves no memory behind. */
function child<T>(program: string, args: readonly string[]): T {
  const { stdout, status } = spawnSync(
    process.execPath,
    [path.join(root, "scripts/run.mjs"), path.join(root, program), ...args, "--json"],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 64 << 20 },
  );
  if (status !== 0) throw new Error(`${program} stopped with ${String(status)}`);
  return JSON.parse(stdout) as T;
}

async function measure(model: string, file: string): Promise<Result> {
  const [shape, type] = model.split(":");
  const layers = values.layers === undefined ? {} : { layers: Number(values.layers) };
  const { prompt, tokens, repetitions, depths } = values;
  await writeModelFile(file, { shape, type, ...layers });
  const both = ["-p", prompt, "-n", tokens, "-r", repetitions];
  const bench = child<BenchmarkReport>("cli/main.ts", [
    ...["bench", "-m", file, "-d", depths, ...both],
  ]);
  if (!values.peers) return { model, bench };
  const { results } = child<{ results: readonly PeerResult[] }>("bench/peers/main.ts", [
    ...["--model", file, ...both],
    ...(values.gpu ? ["--gpu", values.gpu] : []),
  ]);
  return { model, bench, peers: results };
}

/** A line for each test. */
function lines({ model, bench }: Result): string[][] {
  return bench.tests.map((test) => {
    if (test.kind === "prompt")
      return [model, test.name, test.promptTokensPerSecond.median.toFixed(2)];
    const { tokensPerSecond, traffic, hostMicrosecondsPerToken, perToken } = test;
    return [
      model,
      test.name,
      tokensPerSecond.median.toFixed(2),
      traffic ? (traffic.bytesPerSecond / 1e9).toFixed(2) : "",
      traffic ? `${(100 * traffic.shareOfCopy).toFixed(1)}%` : "",
      perToken?.dispatches.toFixed(0) ?? "",
      hostMicrosecondsPerToken?.toFixed(0) ?? "",
    ];
  });
}

/** Medians of each engine, and how often webgguf's speed in the same browser is theirs. */
function ratios({ model, peers = [] }: Result): string[][] {
  const own = peers.find(({ engine }) => engine.startsWith("webgguf"));
  return peers.map((peer) => {
    const [prompt, decode] = (["promptTokensPerSecond", "tokensPerSecond"] as const).map((what) => {
      const speed = median(peer[what]);
      return [speed.toFixed(2), own ? `${(median(own[what]) / speed).toFixed(2)} ×` : ""];
    });
    return [model, peer.engine, ...prompt, ...decode];
  });
}

const folder = mkdtempSync(path.join(values.folder, "webgguf-bench-"));
const results: Result[] = [];
try {
  for (const model of values.models.split(",")) {
    const file = path.join(folder, `${model.replace(":", "-")}.gguf`);
    try {
      console.error(model);
      results.push(await measure(model, file));
    } catch (error) {
      console.error(`${model}: NOT RUN (${String(error).split("\n", 1)[0]})`);
    } finally {
      rmSync(file, { force: true });
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

if (values.json) console.log(JSON.stringify(results));
else if (results.length > 0) {
  const { device, copyBytesPerSecond } = results[0].bench;
  const copy =
    copyBytesPerSecond === null
      ? ""
      : `, copy kernel ${(copyBytesPerSecond / 1e9).toFixed(1)} GB/s`;
  console.log(`${device.name}${device.software ? " (software emulation)" : ""}${copy}`);
  const heads = ["model", "test", "t/s", "GB/s", "of copy", "calls", "host µs"];
  const rows = results.flatMap(lines).map((row) => heads.map((_, i) => row[i] ?? ""));
  console.log(table([heads, ...rows], [2, 3, 4, 5, 6]));
  if (values.peers)
    console.log(
      table(
        [
          ["model", "engine", "prompt t/s", "webgguf", "t/s", "webgguf"],
          ...results.flatMap(ratios),
        ],
        [2, 3, 4, 5],
      ),
    );
}
process.exitCode = results.length > 0 ? 0 : 1;
