/** `webgguf tune`: measures the kernels' shapes on this adapter; later commands use the fastest. */
import { type DeviceTuning, tuneDevice } from "../../src/tools/mod.ts";
import type { Command } from "../command.ts";
import { interruptible } from "../model.ts";
import { table } from "../table.ts";
import { note, print } from "../terminal.ts";
import { saveTuning, tuningFile } from "../tunings.ts";

export const tune: Command = {
  name: "tune",
  summary: "Measure which kernel shapes are fastest on this GPU, and use them from now on",
  examples: ["webgguf tune", "webgguf tune --type Q8_0 --json"],
  flags: [
    { names: ["-dev", "--device"], value: "NAME", help: "part of an adapter's name" },
    { names: ["--type"], value: "TYPE", help: "the type of most of your weights (default Q4_K)" },
    { names: ["--json"], help: "the choice as JSON" },
  ],
  async run(values) {
    const lines: string[][] = [["candidate", "ms"]];
    note("Measuring for some seconds …");
    const tuning: DeviceTuning = await interruptible((signal) =>
      tuneDevice({
        device: values.text("device"),
        type: values.text("type"),
        signal,
        onTried: (candidate, milliseconds) =>
          lines.push([words(candidate), milliseconds.toFixed(3)]),
      }),
    );
    saveTuning(tuning);
    if (values.switch("json")) await print(`${JSON.stringify(tuning)}\n`);
    else {
      const { adapter, ...chosen } = tuning;
      await print(
        `${table(lines, [1])}\n\n${adapter}: ${words(chosen)}\nkept in ${tuningFile()}\n`,
      );
    }
    return 0;
  },
};

const words = (candidate: object): string =>
  Object.entries(candidate)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
