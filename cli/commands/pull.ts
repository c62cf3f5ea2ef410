/** `webgguf pull`: brings a model into the store. */
import { models } from "../../mod.ts";
import type { Command } from "../command.ts";
import { gettingOptions } from "../getting.ts";
import { interruptible } from "../model.ts";
import { MODEL_FLAGS } from "../model-flags.ts";
import { loadReporting, print } from "../terminal.ts";

export const pull: Command = {
  name: "pull",
  summary: "Fetch a model and keep it: whole, checked, once",
  examples: [
    "webgguf pull hf:USER/REPO:Q4_K_M",
    "webgguf pull -hf USER/REPO",
    "webgguf pull https://example.org/model.gguf",
  ],
  flags: [...MODEL_FLAGS, { names: ["--json"], help: "one JSON object" }],
  async run(values) {
    const reference = values.model();
    const model = await interruptible((signal) =>
      models.pull(reference, { ...gettingOptions(values), ...loadReporting(), signal }),
    );
    await print(values.switch("json") ? `${JSON.stringify(model)}\n` : `${model.path}\n`);
    return 0;
  },
};
