/**
 * Loads a large file and prints what it cost: seconds; the upload against plain writeBuffer of as many bytes; and host memory beyond the GPU buffers (a software adapter keeps those in the process too).
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
import { createGpuExecutor } from "../src/gpu/open.ts";
import { loadWeights } from "../src/gpu/upload.ts";
import { buildGraph } from "../src/models/index.ts";
import { planFor } from "../src/plan/model-plan.ts";
import type { Placement } from "../src/plan/place.ts";
import { Buffers, BufferUsage } from "../src/platform/buffers.ts";
import type { Gpu } from "../src/platform/types.ts";
import { writeModelFile } from "./model-file.ts";

/** Resident bytes now and at the most so far. */
function memory(): { now: number; peak: number } {
  if (!existsSync("/proc/self/status")) return { now: process.memoryUsage().rss, peak: Number.NaN };
  const status = readFileSync("/proc/self/status", "utf8");
  const read = (key: string): number =>
    1024 * Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]);
  return { now: read("VmRSS"), peak: read("VmHWM") };
}

/** Median seconds of three runs into fresh buffers of the placement. */
async function timed(
  gpu: Gpu,
  placement: Placement,
  run: (named: Map<string, GPUBuffer>, buffers: Buffers) => Promise<unknown>,
): Promise<number> {
  const seconds: number[] = [];
  for (let i = 0; i < 3; i++) {
    const buffers = new Buffers(gpu);
    const usage = BufferUsage.storage | BufferUsage.copyTarget;
    const named = new Map<string, GPUBuffer>();
    for (const [name, bytes] of placement.buffers)
      named.set(name, buffers.allocate(name, bytes, usage));
    await buffers.settled();
    const start = performance.now();
    await run(named, buffers);
    seconds.push((performance.now() - start) / 1000);
    buffers.disposeAll();
    await gpu.device.queue.onSubmittedWorkDone();
  }
  return seconds.sort((a, b) => a - b)[1];
}

const args = process.argv.slice(2).filter((a) => a !== "--json");
const folder = args[0] ? undefined : mkdtempSync(join(tmpdir(), "webgguf-load-"));
try {
  const path = args[0] ?? join(folder!, "model.gguf");
  if (folder) await writeModelFile(path, { shape: "qwen3-0.6b", type: "q8_0" });
  const gpu = await platform.openGpu();
  const file = await readGguf(await platform.openFile(path));
  const graph = buildGraph(file, { contextLength: 256 });
  const options = {
    contextLength: 256,
    maxSequences: 1,
    cacheTypeK: "f16",
    cacheTypeV: "f16",
    chunk: 16,
  } as const;
  const before = memory();
  const start = performance.now();
  const executor = await createGpuExecutor(graph, file, gpu, options);
  await gpu.device.queue.onSubmittedWorkDone();
  const seconds = (performance.now() - start) / 1000;
  const after = memory();
  const gpuBytes = executor.buffers.bytes;
  await executor.dispose();

  // The weights by themselves, and plain writes of as many bytes into buffers of the same sizes.
  const { placement } = planFor(graph, file, gpu, options);
  const settle = () => gpu.device.queue.onSubmittedWorkDone();
  const uploaded = (as: Placement): Promise<number> =>
    timed(gpu, placement, (named, staging) => {
      const { device } = gpu;
      const { software } = gpu.capabilities;
      const want = { names: [], extra: 0 };
      return loadWeights({ device, staging, software }, named, as, file, want, { settle });
    });
  const whole = await uploaded(placement);
  // The same bytes as they are in the file: no layout has that name.
  const matrices = new Map(
    Array.from(placement.matrices, ([name, matrix]) => [
      name,
      { ...matrix, type: { ...matrix.type, name: "raw" } },
    ]),
  );
  const upload = await uploaded({ ...placement, matrices });
  const piece = new Uint8Array(4 << 20).map((_, i) => i);
  const plain = await timed(gpu, placement, async (named) => {
    let written = 0;
    for (const buffer of named.values()) {
      for (let at = 0; at < buffer.size; at += piece.length) {
        const data = piece.subarray(0, Math.min(piece.length, buffer.size - at));
        gpu.device.queue.writeBuffer(buffer, at, data);
        written += data.length;
        if (written >= 64 << 20) {
          written = 0;
          await settle();
        }
      }
    }
    await settle();
  });
  for (const source of file.sources) await source.close();
  gpu.dispose();
  const result = {
    runtime: platform.runtime,
    adapter: gpu.capabilities.name,
    fileBytes: file.sources.reduce((sum, s) => sum + s.size, 0),
    gpuBytes,
    /** Everything, shader compilation included (it runs beside the upload). */
    loadSeconds: seconds,
    /** Without bringing blocks into the layout that kernels read, which comes on top. */
    uploadSeconds: upload,
    repackSeconds: whole - upload,
    plainWriteSeconds: plain,
    uploadShareOfPlainSpeed: plain / upload,
    hostBytesBeyondGpu: after.peak - before.now - (gpu.capabilities.software ? gpuBytes : 0),
  };
  if (process.argv.includes("--json")) console.log(JSON.stringify(result));
  else console.table(result);
} finally {
  if (folder) rmSync(folder, { recursive: true });
}
