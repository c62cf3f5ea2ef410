/** Tokenizers against llama.cpp's ids and texts, and what must hold for any text. */
import { beforeAll, describe, expect, it } from "vitest";
import { WebggufError } from "../../src/base/errors.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import type { MetadataValue } from "../../src/file/metadata.ts";
import { Metadata } from "../../src/file/metadata.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { createTokenizer, type Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { checkTokenizerCases } from "../conformance/tokenizers.ts";
import { fixture, fixtureJson, fixtureText } from "../fixture.ts";

const folder = "reference/tokenizers/";

interface Expected {
  n_vocab: number;
  bos: number;
  eos: number;
  add_bos: boolean;
  add_eos: boolean;
}

async function metadataOf(path: string, changes: Record<string, MetadataValue> = {}) {
  const source = bufferSource(await fixture(path), path);
  const { metadata } = await readGguf(source, { headerOnly: true });
  return new Metadata(metadata.file, new Map([...metadata, ...Object.entries(changes)]));
}

const names = [
  ...["bert-bge", "command-r", "deepseek-coder", "deepseek-llm", "falcon", "gemma-4", "gpt-2"],
  ...["llama-bpe", "llama-spm", "mpt", "phi-3", "qwen2", "qwen35", "refact", "starcoder"],
];

/** qwen35's vocabulary is qwen2's with another pre-tokenizer. */
const vocabulary = (name: string): Promise<Metadata> =>
  name === "qwen35"
    ? metadataOf(`${folder}ggml-vocab-qwen2.gguf`, { "tokenizer.ggml.pre": "qwen35" })
    : metadataOf(`${folder}ggml-vocab-${name}.gguf`);

describe("vocabularies cut to their tests", () => {
  it.each(names)("%s: ids and texts are llama.cpp's", async (name) => {
    const file = `ggml-vocab-${name}.gguf`;
    const tokenizer = createTokenizer(await vocabulary(name));
    const extra = await fixtureJson<Record<string, Expected>>(`${folder}extra.json`);
    const { cases, failures } = checkTokenizerCases(
      tokenizer,
      await fixtureText(`${folder}${file}.inp`),
      await fixtureText(`${folder}${file}.out`),
      extra[file],
    );
    expect(failures).toEqual([]);
    expect(cases).toBeGreaterThan(390);
    const { n_vocab, bos, eos, add_bos, add_eos } = extra[file];
    expect(tokenizer.size).toBe(n_vocab);
    expect(tokenizer.bos ?? -1).toBe(bos);
    expect(tokenizer.eos ?? -1).toBe(eos);
    expect([tokenizer.addBos, tokenizer.addEos]).toEqual([add_bos, add_eos]);
  });

  it.each([
    ["llama-bpe", ["<|end_of_text|>", "<|eot_id|>"]],
    ["qwen2", ["<|endoftext|>", "<|im_end|>"]],
    ["phi-3", ["<|end|>", "<|endoftext|>"]],
    ["gemma-4", ["<eos>", "<turn|>", "<|tool_response>"]],
    ["starcoder", ["<fim_pad>", "<|endoftext|>"]],
  ])("%s: generation ends at its end tokens", async (name, texts) => {
    const tokenizer = createTokenizer(await vocabulary(name));
    const found = [...tokenizer.endTokens].map((id) => tokenizer.token(id));
    expect(found.filter((text) => text !== "</s>").sort()).toEqual([...texts].sort());
    if (name === "gemma-4") expect(found).not.toContain("</s>");
  });
});

describe("the bundled model", () => {
  it("gives the reference's ids", async () => {
    const tokenizer = createTokenizer(await metadataOf("../../models/webgguf-tale-q8_0.gguf"));
    const cases = await fixtureJson<{ text: string; ids: number[]; ids_with_special: number[] }[]>(
      "tiny-model/tokenizer-cases.json",
    );
    for (const { text, ids, ids_with_special } of cases) {
      expect([...tokenizer.encode(text, { addSpecial: false })]).toEqual(ids);
      const special = tokenizer.encode(text, { addSpecial: true, parseSpecial: true });
      expect([...special]).toEqual(ids_with_special);
    }
    expect([...tokenizer.endTokens].map((id) => tokenizer.token(id)).sort()).toEqual([
      "<|endoftext|>",
      "<|im_end|>",
    ]);
  });
});

/** Code points from everywhere, a small generator's choice. */
function* randomTexts(count: number): Generator<string> {
  let state = 99;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const ranges = [0x80, 0x80, 0x250, 0x600, 0x3100, 0xa000, 0x10000, 0x20000, 0x110000];
  for (let i = 0; i < count; i++) {
    let text = "";
    for (let length = next(60); length > 0; length--) {
      const point = next(ranges[next(ranges.length)]);
      text += point >= 0xd800 && point < 0xe000 ? " " : String.fromCodePoint(point);
    }
    yield text;
  }
}

describe("any text", () => {
  // These have a token for each byte, and their detokenisation takes nothing out.
  const complete = ["command-r", "deepseek-coder", "deepseek-llm", "qwen2", "qwen35", "llama-spm"];
  const tokenizers = new Map<string, Tokenizer>();
  beforeAll(async () => {
    for (const name of names) tokenizers.set(name, createTokenizer(await vocabulary(name)));
  });

  it.each([...complete, "phi-3"])("%s: comes back as it was", (name) => {
    const tokenizer = tokenizers.get(name)!;
    for (const text of randomTexts(400)) {
      const ids = tokenizer.encode(text, { addSpecial: false });
      expect(tokenizer.decode(ids)).toBe(text);
      const withEnds = tokenizer.encode(text, { addSpecial: true });
      const back = tokenizer.decode(withEnds, { removeSpecial: true });
      // SentencePiece's space in front stays when BOS is taken off, as in llama.cpp.
      expect(name === "llama-spm" || name === "phi-3" ? back.replace(/^ /, "") : back).toBe(text);
    }
  });

  it.each(["gpt-2", "llama-bpe", "mpt", "gemma-4"])(
    "%s: its tokens spell it, before spaces are cleaned up",
    (name) => {
      const tokenizer = tokenizers.get(name)!;
      for (const text of randomTexts(300)) {
        const ids = tokenizer.encode(text, { addSpecial: false });
        const bytes = Array.from(ids).flatMap((id) => [...tokenizer.bytes(id)]);
        expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes))).toBe(
          text,
        );
      }
    },
  );

  it.each(names)("%s: takes bytes that are no text, and lone surrogates", (name) => {
    const tokenizer = tokenizers.get(name)!;
    let state = 7;
    for (let i = 0; i < 200; i++) {
      const bytes = Uint8Array.from({ length: i % 40 }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state >>> 24;
      });
      const ids = tokenizer.encode(bytes, { parseSpecial: i % 2 === 0 });
      for (const id of ids) expect(id >= 0 && id < tokenizer.size).toBe(true);
      expect(typeof tokenizer.decode(ids)).toBe("string");
    }
    for (const text of ["\ud800", "a\udfffb", "\udc00\ud800", "😀".slice(1)])
      expect([...tokenizer.encode(text)]).toEqual([
        ...tokenizer.encode(text.replace(/[\ud800-\udfff]/g, "\ufffd")),
      ]);
  });

  it("keeps the bytes of broken text in SentencePiece and marks them elsewhere", () => {
    const broken = Uint8Array.of(0x61, 0xff, 0x62);
    const spm = tokenizers.get("llama-spm")!;
    expect([...spm.decodeBytes(spm.encode(broken, { addSpecial: false }))]).toEqual([...broken]);
    const bpe = tokenizers.get("qwen2")!;
    expect(bpe.decode(bpe.encode(broken))).toBe("a\ufffdb");
  });

  it("is the same as a string and as bytes, byte order mark included", () => {
    const text = "\ufeffhello, wörld 😀";
    for (const [, tokenizer] of tokenizers)
      expect([...tokenizer.encode(text)]).toEqual([
        ...tokenizer.encode(new TextEncoder().encode(text)),
      ]);
    const qwen = tokenizers.get("qwen2")!;
    expect(qwen.decode(qwen.encode(text))).toBe(text);
  });

  it("leaves special tokens in user text unread unless asked", () => {
    const tokenizer = tokenizers.get("qwen2")!;
    const text = "<|im_start|>user";
    const read = tokenizer.encode(text, { parseSpecial: true });
    expect(tokenizer.token(read[0])).toBe("<|im_start|>");
    expect(tokenizer.isSpecial(read[0])).toBe(true);
    expect(tokenizer.decode(read)).toBe("user");
    expect(tokenizer.decode(read, { unparseSpecial: true })).toBe(text);
    const unread = tokenizer.encode(text);
    expect([...unread].some((id) => tokenizer.isSpecial(id))).toBe(false);
    expect(tokenizer.decode(unread)).toBe(text);
  });

  it("refuses ids that are no tokens", () => {
    const tokenizer = tokenizers.get("gpt-2")!;
    for (const id of [-1, tokenizer.size, 0.5, Number.NaN]) {
      expect(() => tokenizer.decode([id])).toThrow(WebggufError);
      expect(() => tokenizer.token(id)).toThrow(`an id from 0 to ${tokenizer.size - 1}`);
    }
  });
});
