/** `webgguf embed`: one vector a text. */
import type { Command } from "../command.ts";
import { interruptible, withModel } from "../model.ts";
import { DEVICE_FLAGS } from "../model-flags.ts";
import { promptFrom } from "../prompt.ts";
import { print } from "../terminal.ts";

export const embed: Command = {
  name: "embed",
  summary: "Turn texts into vectors with an embedding model",
  examples: [
    'webgguf embed -m embedding.gguf -p "first text\\nsecond text"',
    "webgguf embed -m embedding.gguf -f texts.txt",
  ],
  flags: [
    {
      names: ["-p", "--prompt"],
      value: "TEXT",
      help: "texts, one a line; escapes such as \\n are read",
    },
    { names: ["-f", "--file"], value: "FILE", help: "texts from a file, one a line" },
    { names: ["--no-escape"], help: "take -p as it is" },
    ...DEVICE_FLAGS,
  ],
  async run(values) {
    const texts = (await promptFrom(values)).split("\n");
    return withModel(values, {}, async (model) => {
      const embeddings = await interruptible((signal) => model.embed(texts, { signal }));
      for (const { vector } of embeddings) await print(`${JSON.stringify(Array.from(vector))}\n`);
      return 0;
    });
  },
};
