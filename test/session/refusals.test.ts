/** What is wrong with a file is said when it is loaded, before its weights are read. */
import { describe, expect, it } from "vitest";
import { loadModel } from "../../mod.ts";
import type { ByteSource } from "../../src/base/source.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import type { MetadataValue } from "../../src/file/metadata.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { ggufBytes } from "../../src/gguf/write.ts";
import { fixture } from "../fixture.ts";

const bytes = await fixture("reference/archs/llama.gguf");

/** The tiny Llama with other metadata; undefined = without the key. */
async function withKeys(
  changes: Record<string, MetadataValue | undefined>,
): Promise<Uint8Array<ArrayBuffer>> {
  const source = bufferSource(bytes);
  const file = await readGguf(source);
  const metadata = new Map<string, MetadataValue>(file.metadata);
  for (const [key, value] of Object.entries(changes))
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  const tensors = [];
  for (const { name, type, shape, offset, bytes: length } of file.tensors.values())
    tensors.push({ name, type, shape, data: await source.read(offset, length) });
  return ggufBytes({ metadata: [...metadata], tensors });
}

/** Loads, and tells which bytes were asked for behind the header. */
async function load(content: Uint8Array<ArrayBuffer>) {
  const inner = bufferSource(content, "model.gguf");
  const [start] = (await readGguf(inner)).dataOffsets;
  let streamed = 0;
  const source: ByteSource = {
    ...inner,
    stream(offset, length, signal) {
      if (offset + length > start) streamed += length;
      return inner.stream(offset, length, signal);
    },
  };
  const outcome = await loadModel(source, { device: "cpu", contextLength: 32 }).catch(
    (error: unknown) => error,
  );
  return { outcome, streamed };
}

const tokens = Array.from({ length: 96 }, (_, i) => `<${i}>`);
const spm = { "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": tokens };
const bpe = { "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": tokens };

describe("a model that contradicts itself", () => {
  it.each<[string, Record<string, MetadataValue | undefined>, string]>([
    ["no epsilon", { "llama.attention.layer_norm_rms_epsilon": undefined }, "llama.attention"],
    ["too few tokens", { "tokenizer.ggml.tokens": tokens.slice(1) }, ""],
    ["too few scores", { ...spm, "tokenizer.ggml.scores": new Float32Array(95) }, "scores"],
    ["too few types", { ...spm, "tokenizer.ggml.token_type": new Int32Array(95) }, "token_type"],
    ["no merges", bpe, "merges"],
    ["merges that are none", { ...bpe, "tokenizer.ggml.merges": ["ab"] }, "merges"],
    [
      "an unknown splitting",
      { ...bpe, "tokenizer.ggml.pre": "x", "tokenizer.ggml.merges": [] },
      "pre",
    ],
  ])("is refused before its weights are read: %s", async (_, changes, key) => {
    const { outcome, streamed } = await load(await withKeys(changes));
    expect(outcome).toMatchObject({
      code: expect.stringMatching(/^model\/(invalid|unsupported)$/),
    });
    expect(String((outcome as { key?: string }).key ?? "")).toContain(key);
    expect(streamed).toBe(0);
  });

  it("is loaded where nothing is wrong, with a tokenizer or without", async () => {
    for (const changes of [{}, spm, { "split.count": 0 }]) {
      const { outcome, streamed } = await load(await withKeys(changes));
      const model = outcome as Awaited<ReturnType<typeof loadModel>>;
      expect((await model.session().logits([1, 2])).length).toBe(2 * 96);
      expect(streamed).toBeGreaterThan(10_000);
      await model.dispose();
    }
  });
});

describe("a vocabulary of nothing", () => {
  it("is refused instead of taking many times its bytes", async () => {
    const empty = { ...spm, "tokenizer.ggml.tokens": Array<string>(100_000).fill("") };
    const changes = await withKeys(empty);
    const { createTokenizer } = await import("../../mod.ts");
    const { metadata } = await readGguf(bufferSource(changes));
    expect(() => createTokenizer(metadata)).toThrow("100000 tokens are empty");
  });
});
