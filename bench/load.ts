/**
 * Loads a large file and prints what it cost: seconds, against plain writeBuffer of as many bytes on the same
 * device, and host memory beyond the GPU buffers (a software adapter keeps those in the process too).
 *
 *   node scripts/run.mjs bench/load.ts [MODEL.gguf] [--json]     a 640 MB Qwen3-0.6B shape is made when none is given
 *   (Deno: deno run -A --node-modules-dir=manual bench/load.ts [MODEL.gguf])
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { platform } from "#platform";
import { readGguf } from "../src/gguf/read.ts";
import { buildGraph } from "../src/models/index.ts";
import { createGpuExecutor } from "../src/plan/executor.ts";
import { Buffers, BufferUsage } from "../src/platform/buffers.ts";
import { writeModelFile } from "./model-file.ts";

/** Resident bytes now and at the most so far. */
function memory(): { now: number; peak: number } {
  if (!existsSync("/proc/self/status")) return { now: process.memoryUsage().rss, peak: Number.NaN };
  const status = readFileSync("/proc/self/status", "utf8");
  const read = (key: string): number =>
    1024 * Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]);
  return { now: read("VmRSS"), peak: read("VmHWM") };
}

const args = process.argv.slice(2).filter((a) => a !== "--json");
const folder = args[0] ? undefined : mkdtempSync(join(tmpdir(), "webgguf-load-"));
try {
  const path = args[0] ?? join(folder!, "model.gguf");
  if (folder) await writeModelFile(path, { shape: "qwen3-0.6b", type: "q8_0" });
  const gpu = await platform.openGpu();
  const file = await readGguf(await platform.openFile(path));
  const graph = buildGraph(file, { contextLength: 256 });
  const before = memory();
  const start = performance.now();
  const executor = await createGpuExecutor(graph, file, gpu, {
    contextLength: 256,
    maxSequences: 1,
    cacheTypeK: "f16",
    cacheTypeV: "f16",
    chunk: 16,
  });
  await gpu.device.queue.onSubmittedWorkDone();
  const seconds = (performance.now() - start) / 1000;
  const after = memory();
  const { weights } = executor.memory;
  const gpuBytes = executor.buffers.bytes;
  await executor.dispose();

  const buffers = new Buffers(gpu);
  const piece = new Uint8Array(4 << 20).map((_, i) => i);
  const size = 64 << 20;
  const targets = Array.from({ length: Math.ceil(weights / size) }, () =>
    buffers.allocate("plain", size, BufferUsage.storage | BufferUsage.copyTarget),
  );
  await buffers.settled();
  const plainStart = performance.now();
  for (const target of targets) {
    for (let at = 0; at < size; at += piece.length) gpu.device.queue.writeBuffer(target, at, piece);
    await gpu.device.queue.onSubmittedWorkDone();
  }
  const plain = ((performance.now() - plainStart) / 1000) * (weights / (targets.length * size));
  buffers.disposeAll();
  for (const source of file.sources) await source.close();
  gpu.dispose();
  const result = {
    runtime: platform.runtime,
    adapter: gpu.capabilities.name,
    fileBytes: file.sources.reduce((sum, s) => sum + s.size, 0),
    gpuBytes,
    seconds,
    plainWriteSeconds: plain,
    shareOfPlainSpeed: plain / seconds,
    hostBytesBeyondGpu: after.peak - before.now - (gpu.capabilities.software ? gpuBytes : 0),
  };
  if (process.argv.includes("--json")) console.log(JSON.stringify(result));
  else console.table(result);
} finally {
  if (folder) rmSync(folder, { recursive: true });
}
