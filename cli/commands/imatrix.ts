/** `webgguf imatrix`: how much each column of a model's weights matters, as llama-imatrix computes it. */
import path from "node:path";
import {
  imatrix as compute,
  type ImportanceFile,
  imatrixStatistics,
  joinImatrix,
  readImatrix,
  writeImatrix,
} from "../../src/tools/mod.ts";
import { writeOutput } from "../../src/tools/output.ts";
import type { Command } from "../command.ts";
import { usage } from "../flags.ts";
import { gettingOptions } from "../getting.ts";
import { interruptible } from "../model.ts";
import { DEVICE_FLAGS, loadOptions } from "../model-flags.ts";
import { promptFrom } from "../prompt.ts";
import { note, print } from "../terminal.ts";

export const imatrix: Command = {
  name: "imatrix",
  summary: "Measure the importance of weights over a text, as llama-imatrix does",
  examples: [
    "webgguf imatrix -m model-f16.gguf -f text.txt -o imatrix.gguf",
    "webgguf imatrix --in-file a.gguf --in-file b.dat -o both.gguf",
    "webgguf imatrix --in-file imatrix.gguf --show-statistics",
  ],
  flags: [
    { names: ["-p", "--prompt"], value: "TEXT", help: "the text; escapes such as \\n are read" },
    { names: ["-f", "--file"], value: "FILE", help: "the text from a file, as it is" },
    { names: ["--no-escape"], help: "take -p as it is" },
    {
      names: ["-o", "--output", "--output-file"],
      value: "FILE",
      help: "what is written (default: imatrix.gguf)",
    },
    { names: ["--output-format"], value: "gguf|dat", help: "its format (default: gguf)" },
    { names: ["--in-file"], value: "FILE", many: true, help: "a matrix to begin with, or to join" },
    { names: ["--process-output"], help: "measure output.weight too" },
    { names: ["--parse-special"], help: "read special tokens in the text" },
    { names: ["--chunk", "--from-chunk"], value: "N", help: "leave N chunks out at the beginning" },
    { names: ["--chunks"], value: "N", help: "compute N chunks at most" },
    { names: ["--show-statistics"], help: "figures of each tensor; alone: of --in-file" },
    { names: ["--no-ppl"], help: "as always here: no perplexity is computed" },
    { names: ["--json"], help: "statistics as one JSON object" },
    ...DEVICE_FLAGS,
  ],
  async run(values) {
    const context = values.integer("ctx-size") || undefined;
    const format = values.choice("output-format", ["gguf", "dat"]) ?? "gguf";
    const statistics = values.switch("show-statistics");
    const inputs = values.texts("in-file");
    const computes = values.hasModel() || values.positionals.length > 0;
    if (!computes && inputs.length === 0)
      throw usage("What is to be measured? Give -m MODEL and -f TEXT, or matrices by --in-file");
    const read = await Promise.all(inputs.map((file) => readImatrix(file)));
    const files: ImportanceFile[] = [...read];
    if (computes) {
      const text = await promptFrom(values);
      const named = values.text("file");
      const { contextLength: _, maxSequences: __, ...loading } = loadOptions(values);
      files.push(
        await interruptible((signal) =>
          compute(values.model(), text, {
            ...loading,
            ...gettingOptions(values),
            signal,
            context,
            dataset: named === undefined ? "prompt" : path.basename(named),
            processOutput: values.switch("process-output"),
            parseSpecial: values.switch("parse-special"),
            fromChunk: values.integer("from-chunk"),
            chunks: values.integer("chunks"),
            onChunk: (done, all) => note(`[${done}/${all}]`),
          }),
        ),
      );
    }
    const size = context ?? files.find(({ chunkSize }) => chunkSize > 0)?.chunkSize ?? 512;
    const whole =
      files.length === 1 && files[0].chunkSize > 0 ? files[0] : await joinImatrix(files, size);
    if (computes || !statistics || values.has("output-file")) {
      const output = values.text("output-file") ?? "imatrix.gguf";
      const bytes = await writeImatrix(whole, format);
      await writeOutput(output, async (sink) => sink(bytes));
      note(`Written: ${output}, ${whole.entries.size} tensors, ${whole.chunks} chunks`);
      warnPartial(whole);
    }
    if (statistics) await show(whole, values.switch("json"));
    return 0;
  },
};

/** Experts that no token came to have no importance of their own. */
function warnPartial({ entries }: ImportanceFile): void {
  for (const [name, { counts }] of entries) {
    const none = counts.filter((count) => count === 0).length;
    if (none > 0)
      note(`${name}: ${none} of ${counts.length} experts were never used; give more text`);
  }
}

async function show(file: ImportanceFile, json: boolean): Promise<void> {
  const rows = await imatrixStatistics(file);
  if (json) return print(`${JSON.stringify(rows)}\n`);
  const width = Math.max(6, ...rows.map(({ tensor }) => tensor.length)) + 2;
  const heads = ["Σ(Act²)", "min", "max", "μ", "σ", "entropy", "ZD", "cossim"];
  await print(`${"tensor".padEnd(width)}${heads.map((one) => one.padStart(12)).join("")}\n`);
  for (const one of rows) {
    const figures = [one.sum, one.min, one.max, one.mean, one.deviation, one.entropy];
    const cells = [
      ...figures.map((value) => value.toPrecision(5)),
      `${(100 * one.outliers).toFixed(2)}%`,
    ];
    cells.push(one.cosine?.toFixed(4) ?? "-");
    await print(`${one.tensor.padEnd(width)}${cells.map((cell) => cell.padStart(12)).join("")}\n`);
  }
}
