/** `--chat-template NAME`: llama.cpp's names, with its way to write a conversation. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CHAT_TEMPLATES, namedTemplate } from "../../cli/chat-templates.ts";
import { ChatTemplate } from "../../src/chat/template.ts";

const facts = { bosToken: "", eosToken: "" };
const said = [
  { role: "system", content: "Brief." },
  { role: "user", content: "Hi" },
  { role: "assistant", content: "Hello" },
  { role: "user", content: "More" },
];
const show = (name: string, messages = said): string =>
  new ChatTemplate(CHAT_TEMPLATES[name], facts).render(messages);

/** Names as `llama_chat_builtin_templates` lists them. */
const NAMES =
  "chatml llama2 llama2-sys llama2-sys-bos llama2-sys-strip mistral-v1 mistral-v3 mistral-v3-tekken mistral-v7 " +
  "mistral-v7-tekken phi3 phi4 falcon3 zephyr monarch gemma orion openchat vicuna vicuna-orca deepseek deepseek2 " +
  "deepseek3 command-r llama3 chatglm3 chatglm4 glmedge minicpm exaone3 exaone4 rwkv-world granite gigachat megrez " +
  "yandex bailing llama4 smolvlm hunyuan-moe gpt-oss hunyuan-dense kimi-k2 seed_oss grok-2";

describe("named templates", () => {
  it.each(NAMES.split(" "))(
    "%s says every message once, in order, and asks for the answer",
    (name) => {
      const text = show(name);
      expect(text).toMatch(/Brief\..*Hi.*Hello.*More/s);
      for (const { content } of said) expect(text.split(content).length).toBe(2);
      const asked = new ChatTemplate(CHAT_TEMPLATES[name], facts);
      const plain = asked.render(said, [], { addGenerationPrompt: false });
      expect(text.startsWith(plain)).toBe(true);
    },
  );

  it.each([
    ["llama2-sys", "[INST] <<SYS>>\nBrief.\n<</SYS>>\n\nHi [/INST]Hello</s>[INST] More [/INST]"],
    [
      "llama2-sys-bos",
      "[INST] <<SYS>>\nBrief.\n<</SYS>>\n\nHi [/INST]Hello</s><s>[INST] More [/INST]",
    ],
    ["mistral-v3", "[INST] Brief.\n\nHi[/INST] Hello</s>[INST] More[/INST]"],
    [
      "gemma",
      "<start_of_turn>user\nBrief.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>\n<start_of_turn>user\nMore<end_of_turn>\n<start_of_turn>model\n",
    ],
    [
      "monarch",
      "system\nBrief.</s>\n<s>user\nHi</s>\n<s>assistant\nHello</s>\n<s>user\nMore</s>\n<s>assistant\n",
    ],
    ["rwkv-world", "System: Brief.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: More\n\nAssistant:"],
    [
      "bailing",
      "<role>SYSTEM</role>Brief.<role>HUMAN</role>Hi<role>ASSISTANT</role>Hello<role>HUMAN</role>More<role>ASSISTANT</role>",
    ],
    [
      "yandex",
      "<s>Brief.\n\n Пользователь: Hi\n\n Ассистент: Hello\n\n Пользователь: More\n\n Ассистент:[SEP]",
    ],
  ])("%s is llama.cpp's", (name, text) => {
    expect(show(name)).toBe(text);
  });

  it("are meant by their names, and nothing by an empty text", () => {
    expect(namedTemplate("chatml")).toBe(CHAT_TEMPLATES["chatml"]);
    expect(namedTemplate("{{ messages }}")).toBe("{{ messages }}");
    expect(namedTemplate("tool_use")).toBe("tool_use");
    expect(namedTemplate(" \n")).toBe(undefined);
    for (const wrong of ["chatlm", "toString", "llama-3"])
      expect(() => namedTemplate(wrong)).toThrow(wrong);
    expect(() => namedTemplate("chatlm")).toThrow("chatml");
  });
});

/** Published templates that write what the named ones write, by the end of their file's name. */
const PUBLISHED: Readonly<Record<string, string>> = {
  "tct-teknium-OpenHermes-2.5-Mistral-7B": "chatml",
  "tct-deepseek-ai-deepseek-coder-33b-instruct": "deepseek",
  "tct-eachadea-vicuna-13b-1.1": "vicuna",
  "tct-Orca-Vicuna": "vicuna-orca",
  "tct-CohereForAI-c4ai-command-r-plus": "command-r",
  "tct-Llama-3": "llama3",
  "tct-ChatGLM3": "chatglm3",
  "tct-ChatGLM4": "chatglm4",
  "tct-GLMEdge": "glmedge",
  "tct-ibm-granite-granite-3.0-8b-instruct": "granite",
  "tct-Infinigence-Megrez-3B-Instruct": "megrez",
  "tct-phi-4": "phi4",
  "tct-inclusionAI-Ling-lite": "bailing",
};
const folder = new URL("../../../shared/reference/chat/templates/", import.meta.url);

describe.skipIf(!existsSync(folder))(`published templates (in ${folder.pathname})`, () => {
  it.each(Object.entries(PUBLISHED))("%s is %s", (file, name) => {
    const source = readFileSync(new URL(`${file}.jinja`, folder), "utf8");
    expect(show(name)).toBe(new ChatTemplate(source, facts).render(said));
  });
});
