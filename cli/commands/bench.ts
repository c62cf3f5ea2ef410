/** `webgguf bench`: how fast a model runs here, as llama-bench asks it. */
import process from "node:process";
import {
  type BenchmarkReport,
  benchmark,
  type GenerateTest,
  type Measured,
  type PromptTest,
} from "../../src/tools/mod.ts";
import { measureQuality, type Quality } from "../bench-quality.ts";
import type { Command } from "../command.ts";
import { usage, type Values } from "../flags.ts";
import { interruptible } from "../model.ts";
import { DEVICE_FLAGS, loadOptions } from "../model-flags.ts";
import { GROUPINGS, type Grouping, groupBy, sum, table } from "../table.ts";
import { loadReporting, note, print } from "../terminal.ts";
import { version } from "../version.ts";

export const bench: Command = {
  name: "bench",
  summary: "Measure prompt and generation speed, as llama-bench does",
  examples: [
    "webgguf bench -m model.gguf",
    "webgguf bench -m model.gguf -p 512 -n 128 -d 0,2048 -r 5 --json > result.json",
    "webgguf bench -m model.gguf -p 0 -n 32 --profile --by kernel",
  ],
  flags: [
    { names: ["-p", "--n-prompt"], value: "N,N", help: "prompt lengths; 0 = none (default 512)" },
    { names: ["-n", "--n-gen"], value: "N,N", help: "tokens to generate; 0 = none (default 128)" },
    {
      names: ["-d", "--n-depth"],
      value: "N,N",
      help: "tokens in the cache before each test, filled in and not computed (default 0)",
    },
    { names: ["-r", "--repetitions"], value: "N", help: "runs of each test (default 5)" },
    { names: ["--profile"], help: "GPU time of each kernel of a decode step, by time stamps" },
    {
      names: ["--by"],
      value: "WHAT",
      help: "group the profile by kernel or layer (default kernel)",
    },
    { names: ["--json"], help: "one JSON object instead (docs/bench-schema.json has its form)" },
    ...DEVICE_FLAGS,
  ],
  async run(values) {
    const path = values.model();
    const by = values.choice("by", GROUPINGS) ?? "kernel";
    const json = values.switch("json");
    const repetitions = values.integer("repetitions") ?? 5;
    if (repetitions < 1) throw usage(`-r is at least 1, not ${repetitions}`);
    const load = loadOptions(values);
    const report = await interruptible((signal) =>
      benchmark(path, {
        ...load,
        ...loadReporting(),
        promptTokens: numbers(values, "n-prompt", [512]),
        generateTokens: numbers(values, "n-gen", [128]),
        depths: numbers(values, "n-depth", [0]),
        repetitions,
        profile: values.switch("profile"),
        onTest: (name, done, total) => note(`[${done + 1}/${total}] ${name}`),
        signal,
      }),
    );
    // The highest so far, in KiB; loading and all tests are behind us.
    const peakHostBytes = process.resourceUsage().maxRSS * 1024;
    const quality = await interruptible((signal) =>
      measureQuality(path, { ...load, device: report.device.kind, signal }),
    );
    const all = { ...report, webgguf: version, peakHostBytes, quality };
    await print(json ? `${JSON.stringify(all)}\n` : `${describe(all)}\n${tests(all, by)}`);
    return 0;
  },
};

/** What `--json` prints; docs/bench-schema.json is made from this type. */
export interface BenchReport extends BenchmarkReport {
  /** Version of the program. */
  readonly webgguf: string;
  /** Resident memory of the process at its highest. */
  readonly peakHostBytes: number;
  /** Null for models other than the bundled ones. */
  readonly quality: Quality | null;
}

function numbers(values: Values, name: string, otherwise: readonly number[]): readonly number[] {
  const text = values.text(name);
  if (text === undefined) return otherwise;
  return text.split(",").map((part) => {
    if (!/^\d+$/.test(part.trim()))
      throw usage(`--${name} wants whole numbers such as 128 or 0,512, not "${text}"`);
    return Number(part);
  });
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const gb = (perSecond: number): string => `${(perSecond / 1e9).toFixed(2)} GB/s`;

function describe(report: BenchReport): string {
  const { model, device, load, firstToken, settings, memory, copyBytesPerSecond, quality } = report;
  const large = Object.entries(memory.owners).filter(([, bytes]) => 20 * bytes > memory.total);
  const owners = large.map(([owner, bytes]) => `${owner} ${mib(bytes)}`);
  const lines = [
    `${model.file}: ${model.architecture}, ${mib(model.bytes)}, ${model.parameters.toLocaleString("en")} parameters`,
    `${device.name}${device.software ? " (software emulation)" : ""}, ${report.runtime["runtime"]}, webgguf ${report.webgguf}`,
    `cache ${settings.cacheTypeK}/${settings.cacheTypeV}, context ${settings.contextLength}, chunk ${settings.chunk}, ${settings.stepsInFlight} steps in flight`,
    `loaded in ${load.seconds.toFixed(2)} s` +
      (load.compileSeconds === null
        ? ""
        : `, ${load.pipelines} pipelines ready after ${load.compileSeconds.toFixed(2)} s`) +
      `; first token of ${firstToken.promptTokens}: cold ${firstToken.coldSeconds.toFixed(2)} s, warm ${firstToken.warmSeconds.toFixed(3)} s`,
    `memory ${mib(memory.total)} (${owners.join(", ")}); host at most ${mib(report.peakHostBytes)}`,
  ];
  if (copyBytesPerSecond !== null) lines.push(`copy kernel ${gb(copyBytesPerSecond)}`);
  if (quality)
    lines.push(
      `perplexity ${quality.perplexity.toFixed(4)} (llama.cpp ${quality.referencePerplexity.toFixed(4)}), ` +
        `greedy texts equal: ${quality.greedyEqual} of ${quality.greedyTexts}`,
    );
  return `${lines.join("\n")}\n`;
}

const speed = ({ mean, deviation }: Measured): string =>
  `${mean.toFixed(2)} ± ${deviation.toFixed(2)}`;

function tests(report: BenchReport, by: Grouping): string {
  const lines = [
    ["test", "t/s", "median", "ms/token", "host µs", "calls", "submits", "read", "GB/s", "of copy"],
    ...report.tests.map(line),
  ];
  let text = `${table(lines, [1, 2, 3, 4, 5, 6, 7, 8, 9])}\n`;
  for (const test of report.tests)
    if (test.kind === "generate" && test.profile) text += `\n${profile(test, by)}`;
  return text;
}

function line(test: PromptTest | GenerateTest): string[] {
  const rate = test.kind === "prompt" ? test.promptTokensPerSecond : test.tokensPerSecond;
  const common = [test.name, speed(rate), rate.median.toFixed(2), test.msPerToken.toFixed(3)];
  if (test.kind === "prompt") return [...common, "", "", "", "", "", ""];
  const { perToken, traffic, hostMicrosecondsPerToken } = test;
  return [
    ...common,
    hostMicrosecondsPerToken?.toFixed(0) ?? "",
    perToken?.dispatches.toFixed(0) ?? "",
    perToken?.submits.toFixed(2) ?? "",
    perToken ? `${perToken.bytesRead.toFixed(0)} B` : "",
    traffic ? (traffic.bytesPerSecond / 1e9).toFixed(2) : "",
    traffic ? `${(100 * traffic.shareOfCopy).toFixed(1)}%` : "",
  ];
}

/** GPU time by kernel or layer, the largest share first where kernels are asked for. */
function profile({ name, profile: calls, traffic }: GenerateTest, by: Grouping): string {
  const all = calls ?? [];
  const total = sum(all, (one) => one.microseconds) || 1;
  const groups = Array.from(groupBy(all, by), ([key, rows]) => ({
    key,
    count: rows.length,
    microseconds: sum(rows, (one) => one.microseconds),
    bytes: sum(rows, (one) => one.bytes),
  }));
  if (by === "kernel") groups.sort((a, b) => b.microseconds - a.microseconds);
  const lines = [
    [by, "dispatches", "µs", "share", "weight bytes", "GB/s"],
    ...groups.map((one) => [
      one.key,
      String(one.count),
      one.microseconds.toFixed(1),
      `${((100 * one.microseconds) / total).toFixed(1)}%`,
      one.bytes.toLocaleString("en"),
      one.bytes > 0 ? (one.bytes / 1e3 / one.microseconds).toFixed(2) : "",
    ]),
  ];
  const planned = traffic ? `, ${traffic.ratio.toFixed(3)} × the bytes it must read` : "";
  return (
    `${name}: ${total.toFixed(1)} µs on the GPU for a step of ${all.length} dispatches, each in a pass of its own${planned}\n` +
    `${table(lines, [1, 2, 3, 4, 5])}\n`
  );
}
