/** A model of each tensor type gives the logits of its twin, the same weights as floats. */
import { beforeAll, describe, expect, it } from "vitest";
import { type ModelShape, randomModel } from "../../bench/models.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { plainCpu } from "../../src/cpu/open.ts";
import { dequantize } from "../../src/file/decode/index.ts";
import { type QuantType, quantByName, quants } from "../../src/file/quants.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufBytes, type WritableTensor, type WriteOptions } from "../../src/gguf/write.ts";
import { createGpuExecutor } from "../../src/gpu/open.ts";
import type { Executor } from "../../src/graph/executor.ts";
import { buildGraph } from "../../src/models/index.ts";
import { feed, nmse } from "../conformance/archs.ts";
import { gpuAvailable, openTestGpu } from "../gpu.ts";

/** Every way to read a weight: a table, few and many rows, the chosen experts, and an output of its own. */
const shape: ModelShape = {
  architecture: "qwen3moe",
  layers: 1,
  width: 256,
  heads: 4,
  kvHeads: 2,
  headWidth: 64,
  feedForward: 256,
  vocabulary: 300,
  tied: false,
  context: 64,
  ropeBase: 10000,
  epsilon: 1e-6,
  experts: { count: 4, used: 2 },
};
const tokens: readonly number[] = Array.from({ length: 20 }, (_, i) => (37 * i + 5) % 256);
const common = {
  contextLength: 64,
  maxSequences: 1,
  cacheTypeK: "f32",
  cacheTypeV: "f32",
} as const;
const types = quants.filter((type) => !type.data);

async function bytesOf({ data }: WritableTensor): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof data !== "function") return data.slice();
  const pieces: Uint8Array[] = [];
  for await (const piece of data()) pieces.push(piece.slice());
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** The same model with every tensor as F32. */
async function twinOf(model: WriteOptions): Promise<WriteOptions> {
  const tensors: WritableTensor[] = [];
  for (const tensor of model.tensors) {
    const elements = tensor.shape.reduce((product, length) => product * length, 1);
    const values = new Float32Array(elements);
    dequantize(tensor.type, await bytesOf(tensor), values, elements);
    const data = () => [new Uint8Array(values.buffer)];
    tensors.push({ ...tensor, type: quantByName("F32") as QuantType, data });
  }
  return { ...model, tensors };
}

const open = async (model: WriteOptions): Promise<ModelFile> =>
  readGguf(bufferSource(await ggufBytes(model), "model.gguf"));

const onCpu = (file: ModelFile): Promise<Executor> =>
  plainCpu.create(buildGraph(file, { contextLength: 64 }), file, { ...common, chunk: 32 });

/** Logits of the tokens in chunks of each size. */
async function logits(executor: Executor, sizes: readonly number[]): Promise<Float32Array[]> {
  try {
    const found: Float32Array[] = [];
    for (const size of sizes) {
      found.push((await feed(executor, 0, tokens, size)).slice());
      executor.rewind(0, 0);
    }
    return found;
  } finally {
    await executor.dispose();
  }
}

describe.each(types)("a model of $name", (type) => {
  let file: ModelFile;
  let twin: Float32Array;
  const check = async (executor: Executor, sizes: readonly number[]): Promise<void> => {
    for (const found of await logits(executor, sizes))
      expect(nmse(found, twin)).toBeLessThanOrEqual(1e-10);
  };

  beforeAll(async () => {
    const model = randomModel({ shape, type: type.name });
    file = await open(model);
    [twin] = await logits(await onCpu(await open(await twinOf(model))), [tokens.length]);
  });
  it("has all its matrices in that type", () => {
    const odd = [...file.tensors.values()].filter((t) => t.shape.length > 1 && t.type !== type);
    expect(odd.map((t) => t.name)).toEqual(
      type.name === "F32" ? [] : ["blk.0.ffn_gate_inp.weight"],
    );
  });
  it("on the CPU path", async () => check(await onCpu(file), [tokens.length, 1]));
  it.skipIf(!gpuAvailable)(
    "on the GPU: in one chunk, a few rows at a time, one by one",
    async () => {
      const graph = buildGraph(file, { contextLength: 64 });
      const options = { ...common, chunk: 32 };
      const executor = await createGpuExecutor(graph, file, await openTestGpu(), options);
      await check(executor, [tokens.length, 3, 1]);
    },
  );
});

it("covers the 28 types that hold weights", () => {
  expect(types).toHaveLength(28);
});
