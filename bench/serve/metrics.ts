/** What many requests came to, in the fields of vLLM's `bench serve`. */
import type { Measured } from "./request.ts";

/** Milliseconds that a request may take to count as good. */
export type Goals = Readonly<Partial<Record<MetricName, number>>>;
export const METRICS = ["ttft", "tpot", "itl", "e2el"] as const;
export type MetricName = (typeof METRICS)[number];

/** The value below which `percent` of the values are, between two of them by share, as numpy has it. */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (percent / 100) * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

/** Time of a token behind the first; undefined for answers of one token. */
const tpotOf = ({ outputTokens, ended, sent, ttft }: Measured): number | undefined =>
  outputTokens > 1 ? (ended - sent - ttft) / (outputTokens - 1) : undefined;

/** @param seconds from the first request to the end of the last */
export function metricsOf(
  all: readonly Measured[],
  seconds: number,
  { goals = {}, percentiles = [99] }: { goals?: Goals; percentiles?: readonly number[] } = {},
): Record<string, number | null> {
  const done = all.filter(({ ok }) => ok);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const input = sum(done.map(({ inputTokens }) => inputTokens));
  const output = sum(done.map(({ outputTokens }) => outputTokens));
  const good = done.filter(
    (one) =>
      one.ttft <= (goals.ttft ?? Infinity) &&
      (tpotOf(one) ?? 0) <= (goals.tpot ?? Infinity) &&
      one.ended - one.sent <= (goals.e2el ?? Infinity),
  ).length;
  const values: Record<MetricName, number[]> = {
    ttft: done.map(({ ttft }) => ttft),
    tpot: done.flatMap((one) => tpotOf(one) ?? []),
    itl: done.flatMap(({ itl }) => itl),
    e2el: done.map(({ ended, sent }) => ended - sent),
  };
  const out: Record<string, number | null> = {
    duration: seconds,
    completed: done.length,
    failed: all.length - done.length,
    total_input_tokens: input,
    total_output_tokens: output,
    request_throughput: done.length / seconds,
    request_goodput: Object.keys(goals).length === 0 ? null : good / seconds,
    output_throughput: output / seconds,
    total_token_throughput: (input + output) / seconds,
    max_concurrent_requests: mostAtOnce(all),
  };
  for (const name of METRICS) {
    const some = values[name];
    const mean = some.length === 0 ? 0 : sum(some) / some.length;
    out[`mean_${name}_ms`] = mean;
    out[`median_${name}_ms`] = percentile(some, 50);
    out[`std_${name}_ms`] =
      some.length === 0 ? 0 : Math.sqrt(sum(some.map((one) => (one - mean) ** 2)) / some.length);
    for (const p of percentiles) out[`p${p}_${name}_ms`] = percentile(some, p);
  }
  return out;
}

function mostAtOnce(all: readonly Measured[]): number {
  const moments = all
    .flatMap(({ sent, ended }) => [
      [sent, 1],
      [ended, -1],
    ])
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let now = 0;
  let most = 0;
  for (const [, change] of moments) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}

const TITLES: Readonly<Record<MetricName, string>> = {
  ttft: "Time to First Token",
  tpot: "Time per Output Token (excl. 1st token)",
  itl: "Inter-token Latency",
  e2el: "End-to-end Latency",
};
const SUMS = [
  ["Successful requests:", "completed"],
  ["Failed requests:", "failed"],
  ["Benchmark duration (s):", "duration"],
  ["Total input tokens:", "total_input_tokens"],
  ["Total generated tokens:", "total_output_tokens"],
  ["Request throughput (req/s):", "request_throughput"],
  ["Request goodput (req/s):", "request_goodput"],
  ["Output token throughput (tok/s):", "output_throughput"],
  ["Peak concurrent requests:", "max_concurrent_requests"],
  ["Total token throughput (tok/s):", "total_token_throughput"],
] as const;

/** The report as vLLM prints it. */
export function report(
  metrics: Readonly<Record<string, number | null>>,
  percentiles: readonly number[],
): string {
  const line = (name: string, value: number): string =>
    `${name.padEnd(40)} ${Number.isInteger(value) ? value : value.toFixed(2)}`;
  const title = (text: string, filler: string): string =>
    text.padStart((50 + text.length) >> 1, filler).padEnd(50, filler);
  const lines = [title(" Serving Benchmark Result ", "=")];
  for (const [name, key] of SUMS) {
    const value = metrics[key];
    if (value !== null) lines.push(line(name, value));
  }
  for (const metric of METRICS) {
    lines.push(title(TITLES[metric], "-"));
    const name = metric.toUpperCase();
    for (const [word, key] of [
      ["Mean", "mean"],
      ["Median", "median"],
      ...percentiles.map((p) => [`P${p}`, `p${p}`]),
    ])
      lines.push(line(`${word} ${name} (ms):`, metrics[`${key}_${metric}_ms`] ?? 0));
  }
  return `${[...lines, "=".repeat(50)].join("\n")}\n`;
}
