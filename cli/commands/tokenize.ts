/** `webgguf tokenize`: text in, token ids out; a file without weights (vocabulary only) will do. */
import { createTokenizer, openSource, readGguf } from "../../mod.ts";
import type { Command } from "../command.ts";
import { usage } from "../flags.ts";
import { headerOptions } from "../getting.ts";
import { MODEL_FLAGS } from "../model-flags.ts";
import { modelText, print, processEscapes, readBytes, readStdin } from "../terminal.ts";

export const tokenize: Command = {
  name: "tokenize",
  summary: "Show the tokens of a text",
  examples: [
    'webgguf tokenize -m model.gguf -p "Hello, world!"',
    "webgguf tokenize -m vocab.gguf --stdin --ids < text.txt",
  ],
  flags: [
    ...MODEL_FLAGS,
    { names: ["-p", "--prompt"], value: "TEXT", help: "the text; escapes such as \\n are read" },
    { names: ["-f", "--file"], value: "FILE", help: "the text from a file, byte for byte" },
    { names: ["--stdin"], help: "the text from standard input, byte for byte" },
    { names: ["--ids"], help: "one line such as [1, 2, 3]" },
    { names: ["--no-bos"], help: "add no special tokens at the ends" },
    { names: ["--no-escape"], help: "take -p as it is" },
    { names: ["--no-parse-special"], help: "read <|special|> tokens in the text as plain text" },
    { names: ["--show-count"], help: "print the number of tokens too" },
  ],
  async run(values) {
    const path = values.model();
    const prompt = values.text("prompt");
    const file = values.text("file");
    const given = [prompt, file, values.switch("stdin") || undefined].filter(
      (x) => x !== undefined,
    );
    if (given.length !== 1) throw usage("Give the text by one of -p TEXT, -f FILE and --stdin");
    const text: string | Uint8Array =
      prompt !== undefined
        ? values.switch("no-escape")
          ? prompt
          : processEscapes(prompt)
        : file !== undefined
          ? await readBytes(file)
          : await readStdin();
    const source = await openSource(path, headerOptions(values));
    try {
      const { metadata } = await readGguf(source, { headerOnly: true });
      const tokenizer = createTokenizer(metadata);
      const ids = tokenizer.encode(text, {
        addSpecial: !values.switch("no-bos"),
        parseSpecial: !values.switch("no-parse-special"),
      });
      if (values.switch("ids")) await print(`[${Array.from(ids).join(", ")}]\n`);
      else {
        const decoder = new TextDecoder();
        for (const id of ids)
          await print(
            `${String(id).padStart(6)} -> '${modelText(decoder.decode(tokenizer.bytes(id, true)))}'\n`,
          );
      }
      if (values.switch("show-count")) await print(`Total number of tokens: ${ids.length}\n`);
      return 0;
    } finally {
      await source.close();
    }
  },
};
