import { describe, expect, it } from "vitest";
import {
  hasMoreBits,
  type ModelShape,
  randomModel,
  shapes,
  writeRandomModel,
} from "../../bench/models.ts";
import { randomWeights } from "../../bench/random-blocks.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { dequantize } from "../../src/file/decode/index.ts";
import { quants } from "../../src/file/quants.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufHeader } from "../../src/gguf/write.ts";
import { buildGraph } from "../../src/models/index.ts";

const tiny: ModelShape = {
  ...shapes["smollm2-135m"],
  layers: 2,
  width: 256,
  heads: 4,
  kvHeads: 2,
  feedForward: 512,
  vocabulary: 300,
};

describe("random weights", () => {
  it.each(quants.filter((type) => !type.data))(
    "$name: finite, near 0, of the wanted deviation",
    (type) => {
      const elements = 1024 * type.elements;
      const pieces = [...randomWeights(type, elements, 5)].flatMap((piece) => [...piece]);
      expect(pieces.length).toBe(1024 * type.bytes);
      const out = new Float32Array(elements);
      dequantize(type, Uint8Array.from(pieces), out, elements);
      const mean = out.reduce((sum, value) => sum + value, 0) / elements;
      const deviation = Math.sqrt(out.reduce((sum, value) => sum + value * value, 0) / elements);
      expect(Math.abs(mean) < 0.012).toBe(true);
      expect(deviation > 0.012 && deviation < 0.03).toBe(true);
    },
  );
});

describe("random models", () => {
  it("have what a reader asks for, and are the same for the same seed", async () => {
    const bytes = await writeRandomModel({ shape: tiny, type: "q4_0", seed: 3 });
    const again = await writeRandomModel({ shape: tiny, type: "q4_0", seed: 3 });
    expect(again.length === bytes.length && again.every((byte, i) => byte === bytes[i])).toBe(true);
    const { metadata, tensors } = await readGguf(bufferSource(bytes));
    expect(metadata.string("general.architecture")).toBe("llama");
    expect(metadata.integer("llama.block_count")).toBe(2);
    expect(metadata.strings("tokenizer.ggml.tokens").length).toBe(300);
    expect(tensors.get("blk.1.attn_k.weight")).toMatchObject({ shape: [256, 128] });
    expect(tensors.get("blk.0.ffn_down.weight")?.type.name).toBe("Q4_0");
    expect(tensors.get("output_norm.weight")?.type.name).toBe("F32");
  });

  it("mix types as Q4_K_M does, and fall back where rows are no multiple of 256", () => {
    const typeOf = (shape: string | ModelShape, name: string) =>
      randomModel({ shape, type: "q4_k_m" }).tensors.find((tensor) => tensor.name === name)?.type
        .name;
    const eight = { ...tiny, layers: 8 };
    expect(typeOf(eight, "token_embd.weight")).toBe("Q6_K");
    expect(typeOf(eight, "blk.0.attn_v.weight")).toBe("Q6_K");
    expect(typeOf(eight, "blk.1.attn_v.weight")).toBe("Q4_K");
    expect(typeOf(eight, "blk.0.attn_q.weight")).toBe("Q4_K");
    expect(typeOf("smollm2-135m", "blk.0.attn_q.weight")).toBe("Q5_0");
    expect(typeOf("moe-small", "blk.0.ffn_down_exps.weight")).toBe("Q6_K");
    const layers = Array.from({ length: 8 }, (_, i) => hasMoreBits(i, 8));
    expect(layers).toEqual([true, false, false, true, false, false, true, true]);
  });

  it("of gpt-oss have experts in MXFP4, and biases and sinks that a graph takes", async () => {
    const { experts, ...wide } = shapes["gpt-oss-20b"];
    const small = { layers: 2, width: 64, heads: 4, kvHeads: 2, feedForward: 64, vocabulary: 300 };
    const shape = { ...wide, ...small, experts: { ...experts!, count: 4 } };
    const file = await readGguf(bufferSource(await writeRandomModel({ shape, type: "mxfp4" })));
    expect(file.tensors.get("blk.0.ffn_up_exps.weight")?.type.name).toBe("MXFP4");
    expect(file.tensors.get("blk.0.attn_q.weight")?.type.name).toBe("Q8_0");
    const { layers, vocabulary } = buildGraph(file, { contextLength: 64 });
    expect([layers, vocabulary]).toEqual([2, 300]);
  });

  it("have the sizes of their originals", () => {
    const gigabytes = (shape: string, type: string) =>
      ggufHeader(randomModel({ shape, type })).size / 1e9;
    expect(gigabytes("smollm2-135m", "q8_0")).toBeCloseTo(0.144, 2);
    expect(gigabytes("qwen3-0.6b", "q8_0")).toBeCloseTo(0.64, 1);
    expect(gigabytes("llama-3.2-1b", "q8_0")).toBeCloseTo(1.32, 1);
    expect(gigabytes("llama-3-8b", "q4_0")).toBeCloseTo(4.5, 0);
    expect(gigabytes("gpt-oss-20b", "mxfp4")).toBeCloseTo(12.1, 0);
  });
});
