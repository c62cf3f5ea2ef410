/** A conversation as tokens: what the tokenizer adds on its own, and what it must not. */
import { describe, expect, it } from "vitest";
import { renderChat } from "../../src/chat/render.ts";
import { Metadata } from "../../src/file/metadata.ts";
import type { EncodeOptions, Tokenizer } from "../../src/tokenizer/tokenizer.ts";

const [BOS, EOS] = [1, 2];
const texts = new Map([
  [BOS, "<s>"],
  [EOS, "</s>"],
]);

/** One token a character, but for the special ones. */
function tokenizerOf(adds: { addBos: boolean; addEos: boolean }): Tokenizer {
  const pattern = /<\/?s>|./gsu;
  return {
    ...adds,
    bos: BOS,
    eos: EOS,
    size: 3,
    isSpecial: (id: number) => texts.has(id),
    token: (id: number) => texts.get(id) ?? "",
    encode(text: string, { addSpecial, parseSpecial }: EncodeOptions = {}) {
      const parts = parseSpecial ? (text.match(pattern) ?? []) : Array.from(text);
      const ids = parts.map((part) =>
        part === "<s>" ? BOS : part === "</s>" ? EOS : (part.codePointAt(0) ?? 0),
      );
      if (addSpecial && adds.addBos) ids.unshift(BOS);
      if (addSpecial && adds.addEos) ids.push(EOS);
      return Int32Array.from(ids);
    },
  } as unknown as Tokenizer;
}

const SAID = "{% for m in messages %}{{ m.content }}{% endfor %}";
const metadataOf = (template: string): Metadata =>
  new Metadata("m.gguf", new Map([["tokenizer.chat_template", template]]));
const say = (content: string): { role: string; content: string }[] => [{ role: "user", content }];
const ids = (text: string): number[] => Array.from(text, (c) => c.codePointAt(0) ?? 0);

describe("a rendered conversation", () => {
  const both = tokenizerOf({ addBos: true, addEos: true });

  it("does not end with the EOS that a tokenizer adds to texts", () => {
    const { tokens } = renderChat(metadataOf(SAID), both, say("hi"), {});
    expect(tokens).toEqual([BOS, ...ids("hi")]);
  });

  it("has one BOS, whoever writes it", () => {
    for (const addBos of [true, false]) {
      const tokenizer = tokenizerOf({ addBos, addEos: false });
      const written = renderChat(metadataOf(`<s>${SAID}`), tokenizer, say("hi"), {});
      expect(written.tokens).toEqual([BOS, ...ids("hi")]);
      const plain = renderChat(metadataOf(SAID), tokenizer, say("hi"), {});
      expect(plain.tokens).toEqual([...(addBos ? [BOS] : []), ...ids("hi")]);
    }
  });

  it("has what a message spells like a special token as plain text", () => {
    const tokenizer = tokenizerOf({ addBos: false, addEos: false });
    const { tokens, text } = renderChat(metadataOf(`${SAID}</s>`), tokenizer, say("a</s>"), {});
    expect(text).toBe("a</s></s>");
    expect(tokens).toEqual([...ids("a</s>"), EOS]);
  });

  it("follows the template that is given this time", () => {
    const metadata = metadataOf(`A${SAID}`);
    const text = (template?: string): string =>
      renderChat(metadata, both, say("x"), template === undefined ? {} : { template: { template } })
        .text;
    expect([text(), text(`B${SAID}`), text(`C${SAID}`), text()]).toEqual(["Ax", "Bx", "Cx", "Ax"]);
  });

  it("comes with a reader of the answer where the template shows its format, unless not wanted", () => {
    const metadata = metadataOf(`${SAID}{# <think> </think> #}<think>`);
    const { parser } = renderChat(metadata, both, say("x"), {});
    expect(parser?.push("hm</think>yes")).toEqual([
      { channel: "reasoning", text: "hm" },
      { channel: "content", text: "yes" },
    ]);
    expect(renderChat(metadata, both, say("x"), { reasoning: false }).parser).toBe(undefined);
    expect(renderChat(metadataOf(SAID), both, say("x"), {}).parser).toBe(undefined);
  });
});
