/** `webgguf ls`: the models that are kept. */
import { models } from "../../mod.ts";
import type { Command } from "../command.ts";
import { bytesText } from "../sizes.ts";
import { table } from "../table.ts";
import { note, print } from "../terminal.ts";

export const ls: Command = {
  name: "ls",
  summary: "List the models that were fetched, and the space that they take",
  examples: ["webgguf ls", "webgguf ls --json"],
  flags: [{ names: ["--json"], help: "one JSON object" }],
  async run(values) {
    const [list, space] = [await models.list(), await models.space()];
    if (values.switch("json")) {
      await print(`${JSON.stringify({ models: list, ...space })}\n`);
      return 0;
    }
    if (list.length === 0) note("No model is kept here; webgguf pull hf:USER/REPO fetches one");
    else {
      const rows = list.map(({ reference, bytes, loaded, commit }) => [
        reference,
        bytesText(bytes),
        loaded < bytes
          ? `unfinished, ${Math.floor((100 * loaded) / Math.max(1, bytes))}%`
          : (commit?.slice(0, 7) ?? ""),
      ]);
      await print(`${table([["model", "size", "commit"], ...rows], [1])}\n`);
    }
    const free = space.free === undefined ? "" : `, ${bytesText(space.free)} free`;
    note(`${bytesText(space.used)} in all${free}`);
    return 0;
  },
};
