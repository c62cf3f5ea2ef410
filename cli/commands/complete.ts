/** `webgguf complete`: a prompt in, its continuation out. */
import type { GenerateOptions, Model, Piece } from "../../mod.ts";
import type { Command } from "../command.ts";
import { GRAMMAR_FLAGS, grammarOptions } from "../grammar-flags.ts";
import { interruptible, withModel } from "../model.ts";
import {
  DEVICE_FLAGS,
  SAMPLING_FLAGS,
  SPECULATION_FLAGS,
  samplingOptions,
} from "../model-flags.ts";
import { GENERATION_FLAGS, generationOptions, promptFrom, statistics } from "../prompt.ts";
import { PROMPT_CACHE_FLAGS, PromptCache } from "../prompt-cache.ts";
import { endLine, modelText, note, print, stdoutIsTerminal } from "../terminal.ts";

/** The text of a piece, or its special token's where it has none. */
export function shown({ text, token }: Piece, { tokenizer }: Model): string {
  const isSpecial = text === "" && token !== undefined && tokenizer.isSpecial(token);
  return isSpecial ? tokenizer.token(token) : text;
}

export const complete: Command = {
  name: "complete",
  summary: "Continue a prompt, without a chat template",
  examples: [
    'webgguf complete -m model.gguf -p "Once upon a time" -n 64',
    "webgguf complete -m model.gguf -f prompt.txt --temp 0 --no-display-prompt",
  ],
  flags: [
    ...GENERATION_FLAGS,
    { names: ["--no-display-prompt"], help: "print the answer only" },
    { names: ["-no-cnv", "--no-conversation"], help: "what complete always does" },
    ...PROMPT_CACHE_FLAGS,
    ...SAMPLING_FLAGS,
    ...GRAMMAR_FLAGS,
    ...DEVICE_FLAGS,
    ...SPECULATION_FLAGS,
  ],
  async run(values) {
    const prompt = await promptFrom(values);
    const cache = PromptCache.of(values);
    const options: GenerateOptions = {
      ...samplingOptions(values),
      ...generationOptions(values),
      ...(await grammarOptions(values)),
    };
    return withModel(values, {}, async (model) => {
      const session = model.session();
      await cache?.restore(session);
      // With a file, the whole text: what it begins with is there already.
      const tokens = cache && [
        model.tokenizer.encode(prompt, { addSpecial: true, parseSpecial: true }),
      ];
      if (!values.switch("no-display-prompt")) await print(prompt);
      const special = values.switch("special");
      await interruptible(async (signal) => {
        for await (const piece of session.generate(tokens ?? prompt, { ...options, signal }))
          await print(modelText(special ? shown(piece, model) : piece.text));
      });
      if (stdoutIsTerminal()) await endLine();
      if (!values.switch("no-perf")) note(statistics(model, session.stats()));
      if (tokens && !cache.all && cache.writes) await session.generate(tokens, { maxTokens: 0 });
      await cache?.save(session);
      return 0;
    });
  },
};
