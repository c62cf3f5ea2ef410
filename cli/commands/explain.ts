/** `webgguf explain`: the plan of a step as a table, like a database's EXPLAIN. */
import { openSource, readGguf } from "../../mod.ts";
import { explain as explainPlans } from "../../src/tools/mod.ts";
import type { Command } from "../command.ts";
import { usage } from "../flags.ts";
import { headerOptions } from "../getting.ts";
import { DEVICE_FLAGS, loadOptions } from "../model-flags.ts";
import { GROUPINGS, groupBy, sum, table } from "../table.ts";
import { print } from "../terminal.ts";

export const explain: Command = {
  name: "explain",
  summary: "Show the dispatches of a decode or prompt step",
  examples: [
    "webgguf explain -m model.gguf",
    "webgguf explain -m model.gguf --rows 64",
    "webgguf explain -m model.gguf --by layer",
    "webgguf explain -m model.gguf --no-fuse shared-input --json",
  ],
  flags: [
    { names: ["--rows"], value: "N", help: "the plan for a step of N rows (default 1: decoding)" },
    {
      names: ["--by"],
      value: "WHAT",
      help: "sums by kernel or by layer instead of every dispatch",
    },
    { names: ["--json"], help: "one JSON object with the plans for all row counts" },
    ...DEVICE_FLAGS,
  ],
  async run(values) {
    const getting = headerOptions(values);
    const source = await openSource(values.model(), getting);
    const file = await readGguf(source, { open: (part) => openSource(part, getting) });
    try {
      const report = await explainPlans(file, loadOptions(values));
      if (values.switch("json")) {
        await print(`${JSON.stringify(report)}\n`);
        return 0;
      }
      const rows = values.integer("rows") ?? 1;
      const plan = report.plans.find((one) => rows <= one.rows);
      if (!plan)
        throw usage(
          `--rows is at most ${report.plans.at(-1)?.rows}, the largest step of this plan`,
        );
      const by = values.choice("by", GROUPINGS);
      const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
      const text = by
        ? table(
            [
              [by, "dispatches", "bytes", "share"],
              ...Array.from(groupBy(plan.dispatches, by), ([key, rows]) => [
                key,
                String(rows.length),
                sum(rows, (one) => one.bytes).toLocaleString("en"),
                percent(sum(rows, (one) => one.share)),
              ]),
            ],
            [1, 2, 3],
          )
        : table(
            [
              ["step", "layer", "what", "kernel", "variant", "grid", "bytes", "share"],
              ...plan.dispatches.map((one) => [
                String(one.step),
                one.layer < 0 ? "" : String(one.layer),
                one.op,
                one.kernel,
                one.variant,
                one.grid.join(" × "),
                one.bytes.toLocaleString("en"),
                percent(one.share),
              ]),
            ],
            [0, 6, 7],
          );
      const bytes = sum(plan.dispatches, (one) => one.bytes);
      await print(
        `${report.adapter}; ${report.architecture}, step of up to ${plan.rows} rows\n${text}\n` +
          `${plan.dispatches.length} dispatches, ${bytes.toLocaleString("en")} bytes read at most\n` +
          `fusions: ${report.fusions.join(", ")}\n`,
      );
      return 0;
    } finally {
      await Promise.all(file.sources.map((one) => one.close()));
    }
  },
};
