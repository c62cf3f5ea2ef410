/** `webgguf chat`: a conversation through the model's own chat template. */
import type { GenerateOptions } from "../../mod.ts";
import { Chat } from "../chat.ts";
import { namedTemplate } from "../chat-templates.ts";
import type { Command } from "../command.ts";
import { usage, type Values } from "../flags.ts";
import { GRAMMAR_FLAGS, grammarOptions } from "../grammar-flags.ts";
import { withModel } from "../model.ts";
import {
  DEVICE_FLAGS,
  SAMPLING_FLAGS,
  SPECULATION_FLAGS,
  samplingOptions,
} from "../model-flags.ts";
import { GENERATION_FLAGS, generationOptions, optionalPrompt } from "../prompt.ts";
import { PROMPT_CACHE_FLAGS, PromptCache } from "../prompt-cache.ts";
import { readText } from "../terminal.ts";

export const chat: Command = {
  name: "chat",
  summary: "Talk with a model through its chat template",
  examples: [
    "webgguf chat -m model.gguf",
    'webgguf chat -m model.gguf -sys "Answer in one sentence." --temp 0.7',
    'webgguf chat -m model.gguf -p "Tell me a story." -st',
    "echo Hello | webgguf chat -m model.gguf --simple-io",
  ],
  flags: [
    { names: ["-sys", "--system-prompt"], value: "TEXT", help: "the system message" },
    { names: ["-st", "--single-turn"], help: "one answer, then leave" },
    {
      names: ["-mli", "--multiline-input"],
      help: "lines go on until one ends in \\ (else \\ makes one go on)",
    },
    { names: ["--simple-io"], help: "no line editing, no prompts, no colours: for pipes" },
    {
      names: ["--chat-template"],
      value: "JINJA",
      help: "a template instead of the model's, or llama.cpp's name of one (chatml, llama3, gemma …)",
    },
    { names: ["--chat-template-file"], value: "FILE", help: "the same from a file" },
    {
      names: ["--chat-template-kwargs"],
      value: "JSON",
      help: 'variables for it: {"enable_thinking": false}',
    },
    { names: ["--jinja"], help: "what chat always does" },
    {
      names: ["--reasoning-format"],
      value: "FORMAT",
      help: "auto or deepseek: thoughts apart, dimmed; none: as they come",
    },
    {
      names: ["--context-shift"],
      help: "leave the oldest turns out of the prompt when the context is full (the default)",
    },
    { names: ["--no-context-shift"], help: "say that it is full instead" },
    { names: ["-cnv", "--conversation"], help: "what chat always does" },
    { names: ["-no-cnv", "--no-conversation"], help: "see webgguf complete" },
    ...GENERATION_FLAGS,
    ...PROMPT_CACHE_FLAGS,
    ...SAMPLING_FLAGS,
    ...GRAMMAR_FLAGS,
    ...DEVICE_FLAGS,
    ...SPECULATION_FLAGS,
  ],
  async run(values) {
    if (values.switch("no-conversation"))
      throw usage("chat is a conversation; for plain text use webgguf complete");
    const first = await optionalPrompt(values);
    const options: GenerateOptions = {
      ...samplingOptions(values),
      ...generationOptions(values),
      ...(await grammarOptions(values)),
      template: await templateOptions(values),
      reasoning: values.choice("reasoning-format", ["auto", "deepseek", "none"]) !== "none",
    };
    const cache = PromptCache.of(values);
    return withModel(values, {}, async (model) => {
      const session = model.session();
      await cache?.restore(session);
      const status = await new Chat(model, options, values, undefined, session).run(first);
      await cache?.save(session);
      return status;
    });
  },
};

async function templateOptions(values: Values): Promise<GenerateOptions["template"]> {
  const file = values.text("chat-template-file");
  const given = file === undefined ? values.text("chat-template") : await readText(file);
  const template = given && namedTemplate(given);
  const kwargs = values.text("chat-template-kwargs");
  return {
    ...(template && { template }),
    ...(kwargs !== undefined && { kwargs: readObject(kwargs) }),
  };
}

function readObject(json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // Said below.
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw usage(`--chat-template-kwargs wants a JSON object, not ${json}`);
  return value as Record<string, unknown>;
}
