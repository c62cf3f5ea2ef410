/** `webgguf fit`: what of a repository runs on this device, told before it is fetched. */
import { type FitReport, models } from "../../mod.ts";
import type { Command } from "../command.ts";
import { interruptible } from "../model.ts";
import { DEVICE_FLAGS, loadOptions } from "../model-flags.ts";
import { bytesText } from "../sizes.ts";
import { table } from "../table.ts";
import { loadReporting, note, print } from "../terminal.ts";

export const fit: Command = {
  name: "fit",
  summary: "Show what of a repository fits this device, and how fast it may be, before fetching it",
  examples: ["webgguf fit hf:USER/REPO", "webgguf fit -hf USER/REPO:Q8_0 -c 32768"],
  flags: [...DEVICE_FLAGS, { names: ["--json"], help: "one JSON object a model" }],
  async run(values) {
    const reference = values.model();
    const options = { ...loadOptions(values), onNotice: loadReporting().onNotice };
    const rows = await interruptible((signal) => models.fit(reference, { ...options, signal }));
    if (values.switch("json")) {
      for (const row of rows) await print(`${JSON.stringify(row)}\n`);
      return 0;
    }
    const lines = rows.map((row) => [
      row.reference.replace(/@[0-9a-f]{40}$/, ""),
      row.bytes === undefined ? "" : bytesText(row.bytes),
      String(row.contextLength || ""),
      speed(row.tokensPerSecond),
      verdict(row),
    ]);
    await print(
      `${table([["model", "size", "context", "tokens/s", "verdict"], ...lines], [1, 2, 3])}\n`,
    );
    const device = rows.find((row) => row.device)?.device;
    if (device) note(`On ${device}; tokens/s are an estimate, from the speed of its memory`);
    return 0;
  },
};

const speed = (rate = 0): string =>
  rate >= 10 ? rate.toFixed(0) : rate > 0 ? rate.toPrecision(2) : "";

function verdict({ fits, largestContext, needs, has, problem }: FitReport): string {
  if (fits) return "fits";
  if (largestContext > 0) return `fits with -c ${largestContext}`;
  if (problem !== undefined) return `does not fit: ${problem}`;
  return `does not fit: needs ${bytesText(needs ?? 0)}, has ${bytesText(has ?? 0)}`;
}
