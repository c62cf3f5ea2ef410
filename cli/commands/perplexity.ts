/** `webgguf perplexity`: how well the model predicts a text, as llama.cpp counts it. */
import { perplexity as measure } from "../../src/tools/mod.ts";
import type { Command } from "../command.ts";
import { usage } from "../flags.ts";
import { interruptible, withModel } from "../model.ts";
import { DEVICE_FLAGS } from "../model-flags.ts";
import { promptFrom } from "../prompt.ts";
import { note, print } from "../terminal.ts";

export const perplexity: Command = {
  name: "perplexity",
  summary: "Measure the perplexity of a text, as llama-perplexity does",
  examples: ["webgguf perplexity -m model.gguf -f text.txt -c 512"],
  flags: [
    { names: ["-p", "--prompt"], value: "TEXT", help: "the text; escapes such as \\n are read" },
    { names: ["-f", "--file"], value: "FILE", help: "the text from a file, as it is" },
    { names: ["--no-escape"], help: "take -p as it is" },
    { names: ["--json"], help: "one JSON object with every -ln p" },
    ...DEVICE_FLAGS,
  ],
  async run(values) {
    const text = await promptFrom(values);
    const json = values.switch("json");
    // The context of the model is that of a chunk, so that -c has llama.cpp's meaning.
    const context = values.integer("ctx-size") ?? 512;
    if (context !== 0 && context < 3)
      throw usage(`-c is at least 3 here, or 0 for the model's own, not ${context}`);
    return withModel(values, { contextLength: context }, async (model) => {
      const result = await interruptible((signal) =>
        measure(model, text, {
          context: model.contextLength,
          signal,
          onChunk: (done, chunks, value) => note(`[${done}/${chunks}] ${value.toFixed(4)}`),
        }),
      );
      await print(
        json
          ? `${JSON.stringify({ ...result, nll: Array.from(result.nll), device: model.device.name })}\n`
          : `Final estimate: PPL = ${result.perplexity.toFixed(4)} +/- ${result.error.toFixed(5)}\n`,
      );
      return 0;
    });
  },
};
