/** `webgguf rm`: removes what was fetched. */
import { models } from "../../mod.ts";
import type { Command } from "../command.ts";
import { MODEL_FLAGS } from "../model-flags.ts";
import { bytesText } from "../sizes.ts";
import { note } from "../terminal.ts";

export const rm: Command = {
  name: "rm",
  summary: "Remove a fetched model, or all of a repository",
  examples: ["webgguf rm hf:USER/REPO:Q4_K_M", "webgguf rm hf:USER/REPO"],
  flags: [...MODEL_FLAGS],
  async run(values) {
    note(`${bytesText(await models.remove(values.model()))} freed`);
    return 0;
  },
};
