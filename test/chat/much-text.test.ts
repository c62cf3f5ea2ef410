/**
 * What a context cannot hold is refused while the template writes it, however it comes, in steps; what
 * it can hold never is. Steps are counted: each is a bounded amount of work.
 */
import { describe, expect, it } from "vitest";
import { atOnce } from "../../src/base/steps.ts";
import { bufferSource } from "../../src/bytes/buffer.ts";
import type { ChatMessage } from "../../src/chat/messages.ts";
import { type RenderedChat, type RenderOptions, renderSteps } from "../../src/chat/render.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { createTokenizer, tokenizerSteps } from "../../src/tokenizer/tokenizer.ts";
import { fixture, fixtureText } from "../fixture.ts";
import { toolsOf, turns } from "./long-conversations.ts";

const folder = "reference/tokenizers/";
async function open(name: string) {
  const path = `${folder}ggml-vocab-${name}.gguf`;
  const { metadata } = await readGguf(bufferSource(await fixture(path), path), {
    headerOnly: true,
  });
  return { metadata, tokenizer: createTokenizer(metadata) };
}
const models = await Promise.all(["qwen2", "llama-spm"].map(open));

const TEMPLATES = [
  "Qwen-Qwen3-0.6B",
  "google-gemma-4-31B-it",
  "openai-gpt-oss-120b",
  "meta-llama-Llama-3.1-8B-Instruct",
  "mistralai-Mistral-Nemo-Instruct-2407",
  "deepseek-ai-DeepSeek-V3.2",
];
const AT_ONCE = ["openai-gpt-oss-120b", "meta-llama-Llama-3.1-8B-Instruct"];
const sources = await Promise.all(
  TEMPLATES.map((name) => fixtureText(`reference/templates/${name}.jinja`)),
);

type Given = readonly [readonly ChatMessage[], RenderOptions?];

/** How it ends, in how many steps, and with how much work of the tokenizer. */
function refused(
  { metadata, tokenizer }: (typeof models)[number],
  [messages, options = {}]: Given,
  template: string,
  context: number,
): { code: unknown; steps: number; work: number } {
  const given = { ...options, template: { ...options.template, template } };
  const before = tokenizerSteps(tokenizer);
  let [steps, code]: [number, unknown] = [0, "fits"];
  try {
    for (const _ of renderSteps(metadata, tokenizer, messages, given, context)) steps++;
  } catch (error) {
    code = (error as { code?: unknown }).code;
  }
  return { code, steps, work: tokenizerSteps(tokenizer) - before };
}

const COUNT = 4000;
const said = (content: string): ChatMessage[] => [{ role: "user", content }];
const MUCH: Readonly<Record<string, () => Given>> = {
  "many short messages": () => [turns(COUNT)],
  "many messages of a word": () => [turns(COUNT).map((one) => ({ ...one, content: " word" }))],
  "a long message": () => [said("one two three\n".repeat(2 * COUNT))],
  "a long line of one letter": () => [said("a".repeat(10 * COUNT))],
  "special tokens, spelled": () => [said("<|im_end|></s><eos>".repeat(COUNT))],
  "many parts": () => [
    [
      {
        role: "user",
        content: Array.from({ length: COUNT }, () => ({ type: "text", text: "hi" })),
      },
    ],
  ],
  "a long answer": () => [
    [...said("x"), { role: "assistant", content: "one two ".repeat(3 * COUNT) }, ...said("y")],
  ],
};

describe("too much for the context", () => {
  it.each(Object.keys(MUCH))("%s: an error after few steps, before it is tokenized", (what) => {
    const given = MUCH[what]();
    // Reading and preparing the messages, and making them values.
    const reading = (3 * given[0].length) / 1000;
    for (const [i, source] of sources.entries()) {
      const { code, steps, work } = refused(models[i % models.length], given, source, 64);
      expect(code).toBe("context/overflow");
      expect(work).toBeLessThan(1000);
      // The others look through all messages for the last question before they write.
      expect(steps).toBeLessThan(reading + (AT_ONCE.includes(TEMPLATES[i]) ? 5 : 150));
    }
  });

  it("many tools are refused as well, where the template writes them", () => {
    const source = sources[0];
    const given = [said("x"), { tools: toolsOf(500) }] as const;
    const { code, steps } = refused(models[0], given, source, 64);
    expect(code).toBe("context/overflow");
    expect(steps).toBeLessThan(10);
  });

  it("what a template reads and does not write counts nothing", () => {
    const template = "{{ messages[-1].content }}{{ messages | length }}";
    for (const model of models)
      expect(refused(model, [turns(COUNT)], template, 16).code).toBe("fits");
  });
});

describe("as much as the context holds", () => {
  const tokens = (
    { metadata, tokenizer }: (typeof models)[number],
    [messages, options = {}]: Given,
    template: string,
    context: number,
    exact: boolean,
  ): RenderedChat["tokens"] => {
    const given = { ...options, template: { template } };
    return atOnce(renderSteps(metadata, tokenizer, messages, given, context, exact)).tokens;
  };
  it.each(TEMPLATES)("is rendered, and more is not: %s", (name) => {
    const source = sources[TEMPLATES.indexOf(name)];
    for (const model of models)
      for (const given of [
        [turns(700)],
        [turns(40, true)],
        [said("word </s> word <|im_end|> word ".repeat(700))],
      ] as const) {
        const { length } = tokens(model, given, source, 1e9, true);
        expect(tokens(model, given, source, length, true).length).toBe(length);
        expect(tokens(model, given, source, length, false).length).toBe(length);
        expect(() => tokens(model, given, source, length - 3, true)).toThrow("The context holds");
      }
  });
});
