/** Whole models in WebAssembly: near the oracle, and the same bits however the rows of a text are computed. */
import { describe, expect, it } from "vitest";
import { type ModelShape, writeRandomModel } from "../../../bench/models.ts";
import { bufferSource } from "../../../src/bytes/buffer.ts";
import { type CpuDevice, openCpu, plainCpu } from "../../../src/cpu/open.ts";
import type { ModelFile } from "../../../src/file/types.ts";
import { readGguf } from "../../../src/gguf/read.ts";
import { buildGraph } from "../../../src/models/index.ts";

const small: ModelShape = {
  architecture: "llama",
  layers: 1,
  width: 256,
  heads: 4,
  kvHeads: 2,
  headWidth: 64,
  feedForward: 512,
  vocabulary: 300,
  tied: true,
  context: 128,
  ropeBase: 10000,
  epsilon: 1e-5,
};
const experts = { count: 8, used: 3 };

/** Logits of 24 tokens, given in pieces and computed in chunks. */
async function logits(
  device: CpuDevice,
  file: ModelFile,
  piece: number,
  chunk: number,
): Promise<Float32Array> {
  const options = { contextLength: 128, cacheTypeK: "f32", cacheTypeV: "f32", chunk } as const;
  const graph = buildGraph(file, options);
  const executor = await device.create(graph, file, options);
  const tokens = Array.from({ length: 24 }, (_, i) => (i * 37 + 11) % 290);
  const all = new Float32Array(tokens.length * graph.vocabulary);
  for (let at = 0; at < tokens.length; at += piece) {
    const input = tokens.slice(at, at + piece);
    const [{ rows }] = await executor.step([{ sequence: 0, input, outputs: "all", read: true }]);
    all.set(rows, at * graph.vocabulary);
  }
  await executor.dispose();
  return all;
}

describe.each<[string, string, ModelShape]>([
  ["a model", "q4_k_m", small],
  ["rows that are no multiple of 128", "q8_0", { ...small, width: 288, feedForward: 416 }],
  ["experts", "q4_0", { ...small, architecture: "qwen3moe", experts }],
  [
    "experts with biases and sinks",
    "mxfp4",
    { ...small, architecture: "gpt-oss", experts, window: 16 },
  ],
])("%s in %s", (_, type, shape) => {
  it("is within 1e-7 of the oracle, the same for all batches", async () => {
    const file = await readGguf(bufferSource(await writeRandomModel({ shape, type })));
    const device = await openCpu();
    const oracle = await logits(plainCpu, file, 24, 32);
    const whole = await logits(device, file, 24, 64);
    const square = (values: Float32Array): number => values.reduce((sum, v) => sum + v * v, 0);
    expect(square(oracle)).toBeGreaterThan(0);
    const nmse = square(whole.map((value, i) => value - oracle[i])) / square(oracle);
    expect(nmse).toBeLessThan(1e-7);
    for (const [piece, chunk] of [
      [1, 64],
      [5, 64],
      [24, 2],
    ] as const)
      expect(await logits(device, file, piece, chunk), `${piece} by ${chunk}`).toEqual(whole);
  });
});
