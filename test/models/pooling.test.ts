/** Pooled and normalised embeddings against a computation from llama.cpp's rows, and scores of rerankers. */
import { describe, expect, it } from "vitest";
import { type ModelShape, randomModel } from "../../bench/models.ts";
import { random } from "../../bench/random-blocks.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { plainCpu } from "../../src/cpu/open.ts";
import { quantByName } from "../../src/file/quants.ts";
import type { ModelFile } from "../../src/file/types.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufBytes } from "../../src/gguf/write.ts";
import { buildGraph } from "../../src/models/index.ts";
import { embedTokens } from "../../src/session/embed.ts";
import { nmse } from "../conformance/archs.ts";
import { fixture, fixtureJson } from "../fixture.ts";
import { altered, archFile } from "./altered.ts";

/** The text's vector, or all its rows as they are. */
async function run(
  file: ModelFile,
  tokens: readonly number[],
  raw: boolean = false,
): Promise<Float32Array> {
  const graph = buildGraph(file, { contextLength: 64 });
  const executor = await plainCpu.create(graph, file, { contextLength: 64, cacheTypeK: "f32" });
  if (!raw) return embedTokens({ executor, graph }, 0, tokens, undefined);
  const [rows] = await executor.step([{ sequence: 0, input: tokens, outputs: "all", read: true }]);
  return rows.rows;
}

const unit = (vector: readonly number[]): number[] => {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
};

const bert = await archFile("bert");
const { tokens: text } = await fixtureJson<{ tokens: number[] }>(
  "reference/archs/bert.tokens.json",
);
const reference = await fixture("reference/archs/bert.embeddings.f32");

describe("a BERT's embeddings", () => {
  const flat = new Float32Array(reference.slice().buffer);
  const width = flat.length / text.length;
  const rows = text.map((_, i) => Array.from(flat.subarray(i * width, (i + 1) * width)));
  const mean = rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);

  it.each([
    ["no", 0, rows.flatMap(unit)],
    ["mean", 1, unit(mean)],
    ["cls", 2, unit(rows[0])],
    ["last", 3, unit(rows[rows.length - 1])],
  ])("with %s pooling", async (_, number, expected) => {
    const vector = await run(altered(bert, { "bert.pooling_type": number }), text);
    expect(nmse(vector, expected)).toBeLessThanOrEqual(1e-6);
  });

  it("are refused as scores without a classifier", async () => {
    const ranking = run(altered(bert, { "bert.pooling_type": 4 }), text);
    await expect(ranking).rejects.toThrow("has no classifier");
  });
});

describe("a decoder", () => {
  const shape: ModelShape = {
    architecture: "qwen3",
    layers: 2,
    width: 64,
    heads: 2,
    kvHeads: 1,
    headWidth: 32,
    feedForward: 64,
    vocabulary: 300,
    tied: true,
    context: 64,
    ropeBase: 10000,
    epsilon: 1e-6,
  };
  const tokens = [5, 77, 130, 12, 9];
  const labels = 2;
  const next = random(3);
  const classifier = Float32Array.from(
    { length: labels * shape.width },
    () => next() / 2 ** 31 - 1,
  );

  /** A file with a pooling type, and with the classifier of a reranker. */
  async function decoderFile(pooling: number): Promise<ModelFile> {
    const { metadata, tensors } = randomModel({ shape, type: "f32" });
    const head = {
      name: "cls.output.weight",
      type: quantByName("F32")!,
      shape: [shape.width, labels],
      data: new Uint8Array(classifier.buffer),
    };
    const all = [...metadata, ["qwen3.pooling_type", pooling] as const];
    const bytes = await ggufBytes({ metadata: all, tensors: [...tensors, head] });
    return readGguf(bufferSource(bytes, "decoder.gguf"));
  }

  it("embeds by its last row", async () => {
    const file = await decoderFile(3);
    const rows = await run(file, tokens, true);
    expect(rows.length).toBe(tokens.length * shape.width);
    const expected = unit(Array.from(rows.subarray(-shape.width)));
    expect(nmse(await run(file, tokens), expected)).toBeLessThanOrEqual(1e-12);
  });

  it("ranks by shares of its last row's scores", async () => {
    const rows = await run(await decoderFile(3), tokens, true);
    const last = rows.subarray(-shape.width);
    const scores = [0, 1].map((label) =>
      last.reduce((sum, value, i) => sum + value * classifier[label * shape.width + i], 0),
    );
    const yes = 1 / (1 + Math.exp(scores[1] - scores[0]));
    const actual = await run(await decoderFile(4), tokens);
    expect(actual.length).toBe(labels);
    expect(actual[0]).toBeCloseTo(yes, 5);
    expect(actual[1]).toBeCloseTo(1 - yes, 5);
    expect(Math.abs(yes - 0.5)).toBeGreaterThan(0.01);
  });
});
