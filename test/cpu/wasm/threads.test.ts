/** Threads: the same bits for any number of them, and what they leave behind. */
import { describe, expect, it } from "vitest";
import { platform } from "#platform";
import { type ModelShape, writeRandomModel } from "../../../bench/models.ts";
import { bufferSource } from "../../../src/bytes/buffer.ts";
import { CpuExecutor } from "../../../src/cpu/executor.ts";
import { Pace } from "../../../src/cpu/pace.ts";
import { GraphRun } from "../../../src/cpu/run.ts";
import { placeMatrices } from "../../../src/cpu/wasm/place.ts";
import { makeRooms } from "../../../src/cpu/wasm/rooms.ts";
import { wasmHome } from "../../../src/cpu/wasm/store.ts";
import { mostThreads } from "../../../src/cpu/wasm/threads/start.ts";
import { loadCpuWeights, planCpuWeights } from "../../../src/cpu/weights.ts";
import type { ModelFile } from "../../../src/file/types.ts";
import { readGguf } from "../../../src/gguf/read.ts";
import { buildGraph } from "../../../src/models/index.ts";

const shape: ModelShape = {
  architecture: "llama",
  layers: 1,
  width: 256,
  heads: 8,
  kvHeads: 2,
  headWidth: 64,
  feedForward: 65 * 32,
  vocabulary: 1027,
  tied: true,
  context: 128,
  ropeBase: 10000,
  epsilon: 1e-5,
};

/** Logits of a prompt and of tokens one at a time, on helpers whatever they are worth. */
async function logits(
  file: ModelFile,
  threads: number,
  memoryBytes?: number,
): Promise<{ threads: number; all: Float32Array[] }> {
  const options = { contextLength: 128, threads } as const;
  const graph = buildGraph(file, options);
  const plan = planCpuWeights(graph, file);
  const home = await wasmHome(graph, plan, options, memoryBytes, 0);
  const weights = await loadCpuWeights(file, plan, home.store);
  const { threads: kept, trouble } = await home.settle();
  expect(trouble).toBe(undefined);
  const run = new GraphRun(graph, weights, home.ops, new Pace(), home.room);
  const executor = new CpuExecutor("", graph, run, options, {}, home.end);
  const all: Float32Array[] = [];
  const prompt = Array.from({ length: 70 }, (_, i) => (i * 37 + 11) % 290);
  for (const input of [prompt, [5], [6, 7], [8], [9]])
    all.push((await executor.step([{ sequence: 0, input, outputs: "last", read: true }]))[0].rows);
  await executor.dispose();
  return { threads: kept, all };
}

describe("threads", () => {
  it.each(["q8_0", "q4_k_m", "f16"])(
    "are as many as asked for, and compute the same bits: %s",
    async (type) => {
      const file = await readGguf(bufferSource(await writeRandomModel({ shape, type })));
      const one = await logits(file, 1);
      expect(one.threads).toBe(1);
      for (const threads of [2, 3, 4]) {
        const more = await logits(file, threads, threads === 3 ? 2 ** 20 : undefined);
        expect(more.threads).toBe(Math.min(threads, mostThreads()));
        expect(more.all, `${threads} threads`).toEqual(one.all);
      }
    },
  );

  it("leave no row of a job out and write no other, whenever they wake", async () => {
    const places = placeMatrices([], undefined, {
      first: [2 ** 18, 2 ** 18],
      anywhere: [],
      width: 64,
      positions: 0,
    });
    const [{ buffer, pool }] = await makeRooms([], places, mostThreads() > 1 ? 4 : 1);
    if (!pool) return;
    expect(await pool.settle(() => {}, 0)).toBe(undefined);
    expect(pool.threads).toBe(4);
    const [from, to] = places.areas.map(({ at }) => new Int32Array(buffer, at, 2 ** 16));
    // A row is 16 integers, which move from one area to the other.
    const split = { count: 3, steps: [64, 64, 0, 0, 0, 0], lanes: [0, 0, 0, 0, 0, 0] };
    for (let job = 1; job <= 1500; job++) {
      const rows = 1 + ((job * 131) % 900);
      from.subarray(0, 16 * rows).fill(job);
      to[16 * rows] = -1;
      pool.rows(0, "move", [to.byteOffset, from.byteOffset, 64, rows, 64, 64], split);
      let wrong = to[16 * rows] === -1 ? 0 : 1;
      for (let i = 0; i < 16 * rows; i++) if (to[i] !== job) wrong++;
      if (wrong > 0) throw new Error(`job ${job}: ${wrong} of ${16 * rows} integers are wrong`);
      // Helpers sleep between some jobs, and look for others.
      if (job % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    pool.end();
    expect(pool.threads).toBe(1);
  });

  it("that are not worth it are ended", async () => {
    const places = placeMatrices([], undefined, {
      first: [64],
      anywhere: [],
      width: 1,
      positions: 0,
    });
    const [{ pool }] = await makeRooms([], places, mostThreads() > 1 ? 2 : 1);
    let turns = 0;
    expect(await pool?.settle(() => turns++, 1e9)).toBe(undefined);
    expect(pool?.threads ?? 1).toBe(1);
    expect(turns > 0).toBe(pool !== undefined);
  });

  it("can be had outside of pages", () => {
    expect(mostThreads() > 1).toBe(platform.runtime !== "browser");
  });
});
