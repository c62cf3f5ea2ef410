import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { type QuantType, quantByName } from "../../src/file/quants.ts";
import { readRawPairs } from "../../src/gguf/raw-pairs.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufBytes, type WritableTensor } from "../../src/gguf/write.ts";
import { typed } from "../../src/gguf/write-value.ts";
import { type QuantizeOptions, quantize } from "../../src/tools/mod.ts";
import { splitFiles } from "../split.ts";

const typeOf = (name: string): QuantType => quantByName(name) as QuantType;

/** Metadata with values of every width, which readers narrow and writers would guess. */
const metadata = new Map<
  string,
  Parameters<typeof ggufBytes>[0]["metadata"] extends Iterable<readonly [string, infer V]>
    ? V
    : never
>([
  ["general.architecture", "llama"],
  ["general.file_type", typed("u32", 1)],
  ["llama.block_count", typed("u64", 1)],
  ["llama.attention.head_count", typed("i16", 2)],
  ["test.f64", typed("f64", 0.1)],
  ["test.i64", typed("i64", -3)],
  ["test.whole-float", typed("f32", 2)],
  ["test.flags", [true, false]],
  ["test.none", []],
  ["test.bytes", Uint8Array.of(1, 2, 3)],
]);

function tensor(name: string, shape: number[], value: (i: number) => number): WritableTensor {
  const count = shape.reduce((product, length) => product * length, 1);
  const floats = Float32Array.from({ length: count }, (_, i) => value(i));
  return { name, type: typeOf("F32"), shape, data: new Uint8Array(floats.buffer) };
}
const wave = (i: number): number => Math.sin(i * 0.7) * (1 + (i % 7));
const tensors = [
  tensor("blk.0.ffn_down.weight", [256, 4, 2], wave),
  tensor("output.weight", [256, 2], wave),
  tensor("blk.0.attn_norm.weight", [256], wave),
  tensor("token_embd.weight", [256, 2], wave),
];
const model = await ggufBytes({ metadata, tensors });
const withWeight = (value: number): Promise<Uint8Array<ArrayBuffer>> =>
  ggufBytes({
    metadata,
    tensors: [...tensors, tensor("blk.0.attn_q.weight", [256, 2], (i) => (i === 300 ? value : 1))],
  });

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "quantize-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const place = (name: string): string => path.join(folder, name);

async function inMemory(
  source: Uint8Array<ArrayBuffer>,
  type: string,
  options: QuantizeOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  await quantize(source, type, { ...options, output: (piece) => void pieces.push(piece.slice()) });
  return new Uint8Array(Buffer.concat(pieces));
}

describe("a quantised file", () => {
  it("has all metadata byte for byte, but for the type that it says", async () => {
    const out = await inMemory(model, "Q4_K_M");
    const pairs = async (bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, unknown>> => {
      const source = bufferSource(bytes);
      const raw = await readRawPairs(source, (await readGguf(source)).dataOffsets[0]);
      return new Map(raw?.map(([key, { id, raw: value }]) => [key, [id, ...value]]));
    };
    const [before, after] = [await pairs(model), await pairs(out)];
    expect(before.size).toBe(metadata.size);
    expect(after.get("general.file_type")).toEqual([4, 15, 0, 0, 0]);
    expect(after.get("general.quantization_version")).toEqual([4, 2, 0, 0, 0]);
    before.delete("general.file_type");
    for (const [key, value] of before) expect(after.get(key), key).toEqual(value);
    expect(after.size).toBe(before.size + 2);
  });

  it("holds tensors in llama.cpp's order, and vectors as they were", async () => {
    const file = await readGguf(bufferSource(await inMemory(model, "Q4_K_M")));
    expect([...file.tensors.values()].map(({ name, type }) => `${name} ${type.name}`)).toEqual([
      "output.weight Q6_K",
      "token_embd.weight Q4_K",
      "blk.0.attn_norm.weight F32",
      "blk.0.ffn_down.weight Q6_K",
    ]);
  });

  it("is the same whether its matrices are stacked or not, each with its own importance", async () => {
    const entry = (name: string, sums: number[], counts: number[]): WritableTensor[] => {
      const own = (ending: string, shape: number[], values: number[]): WritableTensor => ({
        ...tensor(`${name}.${ending}`, shape, (i) => values[i]),
      });
      return [
        own("in_sum2", [sums.length / counts.length, counts.length], sums),
        own("counts", [1, counts.length], counts),
      ];
    };
    const importance = Array.from({ length: 512 }, (_, i) => 1 + (i % 5) + (i > 255 ? i % 3 : 0));
    const matrix = (
      name: string,
      sums: number[],
      counts: number[],
    ): Promise<Uint8Array<ArrayBuffer>> =>
      ggufBytes({ metadata: [["general.type", "imatrix"]], tensors: entry(name, sums, counts) });
    const floats = Float32Array.from({ length: 2048 }, (_, i) => wave(i));
    const half = (no: number): WritableTensor => ({
      ...tensors[0],
      shape: [256, 4],
      data: new Uint8Array(floats.buffer, no * 4096, 4096),
    });
    const stacked = await inMemory(model, "Q4_K_S", {
      imatrix: await matrix("blk.0.ffn_down.weight", importance, [2, 4]),
    });
    const whole = await readGguf(bufferSource(stacked));
    const both = whole.tensors.get("blk.0.ffn_down.weight");
    for (const no of [0, 1]) {
      const alone = await inMemory(await ggufBytes({ metadata, tensors: [half(no)] }), "Q4_K_S", {
        imatrix: await matrix("blk.0.ffn_down.weight", importance.slice(no * 256, no * 256 + 256), [
          2 + 2 * no,
        ]),
      });
      const one = (await readGguf(bufferSource(alone))).tensors.get("blk.0.ffn_down.weight");
      const at = (both?.offset ?? 0) + (no * (both?.bytes ?? 0)) / 2;
      expect(stacked.slice(at, at + (one?.bytes ?? 0))).toEqual(
        alone.slice(one?.offset, (one?.offset ?? 0) + (one?.bytes ?? 0)),
      );
    }
  });

  it("holds rows that no block fits as F16, and others in the type that stands in", async () => {
    const odd = [40, 288].map((columns) => tensor(`blk.0.w${columns}.weight`, [columns, 2], wave));
    const file = await readGguf(
      bufferSource(await inMemory(await ggufBytes({ metadata, tensors: odd }), "Q4_K_M")),
    );
    expect([...file.tensors.values()].map(({ type }) => type.name)).toEqual(["Q5_0", "F16"]);
  });

  it("comes in as many parts as the model on request, which are read as one", async () => {
    const parts = await splitFiles(model, "m", 3);
    for (const part of parts)
      await writeFile(place(part.name), new Uint8Array(await part.arrayBuffer()));
    const first = place(parts[0].name);
    const { files } = await quantize(first, "Q8_0", { output: place("q.gguf"), keepSplit: true });
    expect(files.map((file) => path.basename(file))).toEqual([
      "q-00001-of-00002.gguf",
      "q-00002-of-00002.gguf",
    ]);
    const sources = await Promise.all(
      files.map(async (file) => bufferSource(new Uint8Array(await readFile(file)), file)),
    );
    const joined = await readGguf(sources);
    expect(joined.tensors.size).toBe(4);
    expect(joined.metadata.get("general.file_type")).toBe(7);
    await quantize(first, "Q8_0", { output: place("one.gguf") });
    const merged = await readGguf(bufferSource(new Uint8Array(await readFile(place("one.gguf")))));
    expect(merged.metadata.has("split.count")).toBe(false);
    expect(merged.tensors.size).toBe(4);
  });
});

describe("what goes wrong", () => {
  const nothing = async (): Promise<void> =>
    expect((await readdir(folder)).filter((name) => name.startsWith("bad"))).toEqual([]);

  it.each([
    ["NaN", Number.NaN, "Q4_0"],
    ["an infinite number", Number.NEGATIVE_INFINITY, "F32"],
  ])("%s stops with the tensor's name, and leaves nothing", async (what, value, type) => {
    await expect(
      quantize(await withWeight(value), type, { output: place("bad.gguf") }),
    ).rejects.toMatchObject({
      code: "model/invalid",
      tensor: "blk.0.attn_q.weight",
      message: expect.stringContaining(what),
    });
    await nothing();
  });

  it("weights beyond 16 bits are refused where scales have 16", async () => {
    const large = await withWeight(1e9);
    await expect(inMemory(large, "Q8_0")).rejects.toMatchObject({ tensor: "blk.0.attn_q.weight" });
    await expect(inMemory(large, "F16")).rejects.toMatchObject({ tensor: "blk.0.attn_q.weight" });
    await expect(inMemory(large, "BF16")).resolves.toBeDefined();
  });

  it("an abort leaves nothing under the name", async () => {
    const stop = new AbortController();
    const options = {
      output: place("bad.gguf"),
      signal: stop.signal,
      onTensor: (_: unknown, number: number) => number === 2 && stop.abort(new Error("enough")),
    };
    await expect(quantize(model, "Q4_0", options)).rejects.toThrow("enough");
    await nothing();
  });

  it("is told before anything is written", async () => {
    const output = place("bad.gguf");
    for (const [type, options] of [
      ["IQ2_XS", {}],
      ["Q4", {}],
      ["Q4_0", { outputTensorType: "I32" }],
      ["Q4_0", { tensorTypes: [["(", "Q8_0"]] }],
      ["Q4_0", { includeWeights: ["a"], excludeWeights: ["b"] }],
      ["Q4_0", { imatrix: model }],
    ] as const)
      await expect(quantize(model, type, { ...options, output })).rejects.toMatchObject({
        name: "WebggufError",
      });
    const small = await inMemory(model, "Q8_0");
    await expect(quantize(small, "Q4_0", { output })).rejects.toMatchObject({
      code: "input/invalid",
    });
    await expect(inMemory(small, "Q4_0", { allowRequantize: true })).resolves.toBeDefined();
    await nothing();
  });

  it("the model is not written over itself", async () => {
    await writeFile(place("model.gguf"), model);
    const again = quantize(place("model.gguf"), "Q8_0", { output: place("model.gguf") });
    await expect(again).rejects.toMatchObject({ code: "input/invalid" });
    expect(new Uint8Array(await readFile(place("model.gguf")))).toEqual(model);
  });
});
