/**
 * npm run bench:serve -- --url U [--request-rate R] [--num-prompts N] [--max-concurrency C] [--model NAME]
 *   [--endpoint /v1/completions] [--input-len WORDS] [--output-len TOKENS] [--goodput ttft:MS,tpot:MS,e2el:MS]
 *   [--metric-percentiles 50,90,99] [--seed S] [--header "NAME: VALUE"] [--warmup N] [--json]
 *
 * Load on a server of OpenAI's API, whosever it is, and what vLLM's `bench serve` tells of it: throughput,
 * TTFT, TPOT, ITL, E2EL. Prompts are random words, so that no cache has them. OPENAI_API_KEY is sent where
 * it is set. Exits with 1 when a request failed.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { sendAll } from "./load.ts";
import { type Goals, METRICS, type MetricName, metricsOf, report } from "./metrics.ts";
import type { Target } from "./request.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:9931" },
    endpoint: { type: "string", default: "/v1/completions" },
    model: { type: "string" },
    "request-rate": { type: "string", default: "inf" },
    "num-prompts": { type: "string", default: "100" },
    "max-concurrency": { type: "string", default: "inf" },
    "input-len": { type: "string", default: "64" },
    "output-len": { type: "string", default: "64" },
    goodput: { type: "string", default: "" },
    "metric-percentiles": { type: "string", default: "99" },
    seed: { type: "string", default: "0" },
    header: { type: "string", multiple: true, default: [] },
    warmup: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});

const fail = (message: string): never => {
  console.error(message);
  process.exit(2);
};
function number(name: keyof typeof values, least: number): number {
  const text = String(values[name]);
  const value = text === "inf" ? Infinity : Number(text);
  if (text === "" || Number.isNaN(value) || value < least)
    fail(`--${name} is a number of at least ${least}, not ${text}`);
  return value;
}
function goalsOf(text: string): Goals {
  return Object.fromEntries(
    text.split(/[\s,]+/).flatMap((pair) => {
      if (pair === "") return [];
      const [name, ms] = pair.split(":");
      if (!METRICS.includes(name as MetricName) || name === "itl" || !(Number(ms) > 0))
        fail(`--goodput is ttft:MS, tpot:MS or e2el:MS behind commas, not ${pair}`);
      return [[name, Number(ms)]];
    }),
  );
}

const percentiles = values["metric-percentiles"].split(",").map(Number);
if (percentiles.some((p) => !(p >= 0 && p <= 100)))
  fail(`--metric-percentiles are from 0 to 100, not ${values["metric-percentiles"]}`);
const goals = goalsOf(values.goodput);
const base = values.url.replace(/\/+$/, "").replace(/\/v1$/, "");
const key = process.env.OPENAI_API_KEY;
const headers = Object.fromEntries(
  values.header.map((line) => [
    line.split(":")[0].trim(),
    line.slice(line.indexOf(":") + 1).trim(),
  ]),
);

/** The model to ask for: the first that the server names. */
async function modelName(): Promise<string> {
  if (values.model !== undefined) return values.model;
  const response = await fetch(`${base}/v1/models`, { headers: target("").headers });
  const { data } = (await response.json()) as { data?: { id: string }[] };
  return data?.[0]?.id ?? fail(`${base}/v1/models names no model; --model does`);
}
const target = (model: string): Target => ({
  url: new URL(base + values.endpoint),
  headers: { ...(key !== undefined && { Authorization: `Bearer ${key}` }), ...headers },
  body: { model, max_tokens: number("output-len", 1), temperature: 0, ignore_eos: true },
  fetch,
});

const settings = {
  prompts: number("num-prompts", 1),
  rate: number("request-rate", Number.MIN_VALUE),
  concurrency: number("max-concurrency", 1),
  words: number("input-len", 1),
  seed: number("seed", 0),
};
const model = await modelName().catch((error) =>
  fail(`Cannot reach ${base}: ${error.cause?.message ?? error.message}; start a server there`),
);
const warmup = {
  ...settings,
  prompts: number("warmup", 0),
  rate: Infinity,
  seed: settings.seed + 7,
};
await sendAll(target(model), warmup);
const { results, seconds } = await sendAll(target(model), settings);
const metrics = metricsOf(results, seconds, { goals, percentiles });
const finite = (value: number): number | "inf" => (Number.isFinite(value) ? value : "inf");
process.stdout.write(
  values.json
    ? `${JSON.stringify({
        ...{ date: new Date().toISOString(), model_id: model, num_prompts: settings.prompts },
        request_rate: finite(settings.rate),
        max_concurrency: finite(settings.concurrency),
        ...metrics,
      })}\n`
    : report(metrics, percentiles),
);
const wrong = results.find(({ ok }) => !ok);
if (wrong) {
  console.error(`A request failed: ${wrong.error}`);
  process.exitCode = 1;
}
