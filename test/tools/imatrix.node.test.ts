import { describe, expect, it } from "vitest";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { importanceOf, readImportance } from "../../src/quantize/importance.ts";
import { importanceStatistics } from "../../src/quantize/importance-files.ts";
import {
  type ImatrixOptions,
  type ImportanceFile,
  imatrix,
  joinImatrix,
  readImatrix,
  writeImatrix,
} from "../../src/tools/mod.ts";
import { Squares, tapGraph } from "../../src/tools/taps.ts";
import { fixture, fixtureText } from "../fixture.ts";

const reference = (name: string): Promise<Uint8Array<ArrayBuffer>> =>
  fixture(`reference/quantize/${name}`);
const model = await fixture("tiny-model/webgguf-tale-f16.gguf");
const text = await fixtureText("tiny-model/heldout.txt");
const measure = (options: ImatrixOptions): Promise<ImportanceFile> =>
  imatrix(model, text, {
    ...{ device: "cpu", cacheTypeK: "f32", cacheTypeV: "f32", context: 256, threads: 1 },
    ...options,
  });

describe("imatrix", () => {
  it("sums what llama-imatrix sums, and halves joined are the whole", async () => {
    const expected = await readImatrix(await reference("tiny-model.imatrix-f32.gguf"));
    const first = await measure({ chunks: 4, dataset: "heldout.txt" });
    const second = await measure({ fromChunk: 4, chunks: 4, dataset: "heldout.txt" });
    const both = await joinImatrix([first, second], 256);
    expect(both.chunks).toBe(8);
    expect([...both.entries.keys()].sort()).toEqual([...expected.entries.keys()].sort());
    for (const [name, { sums, counts }] of expected.entries) {
      expect(both.entries.get(name)?.counts).toEqual(counts);
      const own = both.entries.get(name)?.sums ?? [];
      const worst = Math.max(...Array.from(sums, (sum, i) => Math.abs(own[i] / sum - 1)));
      expect(worst, name).toBeLessThan(1e-5);
    }
  });

  it("measures output.weight only where it is asked for, and only of a matrix of its own", async () => {
    const { entries } = await measure({ chunks: 1, processOutput: true });
    // The output is the table of embeddings here.
    expect(entries.has("output.weight")).toBe(false);
    expect(entries.has("token_embd.weight")).toBe(false);
  });

  it("refuses a text of less than two chunks", async () => {
    await expect(imatrix(model, "Once.", { device: "cpu" })).rejects.toMatchObject({
      code: "input/invalid",
      expected: 1024,
    });
  });
});

describe("files of importance", () => {
  it("are llama-imatrix's byte for byte, in both formats", async () => {
    const bytes = await reference("tiny-model.imatrix.gguf");
    const read = await readImatrix(bytes);
    expect(await writeImatrix(read)).toEqual(bytes);
    expect(await writeImatrix(read, "dat")).toEqual(await reference("tiny-model.imatrix.dat"));
  });

  it("give the same weights from either format", async () => {
    const [gguf, dat] = await Promise.all(
      ["gguf", "dat"].map(async (ending) =>
        importanceOf(
          await readImportance(bufferSource(await reference(`tiny-model.imatrix.${ending}`))),
        ),
      ),
    );
    expect(gguf).toEqual(dat);
  });

  it.each([4, 20, 29_000, 29_598])("that end after %i bytes are refused", async (length) => {
    const cut = (await reference("tiny-model.imatrix.dat")).slice(0, length);
    await expect(readImatrix(cut)).rejects.toMatchObject({ code: "gguf/malformed" });
  });

  it("of other models are not joined", async () => {
    const one = (width: number): ImportanceFile => ({
      entries: new Map([["a", { sums: new Float32Array(width), counts: Float32Array.of(1) }]]),
      ...{ datasets: [], chunks: 1, chunkSize: 1 },
    });
    await expect(joinImatrix([one(2), one(3)], 1)).rejects.toMatchObject({ tensor: "a" });
  });

  it("have figures that follow from their sums", () => {
    const entry = (...sums: number[]) => ({
      sums: Float32Array.from(sums),
      counts: Float32Array.of(2),
    });
    const [large, small] = importanceStatistics({
      entries: new Map([
        ["blk.0.w", entry(2, 2, 2, 2)],
        ["blk.1.w", entry(8, 0, 0, 0)],
      ]),
      ...{ datasets: [], chunks: 1, chunkSize: 1 },
    });
    expect(large).toMatchObject({ tensor: "blk.0.w", sum: 4, mean: 1, deviation: 0, entropy: 2 });
    expect(large.cosine).toBeUndefined();
    expect(small).toMatchObject({ min: 0, max: 4, entropy: 0, outliers: 0.25, cosine: 0.5 });
  });
});

describe("inputs of experts", () => {
  it("are summed and counted by expert, shared or each its own", () => {
    const base = { layer: 0, name: "" };
    const choice = { experts: 3, used: 2, groups: 1, groupsUsed: 1, normalize: false, scale: 1 };
    const route = { ...choice, op: "moeRoute", logits: 1, gate: "softmax" } as const;
    const experts = { op: "moeLinear", route: 2, used: 2, first: 0, out: 2 } as const;
    const tapped = tapGraph(
      {
        ...{ architecture: "test", slots: [], outputKind: "logits", layers: 1, vocabulary: 2 },
        ...{ width: 2, trainedContext: 1, causal: true, groups: [], output: 5 },
        ops: [
          { ...base, op: "embed", table: "token_embd.weight", by: "token", offset: 0 },
          { ...base, op: "linear", x: 0, weight: "blk.0.gate.weight", first: 0, out: 3 },
          { ...base, ...route },
          { ...base, ...experts, x: 0, weight: "blk.0.up.weight", perExpert: false },
          { ...base, ...experts, x: 3, weight: "blk.0.down.weight", perExpert: true },
          { ...base, op: "linear", x: 4, weight: "output.weight", first: 0, out: 2 },
        ],
        ...{ widths: [2, 3, 4, 4, 4, 2], selected: [false, false, false, false, false, false] },
      },
      (weight) => weight.startsWith("blk."),
    );
    if (!tapped) throw new Error("no taps");
    // The input of the first two, the chosen experts with their weights, the inputs of the third.
    expect(tapped.width).toBe(2 + 4 + 4);
    expect(tapped.graph.ops.some((op) => op.op === "linear" && op.weight === "output.weight")).toBe(
      false,
    );
    const squares = new Squares(tapped);
    squares.add(Float32Array.of(...[1, 2], ...[2, 0, 0.6, 0.4], ...[3, 4, 5, 6]));
    squares.add(Float32Array.of(...[1, 1], ...[2, 2, 0.5, 0.5], ...[1, 0, 0, 1]));
    const entries = squares.entries();
    expect([...(entries.get("blk.0.gate.weight")?.sums ?? [])]).toEqual([2, 5]);
    expect([...(entries.get("blk.0.up.weight")?.sums ?? [])]).toEqual([1, 4, 0, 0, 3, 6]);
    expect([...(entries.get("blk.0.down.weight")?.sums ?? [])]).toEqual([25, 36, 0, 0, 10, 17]);
    expect([...(entries.get("blk.0.down.weight")?.counts ?? [])]).toEqual([1, 0, 3]);
  });
});
