/** Long texts are encoded in slices, with the ids of the whole, and no further than wanted. */
import { describe, expect, it } from "vitest";
import { atOnce } from "../../src/base/steps.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { preTokenizer, preTokenizerNames } from "../../src/tokenizer/pretokenize/index.ts";
import { cutAll } from "../../src/tokenizer/pretokenize/scan.ts";
import {
  createTokenizer,
  encodeSteps,
  exceeding,
  type Tokenizer,
  tokenizerSteps,
} from "../../src/tokenizer/tokenizer.ts";
import { decodePoints, toUtf8 } from "../../src/tokenizer/utf8.ts";
import { fixture, fixtureText } from "../fixture.ts";

const folder = "reference/tokenizers/";
const names = [
  "bert-bge",
  "command-r",
  "deepseek-coder",
  "deepseek-llm",
  "falcon",
  "gemma-4",
].concat(["gpt-2", "llama-bpe", "llama-spm", "mpt", "phi-3", "qwen2", "refact", "starcoder"]);

async function tokenizerOf(name: string): Promise<Tokenizer> {
  const path = `${folder}ggml-vocab-${name}.gguf`;
  const { metadata } = await readGguf(bufferSource(await fixture(path), path), {
    headerOnly: true,
  });
  return createTokenizer(metadata);
}

/** llama.cpp's own test texts, joined, and what pre-tokenizers look at in many orders. */
async function textsOf(name: string): Promise<string[]> {
  const given = (await fixtureText(`${folder}ggml-vocab-${name}.gguf.inp`)).split(
    "\n__ggml_vocab_test__\n",
  );
  return [
    given.join(" "),
    given.join("\n"),
    ...Array.from({ length: 12 }, (_, i) => drawn(i, 400)),
  ];
}

const PARTS = [
  "a",
  "B",
  "the",
  "'s",
  "'LL",
  " ",
  "  ",
  "\n",
  "\n\n",
  "\t",
  "\r\n",
  "1",
  "2345",
  ".",
  ",!",
];
PARTS.push(
  "/",
  "é",
  "中文",
  "ا",
  "\u3000",
  "<s>",
  "</s>",
  "<|im_end|>",
  "🙂",
  "\u0301",
  "-",
  "_",
  "X y",
);

/** Parts in a seeded order. */
function drawn(seed: number, count: number): string {
  let state = seed + 1;
  let text = "";
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += PARTS[(state >>> 8) % PARTS.length];
  }
  return text;
}

describe("words", () => {
  it.each(preTokenizerNames())("of %s end at every place where texts are cut", (name) => {
    const pre = preTokenizer(name)!;
    // Cut at white space in another way.
    if (pre.dropSpaces) return;
    for (let seed = 0; seed < 60; seed++) {
      const points = decodePoints(toUtf8(drawn(seed, 60)));
      const ends = new Set(cutAll(points, pre.passes));
      const letter = (point: number): boolean =>
        point < 128 && /[A-Za-z]/.test(String.fromCharCode(point));
      for (let i = 1; i < points.length; i++) {
        if (!letter(points[i - 1]) || !pre.cuts.includes(points[i])) continue;
        const parts = [
          ...cutAll(points.slice(0, i), pre.passes),
          ...cutAll(points.slice(i), pre.passes).map((end) => i + end),
        ];
        expect(parts).toEqual([...ends]);
      }
    }
  });
});

describe.each(names)("%s", (name) => {
  it("has the same ids in slices of any size", async () => {
    const tokenizer = await tokenizerOf(name);
    for (const text of await textsOf(name))
      for (const parseSpecial of [false, true])
        for (const slice of [1, 30]) {
          const whole = Array.from(tokenizer.encode(text, { parseSpecial }));
          const steps = encodeSteps(
            tokenizer,
            text,
            { parseSpecial },
            Number.POSITIVE_INFINITY,
            slice,
          );
          expect(atOnce(steps)).toEqual(whole);
        }
  });

  it("is never said to have more tokens than it has, and soon to have more where it has many", async () => {
    const tokenizer = await tokenizerOf(name);
    const [, lines, parts] = await textsOf(name);
    for (const text of [lines, parts, "a", " ", "▁", "中🙂"].map((one) =>
      one.repeat(Math.ceil(20_000 / one.length)),
    )) {
      const { length } = tokenizer.encode(text, { addSpecial: false, parseSpecial: true });
      // Pairs of surrogates are taken apart as well.
      const found = (most: number): number => {
        const exceeds = exceeding(tokenizer, most)!;
        for (let at = 0; at < text.length; at += 97)
          if (exceeds(text.slice(at, at + 97))) return at;
        return text.length;
      };
      expect(found(length)).toBe(text.length);
      if (name !== "bert-bge" && text.trim()) expect(found(length / 1000)).toBeLessThan(17_000);
    }
  });

  it("encodes no further than wanted", async () => {
    const tokenizer = await tokenizerOf(name);
    const text = "one two three\nfour, five ".repeat(40_000);
    const before = tokenizerSteps(tokenizer);
    expect(atOnce(encodeSteps(tokenizer, text, {}, 100))).toBeUndefined();
    expect(tokenizerSteps(tokenizer) - before).toBeLessThan(200_000);
    expect(atOnce(encodeSteps(tokenizer, "one two", {}, 100))?.length).toBeLessThan(20);
  });
});
